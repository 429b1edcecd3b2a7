//! Operations on an existing database that ingest nothing: `add_variables`, `remove`, `consolidate` (with its rule in
//! `grouping`), `vacuum`, `repair` and `copy`.

pub(crate) mod add_variables;
pub(crate) mod consolidate;
pub(crate) mod copy;
mod grouping;
pub(crate) mod remove;
pub(crate) mod repair;
pub(crate) mod vacuum;
