//! Comparisons of one attribute with literals, and where Arrow and TileDB answer them differently.

use arrow::datatypes::{DataType, Field, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Operator;
use tiledb::{Condition, Literal, Op};

use crate::predicate::pushed::Pushed;

/// Field metadata by which an array promises that a float attribute holds no NaN: `nan` = `never`.
/// Arrow sorts NaN above (or, negative, below) every number, TileDB lets it fail every comparison but `!=`, so that
/// without the promise only equality can be left to TileDB.
const NAN_KEY: &str = "nan";
const NAN_NEVER: &str = "never";

/// A literal, freed of the width of its type.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Int(i128),
    Float(f64),
    Nanoseconds(i128),
    Text(String),
}

impl Value {
    /// `None` for NULL, NaN and types no condition compares.
    pub(super) fn of(scalar: &ScalarValue) -> Option<Self> {
        Some(match scalar {
            ScalarValue::Int8(v) => Self::Int((*v)?.into()),
            ScalarValue::Int16(v) => Self::Int((*v)?.into()),
            ScalarValue::Int32(v) => Self::Int((*v)?.into()),
            ScalarValue::Int64(v) => Self::Int((*v)?.into()),
            ScalarValue::UInt8(v) => Self::Int((*v)?.into()),
            ScalarValue::UInt16(v) => Self::Int((*v)?.into()),
            ScalarValue::UInt32(v) => Self::Int((*v)?.into()),
            ScalarValue::UInt64(v) => Self::Int((*v)?.into()),
            ScalarValue::Float32(v) => Self::Float(v.filter(|v| !v.is_nan())?.into()),
            ScalarValue::Float64(v) => Self::Float(v.filter(|v| !v.is_nan())?),
            ScalarValue::TimestampSecond(v, _) => Self::Nanoseconds(i128::from((*v)?) * 1_000_000_000),
            ScalarValue::TimestampMillisecond(v, _) => Self::Nanoseconds(i128::from((*v)?) * 1_000_000),
            ScalarValue::TimestampMicrosecond(v, _) => Self::Nanoseconds(i128::from((*v)?) * 1_000),
            ScalarValue::TimestampNanosecond(v, _) => Self::Nanoseconds((*v)?.into()),
            ScalarValue::Utf8(v) | ScalarValue::LargeUtf8(v) | ScalarValue::Utf8View(v) => Self::Text(v.clone()?),
            _ => return None,
        })
    }
}

/// Whether comparing `CAST(column AS target)` is comparing the column: the cast is defined for every value, loses
/// nothing and keeps the order.
pub(super) fn can_see_through(column: &DataType, target: &DataType) -> bool {
    use DataType::{Float32, Float64, Int8, Int16, Int32, LargeUtf8, Timestamp, UInt8, UInt16, UInt32, Utf8, Utf8View};
    if column == target {
        return true;
    }
    match (column, target) {
        // from UTC every zone is the same instant, and no zone the same number
        (Timestamp(TimeUnit::Nanosecond, Some(zone)), Timestamp(TimeUnit::Nanosecond, _)) => &**zone == "UTC",
        (LargeUtf8 | Utf8, LargeUtf8 | Utf8 | Utf8View) => true,
        (Float32, Float64) => true,
        (Int8 | Int16 | Int32 | UInt8 | UInt16 | UInt32, Float64) => true,
        (Int8 | Int16 | UInt8 | UInt16, Float32) => true,
        _ => match (integer_range(column), integer_range(target)) {
            (Some(own), Some(wide)) => wide.0 <= own.0 && own.1 <= wide.1,
            _ => false,
        },
    }
}

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

/// The attributes a condition can be put on.
#[derive(Debug, Clone, Copy)]
pub(super) enum AttributeKind {
    /// Integers between these two.
    Int(i128, i128),
    Timestamp,
    Float {
        single: bool,
        no_nan: bool,
    },
    Text,
}

/// How one value compares: as itself, or the answer is the same for every row that is not NULL.
enum Bound {
    At(Operator, Literal),
    Always,
    Never,
}

impl AttributeKind {
    /// `None` for lists and other types that no condition compares.
    pub(super) fn of(field: &Field) -> Option<Self> {
        let no_nan = field.metadata().get(NAN_KEY).is_some_and(|value| value == NAN_NEVER);
        match field.data_type() {
            DataType::Float32 => Some(Self::Float { single: true, no_nan }),
            DataType::Float64 => Some(Self::Float { single: false, no_nan }),
            DataType::Timestamp(TimeUnit::Nanosecond, _) => Some(Self::Timestamp),
            DataType::LargeUtf8 | DataType::Utf8 => Some(Self::Text),
            other => integer_range(other).map(|(low, high)| Self::Int(low, high)),
        }
    }

    /// The rows for which `column op value` is TRUE.
    pub(super) fn compare(self, column: &str, nullable: bool, op: Operator, value: Value) -> Pushed {
        match self.bound(op, value) {
            Some(Bound::At(op, value)) => match physical(op) {
                Some(op) => self.told(Condition::Compare { column: column.to_owned(), op, value }),
                None => Pushed::unknown(),
            },
            Some(Bound::Always) => not_null(column, nullable),
            Some(Bound::Never) => Pushed::nothing(),
            None => Pushed::unknown(),
        }
    }

    /// The rows for which `column [NOT] IN (values)` is TRUE; NULL is not among the values.
    pub(super) fn in_list(self, column: &str, nullable: bool, values: Vec<Value>, negated: bool) -> Pushed {
        let op = if negated { Operator::NotEq } else { Operator::Eq };
        let mut members = Vec::with_capacity(values.len());
        for value in values {
            match self.bound(op, value) {
                Some(Bound::At(_, value)) => members.push(value),
                // a value the column's type cannot hold is no member
                Some(Bound::Always | Bound::Never) => {}
                None => return Pushed::unknown(),
            }
        }
        match (members.is_empty(), negated) {
            (true, true) => not_null(column, nullable),
            (true, false) => Pushed::nothing(),
            _ => self.told(Condition::In { column: column.to_owned(), values: members, negated }),
        }
    }

    /// Floats are always told as a superset: TileDB holds both zeros equal, the engine in comparisons only, not in
    /// lists.
    fn told(self, condition: Condition) -> Pushed {
        let pushed = Pushed::condition(condition);
        if matches!(self, Self::Float { .. }) { pushed.inexact() } else { pushed }
    }

    /// `None` when the comparison cannot be left to TileDB.
    fn bound(self, op: Operator, value: Value) -> Option<Bound> {
        match (self, value) {
            (Self::Int(low, high), Value::Int(value)) => Some(integer(op, value, low, high)),
            (Self::Int(low, high), Value::Float(value)) => {
                let (op, value) = whole(op, value)?;
                Some(value.map_or(Bound::Never, |value| integer(op, value, low, high)))
            }
            (Self::Timestamp, Value::Nanoseconds(value)) => {
                Some(match integer(op, value, i64::MIN.into(), i64::MAX.into()) {
                    Bound::At(op, Literal::Int(value)) => Bound::At(op, Literal::TimestampNs(value)),
                    other => other,
                })
            }
            (Self::Float { single, no_nan }, Value::Float(value)) => float(op, value, single, no_nan),
            (Self::Text, Value::Text(value)) => Some(Bound::At(op, Literal::Text(value))),
            _ => None,
        }
    }
}

fn not_null(column: &str, nullable: bool) -> Pushed {
    if nullable {
        Pushed::condition(Condition::IsNull { column: column.to_owned(), negated: true })
    } else {
        Pushed::everything()
    }
}

fn physical(op: Operator) -> Option<Op> {
    Some(match op {
        Operator::Eq => Op::Eq,
        Operator::NotEq => Op::NotEq,
        Operator::Lt => Op::Lt,
        Operator::LtEq => Op::LtEq,
        Operator::Gt => Op::Gt,
        Operator::GtEq => Op::GtEq,
        _ => return None,
    })
}

/// Compares with a column of integers from `low` to `high`.
fn integer(op: Operator, value: i128, low: i128, high: i128) -> Bound {
    let always = match op {
        Operator::NotEq => value < low || value > high,
        Operator::Lt | Operator::LtEq => value > high,
        Operator::Gt | Operator::GtEq => value < low,
        _ => false,
    };
    if always {
        return Bound::Always;
    }
    if value < low || value > high {
        return Bound::Never;
    }
    match (i64::try_from(value), u64::try_from(value)) {
        (_, Ok(value)) if low == 0 => Bound::At(op, Literal::UInt(value)),
        (Ok(value), _) => Bound::At(op, Literal::Int(value)),
        _ => Bound::Never,
    }
}

/// The same comparison of a column of integers with a whole number; the inner `None` says that no integer is equal.
#[expect(clippy::cast_possible_truncation, reason = "saturates beyond every integer type, where it compares the same")]
fn whole(op: Operator, value: f64) -> Option<(Operator, Option<i128>)> {
    if value == 0.0 && value.is_sign_negative() {
        // The engine may put the column's zero above this one.
        return None;
    }
    if value.fract() == 0.0 || value.is_infinite() {
        return Some((op, Some(value as i128)));
    }
    Some(match op {
        Operator::Eq => (op, None),
        Operator::Gt | Operator::GtEq => (Operator::Gt, Some(value.floor() as i128)),
        Operator::Lt | Operator::LtEq => (Operator::Lt, Some(value.ceil() as i128)),
        // every integer differs: true of a number no integer type holds
        Operator::NotEq => (op, Some(i128::MAX)),
        _ => return None,
    })
}

/// A superset of what the engine says, in IEEE comparisons: ends become inclusive, since it may hold −0.0 < 0.0.
#[expect(clippy::float_cmp, reason = "asks whether the value is exactly a single")]
fn float(op: Operator, value: f64, single: bool, no_nan: bool) -> Option<Bound> {
    let exact = !single || f64::from(nearest(value)) == value;
    match op {
        Operator::Eq if !exact => Some(Bound::Never),
        Operator::Eq => Some(Bound::At(op, Literal::Float(value))),
        _ if !no_nan => None,
        Operator::NotEq if !exact => Some(Bound::Always),
        Operator::NotEq if value != 0.0 => Some(Bound::At(op, Literal::Float(value))),
        Operator::Lt | Operator::LtEq => {
            Some(Bound::At(Operator::LtEq, Literal::Float(if single { single_below(value) } else { value })))
        }
        Operator::Gt | Operator::GtEq => {
            Some(Bound::At(Operator::GtEq, Literal::Float(if single { -single_below(-value) } else { value })))
        }
        _ => None,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "rounds to the nearest single, which is what is asked for")]
fn nearest(value: f64) -> f32 {
    value as f32
}

/// The greatest single that is not above `value`.
fn single_below(value: f64) -> f64 {
    let single = nearest(value);
    f64::from(if f64::from(single) > value { single.next_down() } else { single })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rounding_a_literal_to_single_keeps_every_row(row in any::<f32>(), value in any::<f64>()) {
            prop_assume!(!row.is_nan() && !value.is_nan());
            prop_assert_eq!(f64::from(row) <= value, f64::from(row) <= single_below(value));
            prop_assert_eq!(f64::from(row) >= value, f64::from(row) >= -single_below(-value));
        }

        #[test]
        fn an_integer_column_compares_with_a_fraction_as_with_a_whole_number(row in -9i32..9, tenths in -80i32..80) {
            let value = f64::from(tenths) / 10.0;
            let row = f64::from(row);
            for (op, meant) in [
                (Operator::Lt, row < value),
                (Operator::LtEq, row <= value),
                (Operator::Gt, row > value),
                (Operator::GtEq, row >= value),
            ] {
                let (op, Some(whole)) = whole(op, value).unwrap() else { panic!("an order has a whole number") };
                #[expect(clippy::cast_possible_truncation)]
                let row = row as i128;
                let told = match op {
                    Operator::Lt => row < whole,
                    Operator::LtEq => row <= whole,
                    Operator::Gt => row > whole,
                    _ => row >= whole,
                };
                prop_assert_eq!(told, meant);
            }
        }
    }

    #[test]
    fn casts_that_lose_or_fail_are_not_seen_through() {
        assert!(can_see_through(&DataType::Int32, &DataType::Int64));
        assert!(can_see_through(&DataType::UInt32, &DataType::Int64));
        assert!(can_see_through(&DataType::Int32, &DataType::Float64));
        assert!(!can_see_through(&DataType::Int64, &DataType::Float64));
        assert!(!can_see_through(&DataType::Int64, &DataType::Int32));
        assert!(!can_see_through(&DataType::UInt64, &DataType::Int64));
        assert!(!can_see_through(&DataType::Float64, &DataType::Float32));
    }
}
