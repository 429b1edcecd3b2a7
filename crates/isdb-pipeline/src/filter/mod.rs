//! Filters and derived columns of an ingest.

pub(crate) mod expressions;
pub(crate) mod granule_filter;
pub(crate) mod minimum_rows;
pub(crate) mod quality;
pub(crate) mod selection;
