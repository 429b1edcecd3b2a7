//! Errors of reading a raster.

use std::io;
use std::path::PathBuf;

/// A file that cannot be read as a raster, or a band that it does not have.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RasterError {
    /// The file does not exist, or reading it failed.
    #[error("{}: it cannot be read: {source}", path.display())]
    Unreadable {
        /// Path of the file.
        path: PathBuf,
        /// The error of the file system.
        source: io::Error,
    },
    /// A file of another format.
    #[error("{}: expected a GeoTIFF, found another format", path.display())]
    NotTiff {
        /// Path of the file.
        path: PathBuf,
    },
    /// A TIFF whose structure or content is invalid.
    #[error("{}: the TIFF is damaged: {problem}", path.display())]
    Malformed {
        /// Path of the file.
        path: PathBuf,
        /// The reason.
        problem: String,
    },
    /// A valid TIFF that this crate does not decode.
    #[error("{}: {problem}", path.display())]
    Unsupported {
        /// Path of the file.
        path: PathBuf,
        /// What is expected and what was found.
        problem: String,
    },
    /// A TIFF without the tags that place it on the earth.
    #[error("{}: expected a GeoTIFF, found a TIFF without a place on the earth", path.display())]
    NoGeoreference {
        /// Path of the file.
        path: PathBuf,
    },
    /// A coordinate system to which positions cannot be converted.
    #[error("{}: positions cannot be converted to its coordinate system, {crs}: {problem}", path.display())]
    Crs {
        /// Path of the file.
        path: PathBuf,
        /// The system: `EPSG:26717`, or the name in the file.
        crs: String,
        /// The reason.
        problem: String,
    },
    /// A number of a band that the file does not have.
    #[error("{}: expected a band from 1 to {bands}, found {band}", path.display())]
    Band {
        /// Path of the file.
        path: PathBuf,
        /// The number.
        band: i64,
        /// The number of bands of the file.
        bands: u16,
    },
}

impl RasterError {
    /// Returns what the user can do about the error.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Unreadable { .. } => "a path is relative to the folder in which the program runs".to_owned(),
            Self::NotTiff { path } => {
                format!("`gdal_translate {} out.tif` converts rasters that GDAL knows", path.display())
            }
            Self::Malformed { path, .. } => {
                format!("`gdal_translate {} out.tif` shows whether GDAL can read it", path.display())
            }
            Self::Unsupported { path, .. } => format!(
                "`gdal_translate -co TILED=YES -co COMPRESS=DEFLATE -co BIGTIFF=IF_SAFER {} out.tif` writes it in a form that can be read",
                path.display()
            ),
            Self::NoGeoreference { path } => format!(
                "`gdal_translate -a_srs EPSG:4326 -a_ullr WEST NORTH EAST SOUTH {} out.tif` places it; ground control points need `gdalwarp`",
                path.display()
            ),
            Self::Crs { path, .. } => {
                format!("`gdalwarp -t_srs EPSG:4326 {} out.tif` converts the file", path.display())
            }
            Self::Band { .. } => "bands count from 1; `gdalinfo` lists them".to_owned(),
        }
    }
}
