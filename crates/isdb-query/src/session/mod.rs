//! Creates the DataFusion session: SQL dialect, functions, the user's files as tables, memory limits.

pub(crate) mod context;
pub(crate) mod default_schema;
mod dialect;
pub(crate) mod files;
pub(crate) mod memory;
mod planner;
mod sort_columns;
mod used_columns;
