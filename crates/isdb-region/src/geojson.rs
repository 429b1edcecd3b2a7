//! Reads the polygons of a GeoJSON text as parts of a region.

use geojson::{Feature, GeoJson, Geometry, GeometryValue, PolygonType, Position};

use crate::crs;
use crate::error::RegionError;
use crate::part::RegionPart;
use crate::ring::Ring;

/// The parts of every polygon in `text`.
pub(crate) fn parts(text: &str) -> Result<Vec<RegionPart>, RegionError> {
    let mut parts = Vec::new();
    match parse(text)? {
        GeoJson::Geometry(geometry) => collect(&geometry, "the geometry", &mut parts)?,
        GeoJson::Feature(feature) => collect_feature(&feature, "the feature", &mut parts)?,
        GeoJson::FeatureCollection(collection) => {
            for (index, feature) in collection.features.iter().enumerate() {
                collect_feature(feature, &format!("feature {}", index + 1), &mut parts)?;
            }
        }
    }
    if parts.is_empty() {
        return Err(RegionError::Json { problem: "it has no polygon".to_owned() });
    }
    Ok(parts)
}

/// The parts of the polygons of one geometry, which an error calls `place`.
pub(crate) fn geometry_parts(geometry: &Geometry, place: &str) -> Result<Vec<RegionPart>, RegionError> {
    let mut parts = Vec::new();
    collect(geometry, place, &mut parts)?;
    Ok(parts)
}

/// Parses a text, and checks that its coordinates are degrees.
pub(crate) fn parse(text: &str) -> Result<GeoJson, RegionError> {
    let parsed: GeoJson =
        text.parse().map_err(|error: geojson::Error| RegionError::Json { problem: first_line(&error) })?;
    crs::check(&parsed)?;
    Ok(parsed)
}

/// The first line of the library's message, without its prefix.
fn first_line(error: &geojson::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.trim_start_matches("Error while deserializing GeoJSON: ").to_owned()
}

fn collect_feature(feature: &Feature, place: &str, parts: &mut Vec<RegionPart>) -> Result<(), RegionError> {
    match &feature.geometry {
        Some(geometry) => collect(geometry, place, parts),
        None => Err(invalid(place, "it has no geometry")),
    }
}

fn collect(geometry: &Geometry, place: &str, parts: &mut Vec<RegionPart>) -> Result<(), RegionError> {
    match &geometry.value {
        GeometryValue::Polygon { coordinates } => parts.push(polygon(coordinates, place)?),
        GeometryValue::MultiPolygon { coordinates } => {
            for (index, rings) in coordinates.iter().enumerate() {
                parts.push(polygon(rings, &format!("{place}, polygon {}", index + 1))?);
            }
        }
        GeometryValue::GeometryCollection { geometries } => {
            for (index, geometry) in geometries.iter().enumerate() {
                collect(geometry, &format!("{place}, geometry {}", index + 1), parts)?;
            }
        }
        other => {
            let problem = format!("expected a Polygon or MultiPolygon, found a {}", other.type_name());
            return Err(invalid(place, &problem));
        }
    }
    Ok(())
}

fn polygon(rings: &PolygonType, place: &str) -> Result<RegionPart, RegionError> {
    if rings.is_empty() {
        return Err(invalid(place, "it has no ring"));
    }
    let ring = |(index, points): (usize, &Vec<Position>)| {
        let place = if index == 0 { place.to_owned() } else { format!("{place}, hole {index}") };
        let points: Option<Vec<[f64; 2]>> =
            points.iter().map(|point| point.as_slice().first_chunk().copied()).collect();
        let points = points.ok_or_else(|| invalid(&place, "a position has fewer than two numbers"))?;
        Ring::new(&points).map_err(|problem| invalid(&place, &problem))
    };
    let rings: Vec<Ring> = rings.iter().enumerate().map(ring).collect::<Result<_, _>>()?;
    Ok(match rings.as_slice() {
        [only] => only.as_box().map_or_else(|| RegionPart::Polygon(vec![only.clone()]), RegionPart::Box),
        _ => RegionPart::Polygon(rings),
    })
}

fn invalid(place: &str, problem: &str) -> RegionError {
    RegionError::Geometry { place: place.to_owned(), problem: problem.to_owned() }
}
