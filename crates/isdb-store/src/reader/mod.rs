//! Readers: a snapshot of one committed state, the conditions that hide the rest, and the segments of chosen attempts.

mod attempt_segments;
pub(crate) mod snapshot;
pub(crate) mod visibility;

pub use attempt_segments::AttemptSegments;
