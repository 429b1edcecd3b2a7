//! Views that statements create. They last for the session, and their statements have no rows to write.

use std::sync::{Mutex, PoisonError};

use datafusion::logical_expr::{DdlStatement, LogicalPlan};
use isdb_query::is_view_statement;

/// The statements that created and dropped views, in their order.
#[derive(Debug, Default)]
pub(super) struct SessionViews(Mutex<Vec<String>>);

impl SessionViews {
    /// Remembers a statement that was run.
    pub(super) fn remember(&self, sql: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(sql);
    }

    /// Returns the statements that create the same views again.
    pub(super) fn statements(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Describes a plan that created or dropped a view; None for any other plan.
pub(super) fn describe_view_change(plan: &LogicalPlan) -> Option<String> {
    match plan {
        LogicalPlan::Ddl(DdlStatement::CreateView(view)) => {
            Some(format!("created view {}, for this session", view.name))
        }
        LogicalPlan::Ddl(DdlStatement::DropView(view)) => Some(format!("dropped view {}", view.name)),
        _ => None,
    }
}

/// Whether the statement `sql` has rows to write.
pub(crate) fn has_rows(sql: &str) -> bool {
    !is_view_statement(sql)
}
