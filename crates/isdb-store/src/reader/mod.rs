//! Snapshots for readers: what is visible, and the segments of chosen attempts.

mod attempt_segments;
mod fragment_index;
pub(crate) mod open_segments;
pub(crate) mod snapshot;
pub(crate) mod visibility;

pub use attempt_segments::AttemptSegments;
pub use open_segments::OpenSegments;
