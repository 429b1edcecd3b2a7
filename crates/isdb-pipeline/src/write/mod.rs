//! Writes gathered rows as fragments and commits them.

pub(crate) mod commit;
pub(crate) mod exec;
mod fragment_writer;
mod ledger_rows;
pub(crate) mod target;
