//! Reads granules.

pub(crate) mod granule_source;
pub(crate) mod holdings;
pub(crate) mod remote;
