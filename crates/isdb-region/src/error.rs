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
    /// GeoJSON whose coordinates are in another system than degrees of longitude and latitude.
    #[error("expected longitude and latitude on WGS 84 (EPSG:4326), found coordinates of {crs}")]
    Crs {
        /// The system that its member `crs` names.
        crs: String,
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

impl RegionError {
    /// What to do about it, where that is the same for every file.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            RegionError::Crs { .. } => Some("`ogr2ogr -t_srs EPSG:4326 degrees.geojson FILE` converts it"),
            RegionError::Shape { problem, .. } if problem.contains(PROJECTED) => {
                Some("`ogr2ogr -t_srs EPSG:4326 degrees.geojson FILE` converts a file whose system GDAL knows")
            }
            _ => None,
        }
    }
}

/// What is said of numbers far beyond any degree.
pub(crate) const PROJECTED: &str = "these look like coordinates of a projection";
