//! Rows as GeoJSON (RFC 7946): a feature for each row, whose properties are the columns.

use std::io::Write;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use geo::Geometry;

use crate::program::error::CliError;
use crate::program::output::geometries::GeometrySource;
use crate::program::output::json;
use crate::program::output::labelled::LabelledColumns;
use crate::program::output::row_writer::RowWriter;

const HEAD: &[u8] = b"{\"type\":\"FeatureCollection\",\"features\":[";
const FOOT: &[u8] = b"]}\n";

/// Writes batches of one schema as one collection of features.
pub(crate) struct GeoJsonWriter<W: Write> {
    sink: W,
    source: GeometrySource,
    properties: LabelledColumns,
    /// The properties of a batch, an object in each line.
    lines: Vec<u8>,
    is_first: bool,
}

impl<W: Write> GeoJsonWriter<W> {
    /// Begins a collection of features for rows with these columns.
    pub(crate) fn new(
        mut sink: W,
        source: GeometrySource,
        properties: LabelledColumns,
    ) -> Result<GeoJsonWriter<W>, ArrowError> {
        sink.write_all(HEAD)?;
        Ok(GeoJsonWriter { sink, source, properties, lines: Vec::new(), is_first: true })
    }

    fn write_feature(&mut self, geometry: Option<&Geometry<f64>>, properties: &[u8]) -> std::io::Result<()> {
        if !std::mem::take(&mut self.is_first) {
            self.sink.write_all(b",")?;
        }
        self.sink.write_all(b"{\"type\":\"Feature\",\"geometry\":")?;
        match geometry {
            None => self.sink.write_all(b"null")?,
            Some(geometry) => serde_json::to_writer(&mut self.sink, &::geojson::Geometry::from(geometry))?,
        }
        self.sink.write_all(b",\"properties\":")?;
        self.sink.write_all(properties)?;
        self.sink.write_all(b"}")
    }
}

impl<W: Write> RowWriter for GeoJsonWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), CliError> {
        let geometries = self.source.geometries(batch)?;
        let columns = self.properties.columns(batch)?;
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let properties = RecordBatch::try_new_with_options(Arc::clone(self.properties.schema()), columns, &options)?;
        let mut lines = std::mem::take(&mut self.lines);
        lines.clear();
        let mut writer = json::lines(&mut lines);
        writer.write(&properties)?;
        writer.finish()?;
        // A line break in a value is escaped.
        let mut objects = lines.split(|byte| *byte == b'\n');
        for row in 0..batch.num_rows() {
            let properties = objects.next().filter(|object| !object.is_empty()).unwrap_or(b"{}");
            self.write_feature(geometries.get(row).as_ref(), properties).map_err(ArrowError::from)?;
        }
        self.lines = lines;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), CliError> {
        Ok(self.sink.write_all(FOOT).map_err(ArrowError::from)?)
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Float64Array, StringArray};
    use serde_json::{Value, json};

    use super::*;
    use crate::program::output::points::PointColumns;

    fn written(batches: &[RecordBatch]) -> Value {
        let schema = batches[0].schema();
        let points = GeometrySource::Points(PointColumns::named(&schema, "x", "y").unwrap());
        let mut text = Vec::new();
        let mut writer = GeoJsonWriter::new(&mut text, points, LabelledColumns::new(&schema, None)).unwrap();
        batches.iter().for_each(|batch| writer.write(batch).unwrap());
        Box::new(writer).finish().unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    #[test]
    fn each_row_is_a_feature_and_one_without_a_position_has_no_geometry() {
        let columns: [(&str, ArrayRef); 3] = [
            ("x", Arc::new(Float64Array::from(vec![Some(-60.25), None]))),
            ("y", Arc::new(Float64Array::from(vec![-3.5, 1.0]))),
            ("name", Arc::new(StringArray::from(vec![Some("é\"\n"), None]))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let found = written(&[batch.clone(), batch.slice(0, 1)]);
        let first = json!({
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [-60.25, -3.5]},
            "properties": {"x": -60.25, "y": -3.5, "name": "é\"\n"},
        });
        let second = json!({"type": "Feature", "geometry": null, "properties": {"x": null, "y": 1.0, "name": null}});
        assert_eq!(found, json!({"type": "FeatureCollection", "features": [first, second, first]}));
        let empty = written(&[batch.slice(0, 0)]);
        assert_eq!(empty, json!({"type": "FeatureCollection", "features": []}));
    }
}
