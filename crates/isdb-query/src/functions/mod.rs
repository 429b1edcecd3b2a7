//! SQL functions of isdb.

pub(crate) mod chunk;
pub(crate) mod in_region;
