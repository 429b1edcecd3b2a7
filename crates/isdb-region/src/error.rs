//! Errors of reading a region.

/// A text or file that cannot be read as a region.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegionError {
    /// Neither four numbers nor GeoJSON.
    #[error("invalid region {text:?}: expected W,S,E,N in degrees or GeoJSON")]
    Text {
        /// The beginning of the text.
        text: String,
    },
    /// Not JSON, or JSON other than GeoJSON.
    #[error("not GeoJSON: {problem}")]
    Json {
        /// The reason.
        problem: String,
    },
    /// GeoJSON whose coordinates are in a system other than degrees of longitude and latitude.
    #[error("expected longitude and latitude on WGS 84 (EPSG:4326), found coordinates of {crs}")]
    Crs {
        /// The system that its member `crs` names.
        crs: String,
    },
    /// A geometry without area, or with coordinates outside the globe.
    #[error("{place}: {problem}")]
    Geometry {
        /// The feature, polygon and ring, counted from 1.
        place: String,
        /// The reason, with a likely correction.
        problem: String,
    },
}

impl RegionError {
    /// The advice on repairing the file, for errors where it does not depend on the file.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            RegionError::Crs { .. } => Some("`ogr2ogr -t_srs EPSG:4326 degrees.geojson FILE` converts it"),
            RegionError::Geometry { problem, .. } if problem.contains(PROJECTED) => {
                Some("`ogr2ogr -t_srs EPSG:4326 degrees.geojson FILE` converts a file whose system GDAL knows")
            }
            _ => None,
        }
    }
}

/// The remark on numbers far beyond any degree.
pub(crate) const PROJECTED: &str = "these look like projected coordinates";
