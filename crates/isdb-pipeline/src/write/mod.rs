//! Writes gathered rows as fragments and commits them.

pub(crate) mod commit;
pub(crate) mod exec;
mod fragment;
