//! The ledger: one row per attempt at a granule, in Parquet files that commits name; and which fragments hold an attempt's segments.

pub(crate) mod batch;
pub(crate) mod contents;
mod current;
pub(crate) mod file;
pub(crate) mod files;
pub(crate) mod row;
pub(crate) mod rows;

pub use current::current_attempts;
