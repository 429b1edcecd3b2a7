//! Operations on an existing database that ingest nothing: `add_variables`, `remove`, `consolidate` (with its rule in
//! `grouping`) and `vacuum`.

pub(crate) mod add_variables;
pub(crate) mod consolidate;
mod grouping;
pub(crate) mod remove;
pub(crate) mod vacuum;
