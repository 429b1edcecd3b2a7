//! Registers the tables and views of one snapshot of a database.

pub(crate) mod expiry;
pub(crate) mod options;
pub(crate) mod quality_filters;
pub(crate) mod register;
pub(crate) mod releases;
mod restriction;
mod stored_columns;
