//! Rows as GeoJSON (RFC 7946): a feature with a point for each row, whose properties are the columns.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeListArray, Float64Array, RecordBatch, StringArray, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field};
use arrow::error::ArrowError;
use arrow::json::ArrayWriter;

use crate::error::CliError;
use crate::output::json;
use crate::output::labelled::LabelledColumns;
use crate::output::points::{PointColumns, Points};
use crate::output::row_writer::RowWriter;

const HEAD: &[u8] = b"{\"type\":\"FeatureCollection\",\"features\":";
const FOOT: &[u8] = b"}\n";

/// Writes batches of one schema as one collection of features.
pub(crate) struct GeoJsonWriter<W: Write> {
    features: ArrayWriter<W>,
    points: PointColumns,
    properties: LabelledColumns,
}

impl<W: Write> GeoJsonWriter<W> {
    /// Begins a collection of features for rows with these columns.
    pub(crate) fn new(
        mut sink: W,
        points: PointColumns,
        properties: LabelledColumns,
    ) -> Result<GeoJsonWriter<W>, ArrowError> {
        sink.write_all(HEAD)?;
        Ok(GeoJsonWriter { features: json::array(sink), points, properties })
    }
}

impl<W: Write> RowWriter for GeoJsonWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), CliError> {
        let fields = self.properties.schema().fields().clone();
        let properties = StructArray::try_new(fields, self.properties.columns(batch)?, None)?;
        let features: [(&str, ArrayRef); 3] = [
            ("type", constant("Feature", batch.num_rows())),
            ("geometry", geometry(&self.points.points(batch)?)?),
            ("properties", Arc::new(properties)),
        ];
        Ok(self.features.write(&RecordBatch::try_from_iter(features)?)?)
    }

    fn finish(mut self: Box<Self>) -> Result<(), CliError> {
        self.features.finish()?;
        Ok(self.features.into_inner().write_all(FOOT).map_err(ArrowError::from)?)
    }
}

/// The geometry of each feature; NULL without a position.
fn geometry(points: &Points) -> Result<ArrayRef, ArrowError> {
    let (mut coordinates, mut valid) = (Vec::with_capacity(points.len() * 2), Vec::with_capacity(points.len()));
    for row in 0..points.len() {
        let point = points.get(row);
        let (longitude, latitude) = point.unwrap_or_default();
        coordinates.extend([longitude, latitude]);
        valid.push(point.is_some());
    }
    let item = Arc::new(Field::new("item", DataType::Float64, false));
    let list = DataType::FixedSizeList(Arc::clone(&item), 2);
    let coordinates = FixedSizeListArray::try_new(item, 2, Arc::new(Float64Array::from(coordinates)), None)?;
    let fields = vec![Field::new("type", DataType::Utf8, false), Field::new("coordinates", list, false)];
    let columns: Vec<ArrayRef> = vec![constant("Point", points.len()), Arc::new(coordinates)];
    Ok(Arc::new(StructArray::try_new(fields.into(), columns, Some(NullBuffer::from(valid)))?))
}

fn constant(text: &str, rows: usize) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(std::iter::repeat_n(text, rows)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::output::points::GeometryColumns;

    fn written(batches: &[RecordBatch]) -> Value {
        let named = GeometryColumns::Named { longitude: "x".to_owned(), latitude: "y".to_owned() };
        let schema = batches[0].schema();
        let points = PointColumns::find(&schema, &named).unwrap().unwrap();
        let mut text = Vec::new();
        let mut writer = GeoJsonWriter::new(&mut text, points, LabelledColumns::new(&schema)).unwrap();
        batches.iter().for_each(|batch| writer.write(batch).unwrap());
        Box::new(writer).finish().unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    #[test]
    fn each_row_is_a_feature_and_one_without_a_position_has_no_geometry() {
        let columns: [(&str, ArrayRef); 3] = [
            ("x", Arc::new(Float64Array::from(vec![Some(-60.25), None]))),
            ("y", Arc::new(Float64Array::from(vec![-3.5, 1.0]))),
            ("name", Arc::new(StringArray::from(vec![Some("é\""), None]))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let found = written(&[batch.clone(), batch.slice(0, 1)]);
        let first = json!({
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [-60.25, -3.5]},
            "properties": {"x": -60.25, "y": -3.5, "name": "é\""},
        });
        let second = json!({"type": "Feature", "geometry": null, "properties": {"x": null, "y": 1.0, "name": null}});
        assert_eq!(found, json!({"type": "FeatureCollection", "features": [first, second, first]}));
        let empty = written(&[batch.slice(0, 0)]);
        assert_eq!(empty, json!({"type": "FeatureCollection", "features": []}));
    }
}
