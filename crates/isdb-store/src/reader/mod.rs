//! Snapshots for readers: what is visible, the segments of chosen attempts, and how long a state can be read.

mod attempt_segments;
pub(crate) mod open_segments;
mod retention;
pub(crate) mod snapshot;
mod states;
pub(crate) mod visibility;

pub use attempt_segments::AttemptSegments;
pub use open_segments::OpenSegments;
pub(crate) use open_segments::live_fragment;
pub use retention::{Retention, TagCosts};
