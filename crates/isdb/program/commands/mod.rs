//! The commands, one file each. A command calls the library and prints the result.

pub(crate) mod add_variable;
pub(crate) mod check;
pub(crate) mod config;
pub(crate) mod consolidate;
pub(crate) mod copy;
pub(crate) mod download;
pub(crate) mod filters;
pub(crate) mod grid;
pub(crate) mod info;
pub(crate) mod ingest;
pub(crate) mod login;
pub(crate) mod map;
pub(crate) mod query;
pub(crate) mod remove;
pub(crate) mod repair;
pub(crate) mod search;
pub(crate) mod tag;
pub(crate) mod vacuum;
pub(crate) mod variables;
