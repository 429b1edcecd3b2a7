//! Recognises the condition of a join on `near`.

use datafusion::common::DFSchema;
use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{Expr, Join, LogicalPlan};

use super::shape::Shape;
use crate::functions::near;
use crate::stored_position::{has_subquery, is_stored};

/// The condition of a join, with the role of each side: the indexed one is read first, and searched for each row of the other.
pub(super) struct NearCall {
    /// Latitude and longitude of the rows that are read in the ranges of the circles.
    pub(super) probe: [Expr; 2],
    /// Latitude and longitude of the centres.
    pub(super) indexed: [Expr; 2],
    /// Radius of the circles: a constant, or an expression over the indexed side.
    pub(super) metres: Expr,
    /// The rest of the condition, over both sides.
    pub(super) others: Option<Expr>,
    /// Which side is indexed, and the rows that the join returns.
    pub(super) shape: Shape,
}

impl NearCall {
    /// Recognises a join without equalities whose condition contains a call of `near` with one position of each side.
    pub(super) fn find(join: &Join) -> Option<NearCall> {
        if !join.on.is_empty() || join.null_aware {
            return None;
        }
        let filter = join.filter.as_ref()?;
        // DataFusion plans the subqueries of its own nodes only.
        if has_subquery(filter) {
            return None;
        }
        let conditions = split_conjunction(filter);
        let (number, (left, right, metres)) =
            conditions.iter().enumerate().find_map(|(number, condition)| Some((number, sides(condition, join)?)))?;
        let others = conditions.iter().enumerate().filter(|(other, _)| *other != number);
        let others = conjunction(others.map(|(_, condition)| (*condition).clone()));
        let is_right = indexes_right(join, &left, &right, &metres)?;
        let shape = Shape::new(join.join_type, is_right)?;
        let (probe, indexed) = if is_right { (left, right) } else { (right, left) };
        Some(NearCall { probe, indexed, metres, others, shape })
    }
}

/// Returns the positions of the left and the right side and the distance of a call of `near` with one of each.
fn sides(condition: &Expr, join: &Join) -> Option<([Expr; 2], [Expr; 2], Expr)> {
    let Expr::ScalarFunction(call) = condition else { return None };
    let [lat1, lon1, lat2, lon2, metres] = call.args.as_slice() else { return None };
    if call.func.name() != near::NAME || condition.is_volatile() {
        return None;
    }
    let (one, other) = ([lat1.clone(), lon1.clone()], [lat2.clone(), lon2.clone()]);
    let are_of = |position: &[Expr; 2], plan: &LogicalPlan| position.iter().all(|expr| is_of(expr, plan.schema()));
    if are_of(&one, &join.left) && are_of(&other, &join.right) {
        Some((one, other, metres.clone()))
    } else if are_of(&other, &join.left) && are_of(&one, &join.right) {
        Some((other, one, metres.clone()))
    } else {
        None
    }
}

/// Whether `expr` has columns, all of them in `schema`.
fn is_of(expr: &Expr, schema: &DFSchema) -> bool {
    let columns = expr.column_refs();
    !columns.is_empty() && columns.into_iter().all(|column| schema.has_column(column))
}

/// Whether the right side is indexed: the one with the distances, and not one that is an array. None if the distances are on the side of
/// an array, or on both.
fn indexes_right(join: &Join, left: &[Expr; 2], right: &[Expr; 2], metres: &Expr) -> Option<bool> {
    let is_array = |position: &[Expr; 2], plan| position.iter().all(|expr| is_stored(expr, plan));
    let (left_is_array, right_is_array) = (is_array(left, &join.left), is_array(right, &join.right));
    if metres.column_refs().is_empty() {
        return Some(left_is_array || !right_is_array);
    }
    if is_of(metres, join.right.schema()) {
        (left_is_array || !right_is_array).then_some(true)
    } else if is_of(metres, join.left.schema()) {
        (right_is_array || !left_is_array).then_some(false)
    } else {
        None
    }
}
