//! Predicates and ranges as text, as SQL writes them. The format is stable: plans show it, and tests compare it.

use std::fmt::{Display, Formatter, Result};

use crate::predicate::ranges::Ranges;
use crate::predicate::tree::{Op, Predicate};
use crate::schema::layout::ArrayLayout;

impl Display for Op {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::Eq => "=",
            Self::NotEq => "!=",
            Self::Lt => "<",
            Self::LtEq => "<=",
            Self::Gt => ">",
            Self::GtEq => ">=",
        })
    }
}

impl Display for Predicate {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Constant(value) => f.write_str(match value {
                Some(true) => "TRUE",
                Some(false) => "FALSE",
                None => "NULL",
            }),
            Self::Opaque => f.write_str("…"),
            Self::Compare { column, op, value } => write!(f, "{column} {op} {value}"),
            Self::In { column, values, negated } => {
                write!(f, "{column} {}IN (", if *negated { "NOT " } else { "" })?;
                for (at, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if at == 0 { "" } else { ", " })?;
                }
                f.write_str(")")
            }
            Self::IsNull { column, negated } => write!(f, "{column} IS {}NULL", if *negated { "NOT " } else { "" }),
            Self::And(parts) => joined(f, parts, " AND "),
            Self::Or(parts) => joined(f, parts, " OR "),
            Self::Not(part) => write!(f, "NOT ({part})"),
        }
    }
}

fn joined(f: &mut Formatter<'_>, parts: &[Predicate], separator: &str) -> Result {
    for (at, part) in parts.iter().enumerate() {
        f.write_str(if at == 0 { "" } else { separator })?;
        match part {
            Predicate::And(_) | Predicate::Or(_) => write!(f, "({part})")?,
            _ => write!(f, "{part}")?,
        }
    }
    Ok(())
}

/// Ranges with the names and values of a layout's dimensions: `latitude in [1, 2] or [4, 5], time in [2020-01-01T00:00:00, …]`.
#[derive(Debug)]
pub struct DisplayRanges<'a>(pub &'a Ranges, pub &'a ArrayLayout);

impl Display for DisplayRanges<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let mut previous: Option<String> = None;
        for range in self.0.to_dimension_ranges(self.1) {
            match &previous {
                Some(name) if *name == range.dimension => write!(f, " or [{}, {}]", range.low, range.high)?,
                _ => {
                    let separator = if previous.is_some() { ", " } else { "" };
                    write!(f, "{separator}{} in [{}, {}]", range.dimension, range.low, range.high)?;
                }
            }
            previous = Some(range.dimension);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::literal::Literal;

    #[test]
    fn a_predicate_reads_like_sql() {
        let compare = |op, value| Predicate::Compare { column: "h".to_owned(), op, value };
        let names = vec![Literal::Text("g'1".to_owned())];
        let predicate = Predicate::And(vec![
            compare(Op::GtEq, Literal::Float(5.5)),
            Predicate::Or(vec![
                Predicate::In { column: "beam".to_owned(), values: names, negated: true },
                Predicate::IsNull { column: "flag".to_owned(), negated: false },
            ]),
            compare(Op::Lt, Literal::TimestampNs(1_577_836_800_500_000_000)),
            compare(Op::LtEq, Literal::Float(-0.0)),
        ]);
        assert_eq!(
            predicate.to_string(),
            "h >= 5.5 AND (beam NOT IN ('g''1') OR flag IS NULL) AND h < 2020-01-01T00:00:00.500 AND h <= 0"
        );
    }
}
