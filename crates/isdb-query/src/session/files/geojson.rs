//! A GeoJSON file as a table: a row for each feature, with its properties and its geometry.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Schema;
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use isdb_region::GeoFeature;

use crate::error::{Error, Result};

/// The columns after the properties: longitude and latitude of points, and the geometry as well-known text.
const LONGITUDE: &str = "longitude";
const LATITUDE: &str = "latitude";
const GEOMETRY: &str = "geometry";

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

/// Creates the table of the file `name` with this content.
pub(super) fn table(name: &str, bytes: &[u8]) -> Result<Arc<dyn TableProvider>> {
    let features = GeoFeature::read_all(bytes).map_err(|error| Error::malformed(name, &error))?;
    let batch = batch(&features).map_err(|error| Error::malformed(name, &error))?;
    let schema: Arc<Schema> = batch.schema();
    Ok(Arc::new(MemTable::try_new(schema, vec![vec![batch]])?))
}

fn batch(features: &[GeoFeature]) -> Result<RecordBatch, arrow::error::ArrowError> {
    let mut names: Vec<&String> = Vec::new();
    let mut known = BTreeSet::new();
    for name in features.iter().flat_map(|feature| feature.properties.keys()) {
        if known.insert(name) {
            names.push(name);
        }
    }
    let has_points = features.iter().any(|feature| feature.point().is_some());
    let axis = |axis: usize| -> ArrayRef {
        let degrees = features.iter().map(|feature| feature.point().and_then(|point| point.get(axis).copied()));
        Arc::new(degrees.collect::<Float64Array>())
    };
    let mut columns: Vec<(&str, ArrayRef)> =
        names.into_iter().map(|name| (name.as_str(), column(features, name))).collect();
    let mut add = |name: &'static str, column: ArrayRef| {
        // A property of the same name is what the user wrote.
        if !known.iter().any(|known| known.as_str() == name) {
            columns.push((name, column));
        }
    };
    if has_points {
        add(LONGITUDE, axis(0));
        add(LATITUDE, axis(1));
    }
    let texts = features.iter().map(GeoFeature::well_known_text).collect::<StringArray>();
    add(GEOMETRY, Arc::new(texts));
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))
}

/// Creates the column of one property.
fn column(features: &[GeoFeature], name: &str) -> ArrayRef {
    let values = || features.iter().map(|feature| feature.properties.get(name).filter(|value| !value.is_null()));
    let kind = values().flatten().map(Kind::from_value).fold(Kind::Null, Kind::with);
    match kind {
        Kind::Boolean => Arc::new(values().map(|value| value?.as_bool()).collect::<BooleanArray>()),
        Kind::Integer => Arc::new(values().map(|value| value?.as_i64()).collect::<Int64Array>()),
        Kind::Double => Arc::new(values().map(|value| value?.as_f64()).collect::<Float64Array>()),
        Kind::Null | Kind::Text => {
            let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Arc::new(values().map(|value| value.map(text)).collect::<StringArray>())
        }
    }
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
            answer(&format!("SELECT * FROM '{path}'")).await,
            "mixed|n|ok|plot|x|longitude|latitude|geometry;1|1|true|A|1.0|25.5|61.0|POINT(25.561);[\"a\"]|||B|2.5|||POLYGON((00,20,22,00))"
        );
        assert_eq!(answer(&format!("SELECT sum(n) AS n, max(x) AS x FROM '{path}'")).await, "n|x;1|2.5");
    }
}
