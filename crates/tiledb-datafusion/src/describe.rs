//! Ranges and conditions in words, for EXPLAIN. The wording is stable: tests compare it.

use std::fmt::{Display, Formatter, Result};

use arrow::temporal_conversions::timestamp_ns_to_datetime;
use tiledb::{Condition, Dimension, Literal, Op};

use crate::interval::{Axis, domain_keys};
use crate::partition::Ranges;

/// Shows the ranges as `latitude in [1, 2], time in [2020-01-01T00:00:00, …]`.
pub(crate) struct ShowRanges<'a>(pub(crate) &'a Ranges, pub(crate) &'a [Dimension]);

/// Shows a condition as SQL would write it.
pub(crate) struct ShowCondition<'a>(pub(crate) &'a Condition);

struct ShowValue<'a>(&'a Literal);

impl Display for ShowRanges<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for (position, (index, keys)) in self.0.iter().enumerate() {
            let Some(dimension) = self.1.get(*index) else { continue };
            let axis = Axis::of(&dimension.domain);
            let (first, last) = domain_keys(&dimension.domain);
            write!(f, "{}{} in ", if position == 0 { "" } else { ", " }, dimension.name)?;
            for (position, (low, high)) in keys.iter().enumerate() {
                let between = if position == 0 { "" } else { " or " };
                let (low, high) = (axis.value(low.max(first)), axis.value(high.min(last)));
                write!(f, "{between}[{}, {}]", ShowValue(&low), ShowValue(&high))?;
            }
        }
        Ok(())
    }
}

impl Display for ShowCondition<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.0 {
            Condition::Compare { column, op, value } => write!(f, "{column} {} {}", sign(op), ShowValue(value)),
            Condition::In { column, values, negated } => {
                write!(f, "{column} {}IN (", if *negated { "NOT " } else { "" })?;
                for (position, value) in values.iter().enumerate() {
                    write!(f, "{}{}", if position == 0 { "" } else { ", " }, ShowValue(value))?;
                }
                write!(f, ")")
            }
            Condition::IsNull { column, negated } => {
                write!(f, "{column} IS {}NULL", if *negated { "NOT " } else { "" })
            }
            Condition::And(all) => joined(f, all, " AND "),
            Condition::Or(any) => joined(f, any, " OR "),
            Condition::Not(inner) => write!(f, "NOT ({})", ShowCondition(inner)),
        }
    }
}

fn joined(f: &mut Formatter<'_>, parts: &[Condition], between: &str) -> Result {
    for (position, part) in parts.iter().enumerate() {
        write!(f, "{}", if position == 0 { "" } else { between })?;
        match part {
            Condition::And(_) | Condition::Or(_) => write!(f, "({})", ShowCondition(part))?,
            _ => write!(f, "{}", ShowCondition(part))?,
        }
    }
    Ok(())
}

fn sign(op: &Op) -> &'static str {
    match op {
        Op::Eq => "=",
        Op::NotEq => "!=",
        Op::Lt => "<",
        Op::LtEq => "<=",
        Op::Gt => ">",
        Op::GtEq => ">=",
    }
}

impl Display for ShowValue<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.0 {
            Literal::Int(value) => write!(f, "{value}"),
            Literal::UInt(value) => write!(f, "{value}"),
            // the sum shows −0.0, an end that takes both zeros in, as 0
            Literal::Float(value) => write!(f, "{}", value + 0.0),
            Literal::TimestampNs(value) => match timestamp_ns_to_datetime(*value) {
                Some(time) => write!(f, "{}", time.format("%Y-%m-%dT%H:%M:%S%.f")),
                None => write!(f, "{value}"),
            },
            Literal::Text(value) => write!(f, "'{}'", value.replace('\'', "''")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_reads_like_the_sql_it_came_from() {
        let compare = |op, value| Condition::Compare { column: "h".to_owned(), op, value };
        let condition = Condition::And(vec![
            compare(Op::GtEq, Literal::Float(5.5)),
            Condition::Or(vec![
                Condition::In {
                    column: "beam".to_owned(),
                    values: vec![Literal::Text("g'1".to_owned())],
                    negated: true,
                },
                Condition::IsNull { column: "flag".to_owned(), negated: false },
            ]),
            compare(Op::Lt, Literal::TimestampNs(1_577_836_800_500_000_000)),
        ]);
        assert_eq!(
            ShowCondition(&condition).to_string(),
            "h >= 5.5 AND (beam NOT IN ('g''1') OR flag IS NULL) AND h < 2020-01-01T00:00:00.500"
        );
    }
}
