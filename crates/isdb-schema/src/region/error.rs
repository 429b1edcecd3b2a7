//! What can be wrong with a region that somebody wrote.

/// A text that is no region.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegionError {
    /// Neither four numbers nor GeoJSON.
    #[error("{text:?} is no region: W,S,E,N in degrees or GeoJSON is one")]
    Text {
        /// The beginning of what was given.
        text: String,
    },
    /// JSON that is no GeoJSON, or no JSON.
    #[error("not GeoJSON: {problem}")]
    Json {
        /// What is wrong.
        problem: String,
    },
    /// A geometry that is no area.
    #[error("{place}: {problem}")]
    Shape {
        /// The feature, polygon and ring, counted from 1.
        place: String,
        /// What is wrong, and what may have been meant.
        problem: String,
    },
}
