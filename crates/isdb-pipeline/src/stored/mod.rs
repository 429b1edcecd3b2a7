//! Segments that the database already stores: which a granule leaves out, and which are written again.

pub(crate) mod carry;
pub(crate) mod merged;
pub(crate) mod segment_keys;
mod stored_rows;
