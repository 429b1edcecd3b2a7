//! The tables and views of one snapshot of a database: `register` adds `database_tables` to a session; `ledger_table` reads the
//! ledger; `quality_filters` and `restriction` apply the options of the views; `expiry` explains reads that fail after a vacuum.

pub(crate) mod database_schema;
pub(crate) mod database_tables;
mod expiring_files;
pub(crate) mod expiry;
pub(crate) mod ledger_table;
pub(crate) mod options;
pub(crate) mod quality_filters;
pub(crate) mod register;
pub(crate) mod releases;
pub(crate) mod restriction;
mod stored_columns;
