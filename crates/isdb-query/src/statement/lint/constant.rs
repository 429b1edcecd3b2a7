//! Values of constant expressions.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Cast, Expr, TryCast};

/// Returns the value of a literal, even with a sign or inside a cast; None for other expressions.
pub(super) fn constant(expr: &Expr) -> Option<ScalarValue> {
    match expr {
        Expr::Literal(value, _) => Some(value.clone()),
        Expr::Negative(inner) => constant(inner)?.arithmetic_negate().ok(),
        Expr::Alias(alias) => constant(&alias.expr),
        Expr::Cast(Cast { expr, field }) | Expr::TryCast(TryCast { expr, field }) => {
            constant(expr)?.cast_to(field.data_type()).ok()
        }
        _ => None,
    }
}

/// Returns `value` as a double; None if it is not numeric.
pub(super) fn as_number(value: &ScalarValue) -> Option<f64> {
    if !value.data_type().is_numeric() {
        return None;
    }
    match value.cast_to(&DataType::Float64).ok()? {
        ScalarValue::Float64(number) => number,
        _ => None,
    }
}

/// Returns the text of a literal, even inside a cast: `'2019-07-31'` and `DATE '2019-07-31'`.
pub(super) fn literal_text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(value, _) => value.try_as_str().flatten(),
        Expr::Cast(Cast { expr, .. }) | Expr::TryCast(TryCast { expr, .. }) => literal_text(expr),
        _ => None,
    }
}

/// Returns `value` as an integer; None if it is not a whole number.
pub(super) fn as_integer(value: &ScalarValue) -> Option<i64> {
    let number = as_number(value)?;
    match value.cast_to(&DataType::Int64).ok()? {
        #[expect(clippy::cast_precision_loss, reason = "codes and labels are small")]
        ScalarValue::Int64(Some(integer)) if integer as f64 == number => Some(integer),
        _ => None,
    }
}
