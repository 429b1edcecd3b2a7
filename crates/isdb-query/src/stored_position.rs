//! Finds out whether a condition on a column of a plan reaches an array.

use std::any::Any;

use datafusion::common::tree_node::TreeNode;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Expr, JoinType, LogicalPlan, TableScan};
use tiledb_datafusion::TileDbTable;

use crate::foreign::table::CellsTable;
use crate::functions::distance_m::DistanceCall;
use crate::pieces::PiecesTable;
use crate::unique::UniqueTable;

/// Whether `key`, over the columns of `plan`, is the distance between a constant position and that of a row of an array, and a
/// condition on it would reach the array.
pub(crate) fn is_distance_to_stored_position(key: &Expr, plan: &LogicalPlan) -> bool {
    match origin(key, plan) {
        Some(Origin::Computed(expr, input)) => DistanceCall::find(expr)
            .is_some_and(|call| is_stored(call.latitude, input) && is_stored(call.longitude, input)),
        _ => false,
    }
}

/// Whether `expr` is a column of `plan` that an array stores, and a condition on it would reach the array.
pub(crate) fn is_stored(expr: &Expr, plan: &LogicalPlan) -> bool {
    matches!(origin(expr, plan), Some(Origin::Array))
}

/// Whether a part of `expr` is a subquery.
pub(crate) fn has_subquery(expr: &Expr) -> bool {
    let is_subquery = |part: &Expr| {
        matches!(part, Expr::ScalarSubquery(_) | Expr::Exists(_) | Expr::InSubquery(_) | Expr::SetComparison(_))
    };
    expr.exists(|part| Ok(is_subquery(part))).unwrap_or(true)
}

/// Where the values of an expression come from.
enum Origin<'p> {
    /// From a column of an array.
    Array,
    /// From this expression over the columns of this plan.
    Computed(&'p Expr, &'p LogicalPlan),
}

/// Follows `expr` down through the nodes that a filter can be pushed through.
fn origin<'p>(expr: &'p Expr, plan: &'p LogicalPlan) -> Option<Origin<'p>> {
    match expr {
        Expr::Alias(alias) => origin(&alias.expr, plan),
        Expr::Column(column) => output_origin(plan, plan.schema().maybe_index_of_column(column)?),
        computed => Some(Origin::Computed(computed, plan)),
    }
}

fn output_origin(plan: &LogicalPlan, index: usize) -> Option<Origin<'_>> {
    match plan {
        LogicalPlan::TableScan(scan) => is_array(scan).then_some(Origin::Array),
        LogicalPlan::Projection(node) => origin(node.expr.get(index)?, &node.input),
        LogicalPlan::SubqueryAlias(node) => output_origin(&node.input, index),
        LogicalPlan::Filter(node) => output_origin(&node.input, index),
        LogicalPlan::Join(join) => {
            let left = match join.join_type {
                JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => 0,
                _ => join.left.schema().fields().len(),
            };
            match (join.join_type, index.checked_sub(left)) {
                (
                    JoinType::Inner | JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark,
                    None,
                ) => output_origin(&join.left, index),
                (
                    JoinType::Inner | JoinType::Right | JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark,
                    Some(index),
                ) if index < join.right.schema().fields().len() => output_origin(&join.right, index),
                _ => None,
            }
        }
        _ => None,
    }
}

fn is_array(scan: &TableScan) -> bool {
    source_as_provider(&scan.source).is_ok_and(|provider| {
        let provider = provider.as_ref() as &dyn Any;
        provider.is::<UniqueTable>()
            || provider.is::<PiecesTable>()
            || provider.is::<TileDbTable>()
            || provider.is::<CellsTable>()
    })
}
