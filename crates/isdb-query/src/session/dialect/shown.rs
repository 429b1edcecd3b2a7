//! Expressions in messages.

use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::Expr;

/// `expr` as a person would write it: without the tables before columns.
pub(crate) fn shown(expr: &Expr) -> String {
    let unqualified = expr.clone().transform(|part| {
        Ok(match part {
            Expr::Column(column) => Transformed::yes(Expr::Column(Column::from_name(column.name))),
            part => Transformed::no(part),
        })
    });
    // Nothing in the closure fails.
    unqualified.map_or_else(|_| expr.human_display().to_string(), |shown| shown.data.human_display().to_string())
}
