//! Reports statements whose answer is probably not the intended one. Such a statement runs without an error: a comparison that is
//! never true, a list element that no list has, a day that ends at its first moment. A form that is certainly wrong is an error
//! with the correct form; a form that may be intended gives a [`Warning`].
//!
//! [`warnings`] checks the plan before it is optimized. `column_origin` follows each column through views, subqueries and
//! aliases to the stored one, so that a column `beam` of a user's own table may contain anything. `comparison` and `constant`
//! recognise comparisons with constants; each of the other modules makes one check.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema};
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::prelude::SessionContext;

use crate::error::{Error, Result};
use column_origin::{ColumnOrigin, column_origin};
use columns::Columns;
use warning::Warning;

mod codes;
pub(crate) mod column_origin;
mod columns;
mod comparison;
mod constant;
mod days;
mod empty_ranges;
mod fill_values;
mod functions;
mod granule_conditions;
mod list_elements;
mod null_comparisons;
mod padded_numbers;
mod single_precision;
pub(crate) mod warning;

/// Returns the warnings about `plan`, a statement from [`SessionState::create_logical_plan`], over the database that is registered
/// in `context`: each once, in the order of the statement. Reads only the ledger, and only if the statement compares a ledger
/// column with a constant.
///
/// [`SessionState::create_logical_plan`]: datafusion::execution::SessionState::create_logical_plan
///
/// # Errors
/// [`Error::Statement`] for a form that is certainly wrong, and errors of reading the ledger.
pub async fn warnings(context: &SessionContext, plan: &LogicalPlan) -> Result<Vec<Warning>> {
    let mut found = Vec::new();
    let mut conditions = Vec::new();
    plan.apply_with_subqueries(|node| {
        let inputs = node.inputs();
        let columns = Columns {
            origin: &|column| inputs.iter().find_map(|input| column_origin(input, column)),
            schema: &|| merge_schema(&inputs),
        };
        node.apply_expressions(|expr| {
            expr.apply(|part| check_node(part, &columns, &mut found).map(|()| TreeNodeRecursion::Continue))?;
            Ok(TreeNodeRecursion::Continue)
        })?;
        conditions.extend(granule_conditions::granule_conditions(node, &columns));
        Ok(TreeNodeRecursion::Continue)
    })
    .map_err(Error::from_planning)?;
    found.extend(granule_conditions::check(context, &conditions).await?);
    let mut distinct: Vec<Warning> = Vec::with_capacity(found.len());
    for warning in found {
        if !distinct.contains(&warning) {
            distinct.push(warning);
        }
    }
    Ok(distinct)
}

/// Returns the warnings about one node of an expression, without its children. `schema` has its columns, and `origin` finds the
/// stored column behind each.
///
/// # Errors
/// [`Error::Statement`] for a form that is certainly wrong.
pub(crate) fn node_warnings(
    node: &Expr,
    schema: &DFSchema,
    origin: &dyn Fn(&Column) -> Option<ColumnOrigin>,
) -> Result<Vec<Warning>> {
    let mut found = Vec::new();
    check_node(node, &Columns { origin, schema: &|| schema.clone() }, &mut found).map_err(Error::from_planning)?;
    Ok(found)
}

fn check_node(node: &Expr, columns: &Columns<'_>, found: &mut Vec<Warning>) -> datafusion::common::Result<()> {
    null_comparisons::check(node)?;
    list_elements::check(node, columns)?;
    codes::check_pattern(node, columns)?;
    found.extend(functions::check(node, columns)?);
    found.extend(empty_ranges::check(node));
    for comparison in comparison::comparisons(node) {
        codes::check(&comparison, columns)?;
        found.extend(days::check(&comparison, columns));
        found
            .extend(fill_values::check(&comparison, columns).or_else(|| single_precision::check(&comparison, columns)));
        found.extend(padded_numbers::check(&comparison, columns));
    }
    Ok(())
}
