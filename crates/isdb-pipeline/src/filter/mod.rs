//! Filters and derived columns of an ingest.

pub(crate) mod least;
pub(crate) mod quality;
pub(crate) mod selection;
mod sieve;
