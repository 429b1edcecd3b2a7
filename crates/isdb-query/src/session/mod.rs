//! The DataFusion session: dialect, functions, files of the user, memory.

pub(crate) mod context;
pub(crate) mod dialect;
pub(crate) mod files;
pub(crate) mod memory;
mod sort_columns;
