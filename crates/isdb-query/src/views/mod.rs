//! Tables and views of one snapshot of a database.

mod columns;
pub(crate) mod expiry;
pub(crate) mod filtered;
mod nearby;
pub(crate) mod options;
pub(crate) mod register;
pub(crate) mod releases;
pub(crate) mod unique;
mod within;
