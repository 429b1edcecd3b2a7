//! Operations on an existing database that ingest nothing: `add_variables`, `remove`, `consolidate` (with its rule in
//! `grouping`), `vacuum` and `repair`.

pub(crate) mod add_variables;
pub(crate) mod consolidate;
mod grouping;
pub(crate) mod remove;
pub(crate) mod repair;
pub(crate) mod vacuum;
