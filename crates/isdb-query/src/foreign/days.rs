//! Conditions on a time as conditions on the days that it is in, which are a dimension of the arrays: a condition on an attribute of
//! nanoseconds alone would read the tiles of all days, and one on the start of a day cannot be compared by the array at all.

use std::sync::Arc;

use arrow::array::{AsArray, TimestampNanosecondArray};
use arrow::datatypes::{DataType, Int64Type, TimeUnit};
use datafusion::common::{Column, Result, ScalarValue};
use datafusion::logical_expr::{
    Between, BinaryExpr, ColumnarValue, Expr, Operator, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility, lit,
};

use super::vocabulary::{DAY, DAYS, TIMESTAMP};

/// The name of the function that returns the start of a day.
const DAY_START: &str = "day_start";

/// Returns the condition on the day that every row meets for which `filter` is true; `None` if it restricts no day.
pub(super) fn day_condition(filter: &Expr) -> Option<Expr> {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            let sides = [day_condition(left), day_condition(right)];
            sides.into_iter().flatten().reduce(|all, one| all.and(one))
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            Some(day_condition(left)?.or(day_condition(right)?))
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match (instant(left), instant(right)) {
            (Some(()), _) => compare(*op, right),
            (_, Some(())) => compare(op.swap()?, left),
            _ => None,
        },
        Expr::Between(Between { expr, negated: false, low, high }) => {
            instant(expr)?;
            Some(compare(Operator::GtEq, low)?.and(compare(Operator::LtEq, high)?))
        }
        Expr::InList(list) if !list.negated => {
            instant(&list.expr)?;
            let days = list.list.iter().map(|item| compare(Operator::Eq, item)).collect::<Option<Vec<_>>>()?;
            days.into_iter().reduce(|either, day| either.or(day))
        }
        _ => None,
    }
}

/// Whether an expression is the time of a row.
fn instant(expr: &Expr) -> Option<()> {
    match expr {
        Expr::Column(column) => (column.name == TIMESTAMP).then_some(()),
        Expr::ScalarFunction(call) => (call.name() == DAY_START).then_some(()),
        _ => None,
    }
}

/// The condition on the day of a time that compares so with `value`.
fn compare(op: Operator, value: &Expr) -> Option<Expr> {
    let Expr::Literal(value, _) = value else { return None };
    let time = nanoseconds(value)?;
    let day = |time: i128| {
        lit(i64::try_from(time.div_euclid(DAY.into())).unwrap_or(if time < 0 { i64::MIN } else { i64::MAX }))
    };
    let days = Expr::Column(Column::from_name(DAYS));
    Some(match op {
        Operator::Eq => days.eq(day(time)),
        Operator::Gt | Operator::GtEq => days.gt_eq(day(time)),
        Operator::LtEq => days.lt_eq(day(time)),
        Operator::Lt => days.lt_eq(day(time - 1)),
        _ => return None,
    })
}

fn nanoseconds(value: &ScalarValue) -> Option<i128> {
    Some(match value {
        ScalarValue::TimestampSecond(value, _) => i128::from((*value)?) * 1_000_000_000,
        ScalarValue::TimestampMillisecond(value, _) => i128::from((*value)?) * 1_000_000,
        ScalarValue::TimestampMicrosecond(value, _) => i128::from((*value)?) * 1_000,
        ScalarValue::TimestampNanosecond(value, _) => (*value)?.into(),
        _ => return None,
    })
}

/// Creates `day_start(days BIGINT) -> TIMESTAMP`, of days since 1970 in UTC. A function of its own, because the optimizer would take a
/// cast apart.
pub(super) fn day_start() -> ScalarUDF {
    ScalarUDF::new_from_impl(DayStart { signature: Signature::exact(vec![DataType::Int64], Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct DayStart {
    signature: Signature,
}

impl ScalarUDFImpl for DayStart {
    fn name(&self) -> &str {
        DAY_START
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [days] = &ColumnarValue::values_to_arrays(&arguments.args)?[..] else {
            return datafusion::common::internal_err!("{DAY_START} takes a number of days");
        };
        let starts: TimestampNanosecondArray =
            days.as_primitive::<Int64Type>().iter().map(|day| day?.checked_mul(DAY)).collect();
        Ok(ColumnarValue::Array(Arc::new(starts.with_timezone("UTC"))))
    }
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::col;
    use proptest::prelude::*;

    use super::*;

    fn time(nanoseconds: i64) -> Expr {
        lit(ScalarValue::TimestampNanosecond(Some(nanoseconds), Some("UTC".into())))
    }

    #[test]
    fn a_condition_on_a_time_restricts_the_days() {
        let at = || col(TIMESTAMP);
        for (filter, expected) in [
            (at().gt_eq(time(DAY)).and(at().lt(time(3 * DAY))), Some("time >= Int64(1) AND time <= Int64(2)")),
            (at().lt_eq(time(3 * DAY)), Some("time <= Int64(3)")),
            (time(-1).lt(at()), Some("time >= Int64(-1)")),
            (at().eq(time(5)).or(at().eq(time(DAY))), Some("time = Int64(0) OR time = Int64(1)")),
            (at().eq(time(5)).or(col("h").gt(lit(3))), None),
            (at().eq(time(5)).and(col("h").gt(lit(3))), Some("time = Int64(0)")),
            (at().between(time(5), time(DAY)), Some("time >= Int64(0) AND time <= Int64(1)")),
            (at().not_eq(time(5)), None),
            (at().in_list(vec![time(5)], true), None),
            (day_start().call(vec![col(DAYS)]).gt(time(DAY)), Some("time >= Int64(1)")),
        ] {
            assert_eq!(day_condition(&filter).map(|days| days.to_string()).as_deref(), expected, "{filter}");
        }
    }

    proptest! {
        /// A row that meets a condition on its time must be in a day that is read.
        #[test]
        fn no_day_with_a_matching_time_is_left_out(row in any::<i64>(), value in any::<i64>(), near in -3i64..3) {
            for value in [value, row.saturating_add(near), row / DAY * DAY + near] {
                for (op, holds) in [
                    (Operator::Eq, row == value),
                    (Operator::Lt, row < value),
                    (Operator::LtEq, row <= value),
                    (Operator::Gt, row > value),
                    (Operator::GtEq, row >= value),
                ] {
                    let Some(Expr::BinaryExpr(days)) = compare(op, &time(value)) else { panic!("{op}") };
                    let Expr::Literal(ScalarValue::Int64(Some(bound)), _) = *days.right else { panic!("{days:?}") };
                    let day = row.div_euclid(DAY);
                    let is_read = match days.op {
                        Operator::Eq => day == bound,
                        Operator::LtEq => day <= bound,
                        _ => day >= bound,
                    };
                    prop_assert!(is_read || !holds, "{row} {op} {value}");
                }
            }
        }
    }
}
