//! Creates the DataFusion session: SQL dialect, functions, the user's files as tables, limits of memory.

pub(crate) mod context;
mod dialect;
pub(crate) mod files;
pub(crate) mod memory;
mod sort_columns;
