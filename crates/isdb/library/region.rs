//! Regions as users write them.

use std::path::Path;

use isdb_region::{Region, RegionError};

use crate::library::error::{Error, Result};

/// Reads a region: `west,south,east,north` in degrees, GeoJSON, or the path of a GeoJSON file.
///
/// # Errors
/// [`Error::Region`] for an invalid region, [`Error::RegionFile`] when the file cannot be read.
pub fn read_region(text: &str) -> Result<Region> {
    match Region::parse(text) {
        Err(RegionError::Text { .. }) if !is_numbers(text) => match std::fs::read(Path::new(text)) {
            Ok(bytes) => {
                Region::from_geojson_bytes(&bytes).map_err(|source| Error::Region { path: Some(text.into()), source })
            }
            Err(source) => Err(Error::RegionFile { path: text.into(), source }),
        },
        parsed => parsed.map_err(|source| Error::Region { path: None, source }),
    }
}

/// Whether `text` consists of numbers separated by commas, however many.
fn is_numbers(text: &str) -> bool {
    text.split(',').all(|number| number.trim().parse::<f64>().is_ok())
}
