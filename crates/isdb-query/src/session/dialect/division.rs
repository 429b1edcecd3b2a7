//! Division. `/` between integers gives a fraction, as in DuckDB, R and Python (`canopy_cover / 100` is 0.5 and not 0);
//! `div(a, b)` gives an integer, rounded towards zero, as in PostgreSQL.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array};
use arrow::compute::kernels::numeric;
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{DFSchema, Result, exec_err, plan_err};
use datafusion::logical_expr::binary::BinaryTypeCoercer;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, Operator, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    binary_expr, cast,
};
use datafusion::sql::sqlparser::ast::BinaryOperator;

/// Plans `/` between integers as a division of doubles. Integers up to 2⁵³ keep their value.
#[derive(Debug)]
pub(super) struct FractionalDivision;

impl ExprPlanner for FractionalDivision {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let is_integer = |side: &Expr| side.get_type(schema).is_ok_and(|kind| kind.is_integer());
        if expr.op != BinaryOperator::Divide || !is_integer(&expr.left) || !is_integer(&expr.right) {
            return Ok(PlannerResult::Original(expr));
        }
        // A cast is not part of a column's name, which stays `a / b`.
        let [left, right] = [expr.left, expr.right].map(|side| cast(side, DataType::Float64));
        Ok(PlannerResult::Planned(binary_expr(left, Operator::Divide, right)))
    }
}

/// Creates `div(a, b)`, the quotient rounded towards zero: an integer for integers, a double for other numbers, NULL if either
/// is NULL.
pub(super) fn div() -> ScalarUDF {
    ScalarUDF::new_from_impl(Div { signature: Signature::user_defined(Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Div {
    signature: Signature,
}

impl ScalarUDFImpl for Div {
    fn name(&self) -> &'static str {
        "div"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [left, right] = types else { return plan_err!("div takes two numbers: div(a, b)") };
        let is_number = |kind: &DataType| kind.is_numeric() || kind.is_null();
        if !is_number(left) || !is_number(right) {
            return plan_err!("div takes two numbers, found {left} and {right}");
        }
        let common = match (left.is_integer(), right.is_integer()) {
            (true, true) => BinaryTypeCoercer::new(left, &Operator::Divide, right).get_input_types()?.0,
            _ => DataType::Float64,
        };
        Ok(vec![common.clone(), common])
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types.first().cloned().unwrap_or(DataType::Float64))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [left, right] = args.args.as_slice() else { return exec_err!("div takes two numbers") };
        let is_scalar = [left, right].iter().all(|side| matches!(side, ColumnarValue::Scalar(_)));
        let rows = if is_scalar { 1 } else { args.number_rows };
        let (left, right) = (left.clone().into_array(rows)?, right.clone().into_array(rows)?);
        let quotient = numeric::div(&left, &right)?;
        let towards_zero: ArrayRef = match quotient.as_primitive_opt::<Float64Type>() {
            Some(doubles) => Arc::new(doubles.unary::<_, Float64Type>(f64::trunc) as Float64Array),
            None => quotient,
        };
        match is_scalar {
            true => Ok(ColumnarValue::Scalar(datafusion::common::ScalarValue::try_from_array(&towards_zero, 0)?)),
            false => Ok(ColumnarValue::Array(towards_zero)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{answer, session};

    const ROWS: &str = "(VALUES (7, 2), (-7, 2), (1, 3), (CAST(NULL AS INT), 1)) AS t(a, b)";

    #[tokio::test]
    async fn integers_divide_with_a_fraction() {
        assert_eq!(answer(&format!("SELECT a / b AS x FROM {ROWS} WHERE b = 2 ORDER BY a")).await, "x;-3.5;3.5");
        assert_eq!(answer("SELECT 1 / 2 AS x").await, "x;0.5");
        assert_eq!(answer("SELECT 7 / 2 / 2 AS x").await, "x;1.75");
        assert_eq!(answer(&format!("SELECT count(*) FILTER (WHERE a > 0) / count(*) AS x FROM {ROWS}")).await, "x;0.5");
        assert_eq!(answer(&format!("SELECT sum(a) / count(a) AS x FROM {ROWS} WHERE b = 3")).await, "x;1.0");
        assert_eq!(answer(&format!("SELECT a FROM {ROWS} WHERE a / 2 > 3")).await, "a;7");
        assert_eq!(
            answer(&format!("SELECT a / 2 AS x, count(*) AS n FROM {ROWS} WHERE a = 7 GROUP BY a / 2")).await,
            "x|n;3.5|1"
        );
        assert_eq!(
            answer(&format!("SELECT sum(a) AS s FROM {ROWS} GROUP BY b HAVING sum(a) / 2 < 1 AND b = 3")).await,
            "s;1"
        );
        assert_eq!(
            answer(&format!("WITH v AS (SELECT a / b AS x FROM {ROWS} WHERE b = 3) SELECT x * 3 AS x FROM v")).await,
            "x;1.0"
        );
        assert_eq!(answer("SELECT 6.0 / 4 AS x").await, "x;1.5");
        assert_eq!(answer("SELECT 1 / 0 AS x, -1 / 0 AS y").await, "x|y;inf|-inf");
    }

    #[tokio::test]
    async fn the_name_of_a_column_is_the_expression_as_written() {
        assert_eq!(answer(&format!("SELECT a / b FROM {ROWS} WHERE b = 3")).await, "t.a/t.b;0.3333333333333333");
    }

    #[tokio::test]
    async fn div_gives_the_integer_towards_zero() {
        assert_eq!(answer(&format!("SELECT div(a, b) AS x FROM {ROWS} WHERE b = 2 ORDER BY a")).await, "x;-3;3");
        assert_eq!(
            answer("SELECT div(7, 2) AS x, div(-7.5, 2) AS y, div(7, NULL) IS NULL AS z").await,
            "x|y|z;3|-3.0|true"
        );
        assert_eq!(answer("SELECT arrow_typeof(div(7, 2)) AS x").await, "x;Int64");
        let failed = session(2).sql("SELECT div(1, 0)").await.unwrap().collect().await.unwrap_err();
        assert!(failed.to_string().contains("Divide by zero"), "{failed}");
        let failed = session(2).sql("SELECT div('a', 2)").await.map(|_| ()).unwrap_err();
        assert!(failed.to_string().contains("div takes two numbers"), "{failed}");
    }
}
