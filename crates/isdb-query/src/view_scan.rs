//! Scans of the views that are table providers: their plan with the conditions, columns and limit of a statement.

use std::sync::Arc;

use datafusion::catalog::Session;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, Result};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::ExecutionPlan;

/// Plans the rows of `view` that meet all of `filters`: the columns of `projection`, and at most `limit` rows.
pub(crate) async fn plan_scan(
    state: &dyn Session,
    view: LogicalPlan,
    projection: Option<&Vec<usize>>,
    filters: &[Expr],
    limit: Option<usize>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let mut rows = LogicalPlanBuilder::from(view);
    if let Some(predicate) = conjunction(filters.iter().cloned()) {
        rows = rows.filter(with_relation(predicate, None)?)?;
    }
    if let Some(projection) = projection {
        rows = rows.select(projection.iter().copied())?;
    }
    if let Some(limit) = limit {
        rows = rows.limit(0, Some(limit))?;
    }
    state.create_physical_plan(&rows.build()?).await
}

/// Sets the relation of all columns in `expr`, or removes it.
pub(crate) fn with_relation(expr: Expr, relation: Option<&str>) -> Result<Expr> {
    let changed = expr.transform(|part| {
        Ok(match part {
            Expr::Column(column) => Transformed::yes(Expr::Column(match relation {
                Some(relation) => Column::new(Some(relation), column.name),
                None => Column::from_name(column.name),
            })),
            part => Transformed::no(part),
        })
    })?;
    Ok(changed.data)
}
