//! Views that statements make: they live as long as the session, and have no rows of their own to write.

use std::sync::{Mutex, PoisonError};

use datafusion::logical_expr::{DdlStatement, LogicalPlan};
use isdb_query::is_view_statement;

/// The statements that made and dropped views, in their order.
#[derive(Debug, Default)]
pub(super) struct Views(Mutex<Vec<String>>);

impl Views {
    /// Remembers a statement that has been run.
    pub(super) fn made(&self, sql: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(sql);
    }

    /// The statements that make the same views again.
    pub(super) fn statements(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What to say of a plan that made or dropped a view; None for any other.
pub(super) fn done(plan: &LogicalPlan) -> Option<String> {
    match plan {
        LogicalPlan::Ddl(DdlStatement::CreateView(view)) => Some(format!("view {} lives for this session", view.name)),
        LogicalPlan::Ddl(DdlStatement::DropView(view)) => Some(format!("view {} is dropped", view.name)),
        _ => None,
    }
}

/// Whether the statement `sql` has rows to write.
pub(crate) fn has_rows(sql: &str) -> bool {
    !is_view_statement(sql)
}
