//! The ledger: one row per attempt at a granule, its Arrow form, and the attempts that are current.

pub(crate) mod batch;
mod current;
pub(crate) mod row;

pub use current::current_attempts;
