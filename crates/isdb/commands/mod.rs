//! One command a file.

pub(crate) mod info;
pub(crate) mod ingest;
pub(crate) mod query;
