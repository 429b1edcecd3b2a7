//! Comparisons of one attribute with literals, including those that Arrow and TileDB evaluate differently.

use arrow::datatypes::{DataType, Field, TimeUnit};

use crate::literal::Literal;
use crate::predicate::pushdown::Pushdown;
use crate::predicate::tree::{Op, Predicate};
use crate::schema::{NULL_IS_NAN, NULL_KEY};

fn integer_range(kind: &DataType) -> Option<(i128, i128)> {
    Some(match kind {
        DataType::Int8 => (i8::MIN.into(), i8::MAX.into()),
        DataType::Int16 => (i16::MIN.into(), i16::MAX.into()),
        DataType::Int32 => (i32::MIN.into(), i32::MAX.into()),
        DataType::Int64 => (i64::MIN.into(), i64::MAX.into()),
        DataType::UInt8 => (0, u8::MAX.into()),
        DataType::UInt16 => (0, u16::MAX.into()),
        DataType::UInt32 => (0, u32::MAX.into()),
        DataType::UInt64 => (0, u64::MAX.into()),
        _ => return None,
    })
}

/// The types of attributes that a condition supports.
#[derive(Debug, Clone, Copy)]
pub(super) enum AttributeKind {
    /// Integers from the first to the second.
    Int(i128, i128),
    Timestamp,
    Float {
        single: bool,
        no_nan: bool,
    },
    Text,
}

/// A comparison that the attribute's type can represent, or one with the same result for every cell that is not NULL.
enum Comparison {
    With(Op, Literal),
    /// True for more cells: TileDB treats both zeros as equal, while an engine may do so in comparisons only, and not in lists.
    Superset(Op, Literal),
    Always,
    Never,
}

impl AttributeKind {
    /// `None` for lists and other types that a pushdown does not support.
    pub(super) fn from_field(field: &Field) -> Option<Self> {
        let no_nan = field.metadata().get(NULL_KEY).is_some_and(|value| value == NULL_IS_NAN);
        match field.data_type() {
            DataType::Float32 => Some(Self::Float { single: true, no_nan }),
            DataType::Float64 => Some(Self::Float { single: false, no_nan }),
            DataType::Timestamp(TimeUnit::Nanosecond, _) => Some(Self::Timestamp),
            DataType::LargeUtf8 | DataType::Utf8 => Some(Self::Text),
            DataType::Dictionary(_, value) if **value == DataType::Utf8 => Some(Self::Text),
            other => integer_range(other).map(|(low, high)| Self::Int(low, high)),
        }
    }

    /// The cells for which `column op value` is true.
    pub(super) fn compare(self, column: &str, nullable: bool, op: Op, value: &Literal) -> Pushdown {
        match self.comparison(op, value) {
            Some(Comparison::With(op, value)) => {
                Pushdown::condition(Predicate::Compare { column: column.to_owned(), op, value })
            }
            Some(Comparison::Superset(op, value)) => {
                Pushdown::condition(Predicate::Compare { column: column.to_owned(), op, value }).inexact()
            }
            Some(Comparison::Always) => not_null(column, nullable),
            Some(Comparison::Never) => Pushdown::nothing(),
            None => Pushdown::unsupported(),
        }
    }

    /// The cells for which `column [NOT] IN (values)` is true.
    pub(super) fn in_list(self, column: &str, nullable: bool, values: &[Literal], negated: bool) -> Pushdown {
        let op = if negated { Op::NotEq } else { Op::Eq };
        let mut members = Vec::with_capacity(values.len());
        let mut is_exact = true;
        for value in values {
            match self.comparison(op, value) {
                Some(Comparison::With(_, value)) => members.push(value),
                Some(Comparison::Superset(_, value)) => {
                    is_exact = false;
                    members.push(value);
                }
                // No cell equals a value that the attribute's type cannot represent.
                Some(Comparison::Always | Comparison::Never) => {}
                None => return Pushdown::unsupported(),
            }
        }
        match (members.is_empty(), negated) {
            (true, true) => not_null(column, nullable),
            (true, false) => Pushdown::nothing(),
            _ => {
                let members = Predicate::In { column: column.to_owned(), values: members, negated };
                let pushed = Pushdown::condition(members);
                if is_exact { pushed } else { pushed.inexact() }
            }
        }
    }

    /// The comparison for TileDB; `None` if it has to be left to the engine.
    fn comparison(self, op: Op, value: &Literal) -> Option<Comparison> {
        match (self, value) {
            (_, Literal::Float(value)) if value.is_nan() => None,
            (Self::Int(low, high), Literal::Int(_) | Literal::UInt(_)) => {
                Some(integer(op, value.integer()?, low, high))
            }
            (Self::Int(low, high), Literal::Float(value)) => {
                let (op, value) = whole(op, *value)?;
                Some(value.map_or(Comparison::Never, |value| integer(op, value, low, high)))
            }
            (Self::Timestamp, Literal::TimestampNs(value)) => {
                Some(match integer(op, (*value).into(), i64::MIN.into(), i64::MAX.into()) {
                    Comparison::With(op, Literal::Int(value)) => Comparison::With(op, Literal::TimestampNs(value)),
                    other => other,
                })
            }
            (Self::Float { single, no_nan }, Literal::Float(value)) => float(op, *value, single, no_nan),
            (Self::Text, Literal::Text(_)) => Some(Comparison::With(op, value.clone())),
            _ => None,
        }
    }
}

fn not_null(column: &str, nullable: bool) -> Pushdown {
    if nullable {
        Pushdown::condition(Predicate::IsNull { column: column.to_owned(), negated: true })
    } else {
        Pushdown::everything()
    }
}

/// Compares an integer attribute, whose values are from `low` to `high`, with a value.
fn integer(op: Op, value: i128, low: i128, high: i128) -> Comparison {
    let outside = value < low || value > high;
    let (always, never) = match op {
        Op::Eq => (false, outside),
        Op::NotEq => (outside, false),
        Op::Lt => (value > high, value <= low),
        Op::LtEq => (value >= high, value < low),
        Op::Gt => (value < low, value >= high),
        Op::GtEq => (value <= low, value > high),
    };
    if always {
        return Comparison::Always;
    }
    if never {
        return Comparison::Never;
    }
    match (i64::try_from(value), u64::try_from(value)) {
        (_, Ok(value)) if low == 0 => Comparison::With(op, Literal::UInt(value)),
        (Ok(value), _) => Comparison::With(op, Literal::Int(value)),
        _ => Comparison::Never,
    }
}

/// The same comparison of an integer attribute, with a whole number; the inner `None` if no integer is equal.
#[expect(clippy::cast_possible_truncation, reason = "saturates beyond every integer type, where it compares the same")]
fn whole(op: Op, value: f64) -> Option<(Op, Option<i128>)> {
    if value == 0.0 && value.is_sign_negative() {
        // The engine may order the attribute's zero above this one.
        return None;
    }
    if value.fract() == 0.0 || value.is_infinite() {
        return Some((op, Some(value as i128)));
    }
    Some(match op {
        Op::Eq => (op, None),
        Op::Gt | Op::GtEq => (Op::Gt, Some(value.floor() as i128)),
        Op::Lt | Op::LtEq => (Op::Lt, Some(value.ceil() as i128)),
        // Every integer differs from a fraction, as it does from a number that no integer type can represent.
        Op::NotEq => (op, Some(i128::MAX)),
    })
}

/// An IEEE 754 comparison that is true wherever the engine's is. It is true for more cells where the engine may order −0.0 below 0.0.
#[expect(clippy::float_cmp, reason = "checks whether the value is exactly a single")]
fn float(op: Op, value: f64, single: bool, no_nan: bool) -> Option<Comparison> {
    let exact = !single || f64::from(nearest(value)) == value;
    let with = |op, value| Some(Comparison::With(op, Literal::Float(value)));
    match op {
        Op::Eq if !exact => Some(Comparison::Never),
        Op::Eq if value == 0.0 => Some(Comparison::Superset(op, Literal::Float(value))),
        Op::Eq => with(op, value),
        _ if !no_nan => None,
        Op::NotEq if !exact => Some(Comparison::Always),
        Op::NotEq if value != 0.0 => with(op, value),
        Op::NotEq => None,
        // No single equals the value, so it is compared with the next one.
        Op::Lt | Op::LtEq if !exact => with(Op::LtEq, single_below(value).into()),
        Op::Gt | Op::GtEq if !exact => with(Op::GtEq, f64::from(-single_below(-value))),
        _ if value != 0.0 => with(op, value),
        // Neither zero is above 0.0, or below −0.0, in any order.
        Op::Gt if value.is_sign_positive() => with(op, value),
        Op::Lt if value.is_sign_negative() => with(op, value),
        Op::Lt | Op::LtEq => Some(Comparison::Superset(Op::LtEq, Literal::Float(value))),
        Op::Gt | Op::GtEq => Some(Comparison::Superset(Op::GtEq, Literal::Float(value))),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "rounds to the nearest single, as intended")]
fn nearest(value: f64) -> f32 {
    value as f32
}

/// The greatest single-precision number that does not exceed `value`.
pub(crate) fn single_below(value: f64) -> f32 {
    let single = nearest(value);
    if f64::from(single) > value { single.next_down() } else { single }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_literal_rounded_to_single_keeps_every_cell(row in any::<f32>(), value in any::<f64>()) {
            prop_assume!(!row.is_nan() && !value.is_nan());
            prop_assert_eq!(f64::from(row) <= value, row <= single_below(value));
            prop_assert_eq!(f64::from(row) >= value, row >= -single_below(-value));
        }

        #[test]
        fn integers_compare_with_a_fraction_as_with_a_whole_number(row in -9i32..9, tenths in -80i32..80) {
            let value = f64::from(tenths) / 10.0;
            let row = f64::from(row);
            for (op, expected) in [
                (Op::Lt, row < value),
                (Op::LtEq, row <= value),
                (Op::Gt, row > value),
                (Op::GtEq, row >= value),
            ] {
                let (op, Some(whole)) = whole(op, value).unwrap() else { panic!("expected a whole number") };
                #[expect(clippy::cast_possible_truncation)]
                let row = row as i128;
                let found = match op {
                    Op::Lt => row < whole,
                    Op::LtEq => row <= whole,
                    Op::Gt => row > whole,
                    _ => row >= whole,
                };
                prop_assert_eq!(found, expected);
            }
        }
    }
}
