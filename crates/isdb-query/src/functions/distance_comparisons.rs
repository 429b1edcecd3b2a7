//! An optimizer rule: `distance_m(latitude, longitude, 61, 25.5) <= 1000` is read like `near`, in the box of the circle.

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};
use isdb_region::Circle;

use super::distance_m::DistanceCall;
use super::near::circle_predicate;
use super::positions::literal_number;

/// The optimizer rule. It finds comparisons in filters, also in those that a table has accepted.
#[derive(Debug, Default)]
pub(crate) struct DistanceComparisons;

impl OptimizerRule for DistanceComparisons {
    fn name(&self) -> &'static str {
        "distance_comparisons"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, _config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        match plan {
            LogicalPlan::Filter(mut filter) => Ok(match with_boxes(&filter.predicate) {
                Some(predicate) => {
                    filter.predicate = predicate;
                    Transformed::yes(LogicalPlan::Filter(filter))
                }
                None => Transformed::no(LogicalPlan::Filter(filter)),
            }),
            LogicalPlan::TableScan(mut scan) => {
                let changed: Vec<_> = scan.filters.iter().map(with_boxes).collect();
                if changed.iter().all(Option::is_none) {
                    return Ok(Transformed::no(LogicalPlan::TableScan(scan)));
                }
                for (filter, changed) in scan.filters.iter_mut().zip(changed) {
                    if let Some(changed) = changed {
                        *filter = changed;
                    }
                }
                Ok(Transformed::yes(LogicalPlan::TableScan(scan)))
            }
            plan => Ok(Transformed::no(plan)),
        }
    }
}

/// Returns `predicate` with the comparisons in it replaced; None if there is none. A comparison with a position outside the globe is
/// NULL, and FALSE afterwards, which is the same to a filter except below NOT.
fn with_boxes(predicate: &Expr) -> Option<Expr> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = predicate else { return None };
    match op {
        Operator::And | Operator::Or => {
            let (new_left, new_right) = (with_boxes(left), with_boxes(right));
            if new_left.is_none() && new_right.is_none() {
                return None;
            }
            let [left, right] = [(new_left, left), (new_right, right)]
                .map(|(new, old)| Box::new(new.unwrap_or_else(|| (**old).clone())));
            Some(Expr::BinaryExpr(BinaryExpr { left, op: *op, right }))
        }
        Operator::Lt | Operator::LtEq => within(left, right, *op == Operator::Lt),
        Operator::Gt | Operator::GtEq => within(right, left, *op == Operator::Gt),
        _ => None,
    }
}

/// Returns the predicate that `distance` is at most `limit`, or less than it.
fn within(distance: &Expr, limit: &Expr, is_less: bool) -> Option<Expr> {
    let call = DistanceCall::find(distance)?;
    // To DataFusion NaN is above every number.
    let limit = literal_number(limit).filter(|limit| !limit.is_nan())?;
    if call.latitude.is_volatile() || call.longitude.is_volatile() {
        return None;
    }
    let circle = Circle::new(call.centre, if is_less { limit.next_down() } else { limit });
    Some(circle_predicate(&circle, call.latitude, call.longitude))
}
