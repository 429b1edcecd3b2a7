//! A GeoJSON file as a table.

use std::collections::BTreeSet;

use arrow::array::{BooleanBuilder, Float64Builder, Int64Builder, RecordBatch, StringBuilder};
use isdb_region::GeoFeature;

use super::columns::{FeatureColumns, Property, Values};
use crate::error::{Error, Result};

/// The type of a property in all features.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Null,
    Boolean,
    Integer,
    Double,
    /// Text; other values as JSON.
    Text,
}

impl Kind {
    fn from_value(value: &serde_json::Value) -> Kind {
        match value {
            serde_json::Value::Null => Kind::Null,
            serde_json::Value::Bool(_) => Kind::Boolean,
            serde_json::Value::Number(number) if number.is_i64() => Kind::Integer,
            serde_json::Value::Number(_) => Kind::Double,
            _ => Kind::Text,
        }
    }

    fn with(self, other: Kind) -> Kind {
        match (self, other) {
            (Kind::Null, kind) | (kind, Kind::Null) => kind,
            (Kind::Integer, Kind::Double) | (Kind::Double, Kind::Integer) => Kind::Double,
            (one, other) if one == other => one,
            _ => Kind::Text,
        }
    }
}

/// Returns the features of the file `name` with this content.
///
/// # Errors
/// [`Error::UserFile`].
pub(super) fn batch(name: &str, bytes: &[u8]) -> Result<RecordBatch> {
    let features = GeoFeature::read_all(bytes).map_err(|error| Error::malformed(name, &error))?;
    let mut names: Vec<&String> = Vec::new();
    let mut known = BTreeSet::new();
    for name in features.iter().flat_map(|feature| feature.properties.keys()) {
        if known.insert(name) {
            names.push(name);
        }
    }
    let properties = names.into_iter().map(|name| (name.clone(), column(&features, name))).collect();
    let mut columns = FeatureColumns::new(properties);
    for feature in &features {
        columns.append_geometry(feature.geometry().as_ref());
    }
    columns.finish().map_err(|error| Error::malformed(name, &error))
}

/// Creates the column of one property.
fn column(features: &[GeoFeature], name: &str) -> Values {
    let values = || features.iter().map(|feature| feature.properties.get(name).filter(|value| !value.is_null()));
    let kind = values().flatten().map(Kind::from_value).fold(Kind::Null, Kind::with);
    let mut column = match kind {
        Kind::Boolean => Values::Boolean(BooleanBuilder::new()),
        Kind::Integer => Values::Integer(Int64Builder::new()),
        Kind::Double => Values::Double(Float64Builder::new()),
        Kind::Null | Kind::Text => Values::Text(StringBuilder::new()),
    };
    for value in values() {
        let json;
        column.append(match value {
            None => None,
            Some(serde_json::Value::Bool(value)) if kind == Kind::Boolean => Some(Property::Boolean(*value)),
            Some(serde_json::Value::String(text)) => Some(Property::Text(text)),
            Some(value) if kind == Kind::Integer => value.as_i64().map(Property::Integer),
            Some(value) if kind == Kind::Double => value.as_f64().map(Property::Double),
            Some(value) => {
                json = value.to_string();
                Some(Property::Text(&json))
            }
        });
    }
    column
}

#[cfg(test)]
mod tests {
    use crate::testing::answer;

    #[tokio::test]
    async fn features_are_rows_with_their_properties_and_geometry() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plots.geojson");
        let file = r#"{"type":"FeatureCollection","features":[
            {"type":"Feature","properties":{"plot":"A","n":1,"x":1,"ok":true,"mixed":1},"geometry":{"type":"Point","coordinates":[25.5,61]}},
            {"type":"Feature","properties":{"plot":"B","n":null,"x":2.5,"mixed":["a"]},"geometry":{"type":"Polygon","coordinates":[[[0,0],[2,0],[2,2],[0,0]]]}}]}"#;
        std::fs::write(&path, file).unwrap();
        let path = path.display();
        assert_eq!(
            answer(&format!("SELECT * EXCLUDE(geometry), ST_AsText(geometry) AS geometry FROM '{path}'")).await,
            "mixed|n|ok|plot|x|longitude|latitude|geometry;1|1|true|A|1.0|25.5|61.0|POINT(25.561);[\"a\"]|||B|2.5|||POLYGON((00,20,22,00))"
        );
        assert_eq!(answer(&format!("SELECT sum(n) AS n, max(x) AS x FROM '{path}'")).await, "n|x;1|2.5");
    }
}
