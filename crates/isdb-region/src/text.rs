//! Regions as text: `W,S,E,N` or GeoJSON, read and written.

use crate::error::RegionError;
use crate::geojson;
use crate::part::RegionPart;
use crate::region::Region;
use crate::ring::Ring;

/// The maximum number of characters of a text that an error quotes.
const QUOTED: usize = 40;

impl Region {
    /// The region that a user wrote: `W,S,E,N` in degrees, or GeoJSON.
    ///
    /// # Errors
    /// As for [`from_bbox`](Region::from_bbox) and [`from_geojson`](Region::from_geojson); [`RegionError::Text`] for
    /// text that is neither.
    pub fn parse(text: &str) -> Result<Region, RegionError> {
        let text = text.trim();
        if text.starts_with('{') {
            return Ok(Region::from_parts(geojson::parts(text)?));
        }
        let numbers: Option<Vec<f64>> = text.split(',').map(|number| number.trim().parse().ok()).collect();
        match numbers.as_deref() {
            Some(&[west, south, east, north]) => Region::from_bbox(west, south, east, north),
            _ => Err(RegionError::Text { text: text.chars().take(QUOTED).collect() }),
        }
    }

    /// The region as text that [`parse`](Region::parse) reads back as the same region: `W,S,E,N` for a single box, otherwise
    /// GeoJSON on one line.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self.as_box() {
            Some(bounds) => format!("{},{},{},{}", bounds.west, bounds.south, bounds.east, bounds.north),
            None => geojson_text(&self.parts),
        }
    }

    /// The region as one GeoJSON geometry, boxes as polygons.
    #[must_use]
    pub fn to_geojson(&self) -> serde_json::Value {
        // The text written here is always JSON.
        serde_json::from_str(&geojson_text(&self.parts)).unwrap_or_default()
    }
}

/// The GeoJSON geometry of `parts`.
fn geojson_text(parts: &[RegionPart]) -> String {
    match parts {
        [only] => format!("{{\"type\":\"Polygon\",\"coordinates\":{}}}", coordinates(only)),
        several => {
            let polygons: Vec<String> = several.iter().map(coordinates).collect();
            format!("{{\"type\":\"MultiPolygon\",\"coordinates\":[{}]}}", polygons.join(","))
        }
    }
}

fn coordinates(part: &RegionPart) -> String {
    let ring = |ring: &Ring| {
        let closed = ring.points().iter().chain(ring.points().first());
        let points: Vec<String> = closed.map(|[longitude, latitude]| format!("[{longitude},{latitude}]")).collect();
        format!("[{}]", points.join(","))
    };
    let rings: Vec<String> = match part {
        RegionPart::Box(bounds) => vec![ring(&Ring::around(bounds))],
        RegionPart::Polygon(rings) => rings.iter().map(ring).collect(),
    };
    format!("[{}]", rings.join(","))
}
