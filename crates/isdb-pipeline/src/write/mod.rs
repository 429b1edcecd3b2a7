//! Writes collected rows as fragments and commits them.

pub(crate) mod commit;
pub(crate) mod exec;
mod ledger_rows;
mod partition_writer;
pub(crate) mod target;
