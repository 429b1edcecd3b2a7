//! Expressions that run on record batches.

use std::sync::Arc;

use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::prelude::SessionContext;

/// Converts `expr` to a physical expression over batches of `schema`. Simplifies it first, so that a comparison casts its
/// literal once instead of its column for every row.
///
/// # Errors
/// When types of `expr` do not match, or a column is not in `schema`.
pub fn physical_expression(context: &SessionContext, schema: &DFSchema, expr: Expr) -> Result<Arc<dyn PhysicalExpr>> {
    let simplifier = ExprSimplifier::new(SimplifyContext::builder().with_schema(Arc::new(schema.clone())).build());
    let expr = simplifier.simplify(simplifier.coerce(expr, schema)?)?;
    context.create_physical_expr(expr, schema)
}
