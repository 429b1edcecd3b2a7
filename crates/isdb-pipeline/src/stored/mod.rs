//! Segments that the database has stored already: which of them a granule must not store again, and which are written again.

pub(crate) mod carry;
pub(crate) mod earlier_attempts;
pub(crate) mod segment_key;
pub(crate) mod segment_set;
pub(crate) mod stored_segments;
