//! Regions as text: what people type, and the one form that a region is written in.

use crate::error::RegionError;
use crate::geojson;
use crate::part::Part;
use crate::region::Region;
use crate::ring::Ring;

/// So much of a text is quoted in an error.
const QUOTED: usize = 40;

/// The region of `W,S,E,N` or GeoJSON.
pub(crate) fn parse(text: &str) -> Result<Region, RegionError> {
    let text = text.trim();
    if text.starts_with('{') {
        return Ok(Region::of(geojson::parts(text)?));
    }
    let numbers: Option<Vec<f64>> = text.split(',').map(|number| number.trim().parse().ok()).collect();
    match numbers.as_deref() {
        Some(&[west, south, east, north]) => Region::bbox(west, south, east, north),
        _ => Err(RegionError::Text { text: text.chars().take(QUOTED).collect() }),
    }
}

/// The text of a region of `parts`.
pub(crate) fn write(parts: &[Part]) -> String {
    match parts {
        [Part::Box(bounds)] => format!("{},{},{},{}", bounds.west, bounds.south, bounds.east, bounds.north),
        _ => geojson(parts),
    }
}

/// The same, a plain box as a polygon, too.
pub(crate) fn geojson(parts: &[Part]) -> String {
    match parts {
        [only] => format!("{{\"type\":\"Polygon\",\"coordinates\":{}}}", coordinates(only)),
        several => {
            let polygons: Vec<String> = several.iter().map(coordinates).collect();
            format!("{{\"type\":\"MultiPolygon\",\"coordinates\":[{}]}}", polygons.join(","))
        }
    }
}

fn coordinates(part: &Part) -> String {
    let ring = |ring: &Ring| {
        let closed = ring.points().iter().chain(ring.points().first());
        let points: Vec<String> = closed.map(|[longitude, latitude]| format!("[{longitude},{latitude}]")).collect();
        format!("[{}]", points.join(","))
    };
    let rings: Vec<String> = match part {
        Part::Box(bounds) => vec![ring(&Ring::around(bounds))],
        Part::Polygon(rings) => rings.iter().map(ring).collect(),
    };
    format!("[{}]", rings.join(","))
}
