//! What a statement most likely does not mean. Such statements run without an error and give a wrong answer: a comparison that
//! can never hold, an element that no list has, a day that ends at its first moment. What cannot be meant is an error with the
//! right form; what can be meant is a [`Warning`].
//!
//! Looked at is the plan as it was written, before it is optimized, with every column followed through views, subqueries and
//! aliases to the column that is stored: a user's own table may call anything `beam`.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema};
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::prelude::SessionContext;

use crate::error::{Error, Result};

mod absent;
mod codes;
mod comparison;
mod constant;
mod days;
mod empty;
mod fills;
mod functions;
mod lists;
mod never;
mod origin;
mod singles;
mod texts;

pub(crate) use origin::Origin;

/// Something in a statement that gives an answer, if perhaps not to the question that was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What the statement does.
    pub text: String,
    /// What to write where something else is meant.
    pub hint: String,
}

/// What is odd in `plan`, a statement as [`SessionState::create_logical_plan`] gives it, over the database that `context` shows.
/// Each warning comes once, in the order of the statement. Reads nothing but the ledger, and that only where the statement
/// compares a column of it with a constant.
///
/// [`SessionState::create_logical_plan`]: datafusion::execution::SessionState::create_logical_plan
///
/// # Errors
/// [`Error::Statement`] for what cannot be meant, an error of the ledger's scan when it cannot be read.
pub async fn warnings(context: &SessionContext, plan: &LogicalPlan) -> Result<Vec<Warning>> {
    let mut found = Vec::new();
    let mut sought = Vec::new();
    plan.apply_with_subqueries(|node| {
        let inputs = node.inputs();
        let view = View {
            origin: &|column| inputs.iter().find_map(|input| origin::of(input, column)),
            schema: &|| merge_schema(&inputs),
        };
        node.apply_expressions(|expr| {
            look(expr, &view, &mut found)?;
            Ok(TreeNodeRecursion::Continue)
        })?;
        sought.extend(absent::sought(node, &view));
        Ok(TreeNodeRecursion::Continue)
    })
    .map_err(Error::unwrapped)?;
    found.extend(absent::warnings(context, &sought).await?);
    let mut once: Vec<Warning> = Vec::with_capacity(found.len());
    for warning in found {
        if !once.contains(&warning) {
            once.push(warning);
        }
    }
    Ok(once)
}

/// What is odd about one part of an expression, without the parts within it, over the columns of `schema`, whose origins
/// `origin` knows.
///
/// # Errors
/// [`Error::Statement`] for what cannot be meant.
pub(crate) fn of_part(
    part: &Expr,
    schema: &DFSchema,
    origin: &dyn Fn(&Column) -> Option<Origin>,
) -> Result<Vec<Warning>> {
    let mut found = Vec::new();
    look_at(part, &View { origin, schema: &|| schema.clone() }, &mut found).map_err(Error::unwrapped)?;
    Ok(found)
}

/// What is known of the columns that an expression looks at.
struct View<'a> {
    /// Where a column is stored.
    origin: &'a dyn Fn(&Column) -> Option<Origin>,
    /// The columns and their types; costs something to put together.
    schema: &'a dyn Fn() -> DFSchema,
}

/// Looks at every part of `expr`.
fn look(expr: &Expr, view: &View<'_>, found: &mut Vec<Warning>) -> datafusion::common::Result<()> {
    expr.apply(|part| look_at(part, view, found).map(|()| TreeNodeRecursion::Continue))?;
    Ok(())
}

fn look_at(part: &Expr, view: &View<'_>, found: &mut Vec<Warning>) -> datafusion::common::Result<()> {
    never::check(part)?;
    lists::check(part, view)?;
    codes::check_pattern(part, view)?;
    found.extend(functions::check(part, view)?);
    found.extend(empty::check(part));
    for comparison in comparison::comparisons(part) {
        codes::check(&comparison, view)?;
        found.extend(days::check(&comparison, view));
        found.extend(fills::check(&comparison, view).or_else(|| singles::check(&comparison, view)));
        found.extend(texts::check(&comparison, view));
    }
    Ok(())
}

/// The error of a statement that cannot be meant.
fn refuse(problem: String, hint: String) -> datafusion::error::DataFusionError {
    Error::Statement { problem, hint }.into()
}
