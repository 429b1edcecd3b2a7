//! Expressions and literals in messages, as a user would write them in SQL.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::Expr;

/// Returns the SQL of `expr`, without table names before columns.
pub(crate) fn sql_text(expr: &Expr) -> String {
    let unqualified = expr.clone().transform(|part| {
        Ok(match part {
            Expr::Column(column) => Transformed::yes(Expr::Column(Column::from_name(column.name))),
            part => Transformed::no(part),
        })
    });
    // The closure never fails.
    unqualified.map_or_else(|_| expr.human_display().to_string(), |expr| expr.data.human_display().to_string())
}

/// Returns the SQL of a literal.
pub(crate) fn sql_literal(value: &ScalarValue) -> String {
    match value.try_as_str() {
        Some(Some(text)) => format!("'{}'", text.replace('\'', "''")),
        _ => value.to_string(),
    }
}
