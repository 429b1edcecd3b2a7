//! Converts DataFusion expressions to TileDB predicates. Parts that a [`Predicate`] cannot express become
//! [`Predicate::Opaque`], and DataFusion evaluates them.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema, TimeUnit};
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::{Between, BinaryExpr, Expr, Operator, expr::InList};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{self as physical, IsNotNullExpr, IsNullExpr};
use tiledb::{Literal, Op, Predicate};

/// Converts a boolean expression over the columns of `schema`.
pub(crate) fn to_predicate(expr: &Expr, schema: &Schema) -> Predicate {
    match expr {
        Expr::Alias(alias) => to_predicate(&alias.expr, schema),
        Expr::Not(inner) => Predicate::Not(Box::new(to_predicate(inner, schema))),
        Expr::Literal(ScalarValue::Boolean(value), _) => Predicate::Constant(*value),
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            Predicate::all([to_predicate(left, schema), to_predicate(right, schema)])
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            Predicate::any([to_predicate(left, schema), to_predicate(right, schema)])
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let Some(op) = comparison(*op) else { return Predicate::Opaque };
            match (&**left, &**right) {
                (column, Expr::Literal(value, _)) => compare(column, op, value, schema),
                (Expr::Literal(value, _), column) => compare(column, op.swapped(), value, schema),
                _ => Predicate::Opaque,
            }
        }
        Expr::Between(between) => between_predicate(between, schema),
        Expr::InList(list) => in_list(list, schema),
        Expr::IsNull(column) => is_null(column, false),
        Expr::IsNotNull(column) => is_null(column, true),
        _ => Predicate::Opaque,
    }
}

/// Converts a boolean expression of a plan, whose columns have the names of `schema`: the forms that dynamic filters have.
pub(crate) fn from_physical(expr: &Arc<dyn PhysicalExpr>, schema: &Schema) -> Predicate {
    let column =
        |expr: &Arc<dyn PhysicalExpr>| expr.downcast_ref::<physical::Column>().map(|column| column.name().to_owned());
    let literal =
        |expr: &Arc<dyn PhysicalExpr>| expr.downcast_ref::<physical::Literal>().map(|literal| literal.value().clone());
    if let Some(ScalarValue::Boolean(value)) = literal(expr) {
        return Predicate::Constant(value);
    }
    let is_null = expr.downcast_ref::<IsNullExpr>().map(|is_null| (is_null.arg(), false));
    let is_null = is_null.or_else(|| expr.downcast_ref::<IsNotNullExpr>().map(|is_null| (is_null.arg(), true)));
    if let Some((Some(column), negated)) = is_null.map(|(argument, negated)| (column(argument), negated)) {
        return Predicate::IsNull { column, negated };
    }
    let Some(binary) = expr.downcast_ref::<physical::BinaryExpr>() else { return Predicate::Opaque };
    let (left, right) = (binary.left(), binary.right());
    let sides = || [from_physical(left, schema), from_physical(right, schema)];
    match binary.op() {
        Operator::And => return Predicate::all(sides()),
        Operator::Or => return Predicate::any(sides()),
        _ => {}
    }
    let Some(op) = comparison(*binary.op()) else { return Predicate::Opaque };
    let (name, op, value) = match (column(left), literal(right), literal(left), column(right)) {
        (Some(name), Some(value), ..) => (name, op, value),
        (.., Some(value), Some(name)) => (name, op.swapped(), value),
        _ => return Predicate::Opaque,
    };
    compare(&Expr::Column(Column::from_name(name)), op, &value, schema)
}

fn comparison(op: Operator) -> Option<Op> {
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

fn between_predicate(between: &Between, schema: &Schema) -> Predicate {
    let (Expr::Literal(low, _), Expr::Literal(high, _)) = (&*between.low, &*between.high) else {
        return Predicate::Opaque;
    };
    let low = compare(&between.expr, Op::GtEq, low, schema);
    negated_if(between.negated, Predicate::all([low, compare(&between.expr, Op::LtEq, high, schema)]))
}

/// Converts an IN list. NULL and values that have no [`Literal`] become alternatives of the list.
fn in_list(list: &InList, schema: &Schema) -> Predicate {
    let Some(column) = column(&list.expr, schema) else { return Predicate::Opaque };
    let (mut values, mut others) = (Vec::new(), Vec::new());
    for item in &list.list {
        match item {
            Expr::Literal(value, _) => match literal(value) {
                Some(literal) => values.push(literal),
                None => others.push(compare(&list.expr, Op::Eq, value, schema)),
            },
            _ => others.push(Predicate::Opaque),
        }
    }
    let list_of_literals = Predicate::In { column: column.to_owned(), values, negated: false };
    negated_if(list.negated, Predicate::any(std::iter::once(list_of_literals).chain(others)))
}

fn negated_if(negated: bool, predicate: Predicate) -> Predicate {
    if negated { Predicate::Not(Box::new(predicate)) } else { predicate }
}

fn is_null(column: &Expr, negated: bool) -> Predicate {
    match column {
        Expr::Column(column) => Predicate::IsNull { column: column.name.clone(), negated },
        _ => Predicate::Opaque,
    }
}

fn compare(expr: &Expr, op: Op, value: &ScalarValue, schema: &Schema) -> Predicate {
    if value.is_null() {
        return Predicate::NULL;
    }
    let Some(column) = column(expr, schema) else { return Predicate::Opaque };
    let compare = |op, value| Predicate::Compare { column: column.to_owned(), op, value };
    match (literal(value), nanoseconds(value)) {
        (Some(literal), _) => compare(op, literal),
        // A moment outside the range of nanoseconds is above or below every timestamp of the column.
        (None, Some(nanoseconds)) if nanoseconds > 0 => match op {
            Op::Lt | Op::LtEq | Op::NotEq => compare(Op::LtEq, Literal::TimestampNs(i64::MAX)),
            Op::Gt | Op::GtEq | Op::Eq => compare(Op::Gt, Literal::TimestampNs(i64::MAX)),
        },
        (None, Some(_)) => match op {
            Op::Gt | Op::GtEq | Op::NotEq => compare(Op::GtEq, Literal::TimestampNs(i64::MIN)),
            Op::Lt | Op::LtEq | Op::Eq => compare(Op::Lt, Literal::TimestampNs(i64::MIN)),
        },
        (None, None) => Predicate::Opaque,
    }
}

/// Converts a scalar; `None` for NULL, NaN and types that a predicate cannot compare.
fn literal(scalar: &ScalarValue) -> Option<Literal> {
    Some(match scalar {
        ScalarValue::Int8(v) => Literal::Int((*v)?.into()),
        ScalarValue::Int16(v) => Literal::Int((*v)?.into()),
        ScalarValue::Int32(v) => Literal::Int((*v)?.into()),
        ScalarValue::Int64(v) => Literal::Int(*v.as_ref()?),
        ScalarValue::UInt8(v) => Literal::UInt((*v)?.into()),
        ScalarValue::UInt16(v) => Literal::UInt((*v)?.into()),
        ScalarValue::UInt32(v) => Literal::UInt((*v)?.into()),
        ScalarValue::UInt64(v) => Literal::UInt(*v.as_ref()?),
        ScalarValue::Float32(v) => Literal::Float(v.filter(|v| !v.is_nan())?.into()),
        ScalarValue::Float64(v) => Literal::Float(v.filter(|v| !v.is_nan())?),
        ScalarValue::Utf8(v) | ScalarValue::LargeUtf8(v) | ScalarValue::Utf8View(v) => Literal::Text(v.clone()?),
        ScalarValue::Dictionary(_, value) => return literal(value),
        timestamp => Literal::TimestampNs(i64::try_from(nanoseconds(timestamp)?).ok()?),
    })
}

fn nanoseconds(scalar: &ScalarValue) -> Option<i128> {
    Some(match scalar {
        ScalarValue::TimestampSecond(v, _) => i128::from((*v)?) * 1_000_000_000,
        ScalarValue::TimestampMillisecond(v, _) => i128::from((*v)?) * 1_000_000,
        ScalarValue::TimestampMicrosecond(v, _) => i128::from((*v)?) * 1_000,
        ScalarValue::TimestampNanosecond(v, _) => (*v)?.into(),
        _ => return None,
    })
}

/// Returns the name of a column. Looks through a cast if comparing the cast gives the same result as comparing the column.
fn column<'e>(expr: &'e Expr, schema: &Schema) -> Option<&'e str> {
    let (inner, target) = match expr {
        Expr::Column(column) => return Some(&column.name),
        Expr::Cast(cast) => (&*cast.expr, cast.field.data_type()),
        Expr::TryCast(cast) => (&*cast.expr, cast.field.data_type()),
        _ => return None,
    };
    let Expr::Column(column) = inner else { return None };
    let field = schema.field_with_name(&column.name).ok()?;
    preserves_comparisons(field.data_type(), target).then_some(&column.name)
}

/// Whether a cast is defined for every value, loses nothing and keeps the order.
fn preserves_comparisons(column: &DataType, target: &DataType) -> bool {
    use DataType::{
        Dictionary, Float32, Float64, Int8, Int16, Int32, LargeUtf8, Timestamp, UInt8, UInt16, UInt32, Utf8, Utf8View,
    };
    if column == target {
        return true;
    }
    match (column, target) {
        // A cast from UTC to another zone keeps the instant, a cast to no zone keeps the number.
        (Timestamp(TimeUnit::Nanosecond, Some(zone)), Timestamp(TimeUnit::Nanosecond, _)) => &**zone == "UTC",
        (LargeUtf8 | Utf8, LargeUtf8 | Utf8 | Utf8View) => true,
        (Dictionary(_, value), LargeUtf8 | Utf8 | Utf8View) => preserves_comparisons(value, target),
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

#[cfg(test)]
mod tests {
    use arrow::datatypes::Field;
    use datafusion::logical_expr::{cast, col, lit};

    use super::*;

    fn converted(expr: &Expr) -> String {
        let utc = DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
        let fields = [("id", DataType::Int32), ("flag", DataType::Int8), ("h", DataType::Float32), ("seen", utc)];
        let schema = Schema::new(fields.map(|(name, kind)| Field::new(name, kind, true)).to_vec());
        to_predicate(expr, &schema).to_string()
    }

    #[test]
    fn comparisons_lists_and_ranges_are_converted() {
        assert_eq!(converted(&col("id").gt(lit(3))), "id > 3");
        assert_eq!(converted(&lit(3).lt(col("id"))), "id > 3");
        assert_eq!(converted(&col("id").not_between(lit(1), lit(2))), "NOT (id >= 1 AND id <= 2)");
        assert_eq!(converted(&col("id").in_list(vec![lit(1), lit(2)], true)), "NOT (id IN (1, 2))");
        assert_eq!(converted(&col("id").is_null().or(col("id") + lit(1)).alias("x")), "id IS NULL OR …");
        assert_eq!(converted(&col("h").lt(lit(f32::NAN))), "…");
    }

    #[test]
    fn null_in_a_list_becomes_an_alternative() {
        let null = || lit(ScalarValue::Int32(None));
        assert_eq!(converted(&col("id").eq(null())), "NULL");
        assert_eq!(converted(&col("id").in_list(vec![lit(1), null()], true)), "NOT (id IN (1) OR NULL)");
    }

    #[test]
    fn moments_beyond_nanoseconds_are_above_every_timestamp() {
        let far = || lit(ScalarValue::TimestampSecond(Some(1 << 40), None));
        assert!(converted(&col("seen").lt(far())).starts_with("seen <= 2262-04-11"));
        assert!(converted(&col("seen").in_list(vec![far()], false)).starts_with("seen IN () OR seen > 2262-04-11"));
    }

    #[test]
    fn casts_that_lose_precision_or_can_fail_are_opaque() {
        let kept = [("flag", DataType::Int64), ("id", DataType::Float64), ("h", DataType::Float64)];
        for (name, kind) in kept {
            assert_eq!(converted(&cast(col(name), kind).gt(lit(5i64))), format!("{name} > 5"));
        }
        for (name, kind) in [("id", DataType::Int16), ("id", DataType::Float32), ("h", DataType::Int32)] {
            assert_eq!(converted(&cast(col(name), kind).gt(lit(5i16))), "…");
        }
    }
}
