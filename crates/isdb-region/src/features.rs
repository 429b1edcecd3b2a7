//! The features of a GeoJSON file, each with its properties.

use geojson::{Feature, GeoJson, Geometry, JsonObject};

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

    /// Returns the geometry; None if there is none.
    #[must_use]
    pub fn geometry(&self) -> Option<geo::Geometry<f64>> {
        self.geometry.as_ref().and_then(|geometry| geo::Geometry::try_from(geometry).ok())
    }

    /// The feature's name in errors: `feature 3`.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
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
    fn features_have_their_properties_area_and_geometry() {
        let features = GeoFeature::read_all(FILE.as_bytes()).unwrap();
        assert_eq!(features.len(), 3);
        assert_eq!(features[0].properties["ha"], 2.5);
        assert!(features[0].region().unwrap().contains(0.5, 1.0));
        assert_eq!(features[1].geometry(), Some(geo::Point::new(25.5, 61.0).into()));
        assert_eq!(features[2].geometry(), None);
        let error = features[1].region().unwrap_err().to_string();
        assert_eq!(error, "feature 2: expected a Polygon or MultiPolygon, found a Point");
        assert_eq!(features[2].region().unwrap_err().to_string(), "feature 3: it has no geometry");
    }

    #[test]
    fn a_file_of_one_geometry_has_one_feature_and_other_files_are_refused() {
        let features = GeoFeature::read_all(br#"{"type":"MultiPoint","coordinates":[[1,2],[3,4]]}"#).unwrap();
        assert_eq!(features[0].geometry(), Some(geo::MultiPoint::from(vec![(1.0, 2.0), (3.0, 4.0)]).into()));
        let error = GeoFeature::read_all(b"SQLite format 3\0...").unwrap_err().to_string();
        assert!(error.contains("found a GeoPackage"), "{error}");
        let projected =
            br#"{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"EPSG:3067"}},"features":[]}"#;
        assert!(matches!(GeoFeature::read_all(projected), Err(RegionError::Crs { .. })));
    }
}
