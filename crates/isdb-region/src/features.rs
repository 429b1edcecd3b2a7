//! The features of a GeoJSON file, each with its properties.

use geojson::{Feature, GeoJson, Geometry, GeometryValue, JsonObject, Position};

use crate::error::RegionError;
use crate::region::Region;
use crate::{file_format, geojson as reader};

/// One feature of a file.
#[derive(Clone, Debug)]
pub struct GeoFeature {
    /// The properties, as JSON values by name; empty if it has none.
    pub properties: serde_json::Map<String, serde_json::Value>,
    geometry: Option<Geometry>,
    /// Its name in errors: `feature 3`.
    place: String,
}

impl GeoFeature {
    /// Reads the features of a GeoJSON file's content. A file of one geometry has one feature without properties.
    ///
    /// # Errors
    /// As for [`Region::from_geojson_bytes`], except for geometries, which are read by [`region`](Self::region).
    pub fn read_all(bytes: &[u8]) -> Result<Vec<GeoFeature>, RegionError> {
        file_format::read_text(bytes, |text| {
            let feature = |(index, feature): (usize, Feature)| GeoFeature {
                properties: feature.properties.unwrap_or_default(),
                geometry: feature.geometry,
                place: format!("feature {}", index + 1),
            };
            Ok(match reader::parse(text)? {
                GeoJson::Geometry(geometry) => vec![GeoFeature {
                    properties: JsonObject::new(),
                    geometry: Some(geometry),
                    place: "the geometry".to_owned(),
                }],
                GeoJson::Feature(only) => vec![feature((0, only))],
                GeoJson::FeatureCollection(collection) => {
                    collection.features.into_iter().enumerate().map(feature).collect()
                }
            })
        })
    }

    /// Returns the area of the feature's polygons.
    ///
    /// # Errors
    /// [`RegionError::Geometry`] for a feature without a polygon, and for an invalid one.
    pub fn region(&self) -> Result<Region, RegionError> {
        let problem = |problem: &str| RegionError::Geometry { place: self.place.clone(), problem: problem.to_owned() };
        let geometry = self.geometry.as_ref().ok_or_else(|| problem("it has no geometry"))?;
        let parts = reader::geometry_parts(geometry, &self.place)?;
        if parts.is_empty() {
            return Err(problem("it has no polygon"));
        }
        Ok(Region::from_parts(parts))
    }

    /// Returns longitude and latitude, if the geometry is a point.
    #[must_use]
    pub fn point(&self) -> Option<[f64; 2]> {
        match &self.geometry.as_ref()?.value {
            GeometryValue::Point { coordinates } => coordinates.as_slice().first_chunk().copied(),
            _ => None,
        }
    }

    /// Returns the geometry as well-known text, such as `POINT(25.5 61)`.
    #[must_use]
    pub fn well_known_text(&self) -> Option<String> {
        Some(text(&self.geometry.as_ref()?.value))
    }

    /// The feature's name in errors: `feature 3`.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }
}

fn text(geometry: &GeometryValue) -> String {
    let list = |items: Vec<String>| format!("({})", items.join(","));
    let position = |position: &Position| {
        let numbers: Vec<String> = position.as_slice().iter().take(2).map(f64::to_string).collect();
        numbers.join(" ")
    };
    let line = |positions: &Vec<Position>| list(positions.iter().map(position).collect());
    let polygon = |rings: &Vec<Vec<Position>>| list(rings.iter().map(line).collect());
    let (name, body) = match geometry {
        GeometryValue::Point { coordinates } => ("POINT", list(vec![position(coordinates)])),
        GeometryValue::MultiPoint { coordinates } => ("MULTIPOINT", line(coordinates)),
        GeometryValue::LineString { coordinates } => ("LINESTRING", line(coordinates)),
        GeometryValue::MultiLineString { coordinates } => ("MULTILINESTRING", polygon(coordinates)),
        GeometryValue::Polygon { coordinates } => ("POLYGON", polygon(coordinates)),
        GeometryValue::MultiPolygon { coordinates } => {
            ("MULTIPOLYGON", list(coordinates.iter().map(polygon).collect()))
        }
        GeometryValue::GeometryCollection { geometries } => {
            ("GEOMETRYCOLLECTION", list(geometries.iter().map(|geometry| text(&geometry.value)).collect()))
        }
    };
    match body.as_str() {
        "()" => format!("{name} EMPTY"),
        body => format!("{name}{body}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{"type":"FeatureCollection","features":[
        {"type":"Feature","properties":{"name":"A","ha":2.5},"geometry":{"type":"Polygon","coordinates":[[[0,0],[2,0],[2,2],[0,0]]]}},
        {"type":"Feature","properties":null,"geometry":{"type":"Point","coordinates":[25.5,61,120]}},
        {"type":"Feature","properties":{"name":null},"geometry":null}]}"#;

    #[test]
    fn features_have_their_properties_area_and_text() {
        let features = GeoFeature::read_all(FILE.as_bytes()).unwrap();
        assert_eq!(features.len(), 3);
        assert_eq!(features[0].properties["ha"], 2.5);
        assert!(features[0].region().unwrap().contains(0.5, 1.0));
        assert_eq!(features[0].well_known_text().unwrap(), "POLYGON((0 0,2 0,2 2,0 0))");
        assert_eq!(features[1].point(), Some([25.5, 61.0]));
        assert_eq!(features[1].well_known_text().unwrap(), "POINT(25.5 61)");
        assert_eq!(features[2].well_known_text(), None);
        let error = features[1].region().unwrap_err().to_string();
        assert_eq!(error, "feature 2: expected a Polygon or MultiPolygon, found a Point");
        assert_eq!(features[2].region().unwrap_err().to_string(), "feature 3: it has no geometry");
    }

    #[test]
    fn a_file_of_one_geometry_has_one_feature_and_other_files_are_refused() {
        let features = GeoFeature::read_all(br#"{"type":"MultiPoint","coordinates":[[1,2],[3,4]]}"#).unwrap();
        assert_eq!(features[0].well_known_text().unwrap(), "MULTIPOINT(1 2,3 4)");
        let error = GeoFeature::read_all(b"SQLite format 3\0...").unwrap_err().to_string();
        assert!(error.contains("found a GeoPackage"), "{error}");
        let projected =
            br#"{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"EPSG:3067"}},"features":[]}"#;
        assert!(matches!(GeoFeature::read_all(projected), Err(RegionError::Crs { .. })));
    }
}
