//! Rows as FlatGeobuf: a feature for each row, sorted and with a spatial index, so that a reader gets the features of a box without the
//! rest of the file. Features wait in a temporary file until their order is known; the index needs about 150 bytes of memory for each.

use std::io::Write;

use ::flatgeobuf::{ColumnType, FgbCrs, FgbWriter, FgbWriterOptions, GeometryType};
use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use geo::Geometry;
use geozero::error::GeozeroError;
use geozero::{ColumnValue, FeatureProcessor, GeozeroGeometry, PropertyProcessor};

use crate::program::error::CliError;
use crate::program::output::features::{AttributeType, AttributeValue, Attributes};
use crate::program::output::geometries::GeometrySource;
use crate::program::output::origin::Origin;
use crate::program::output::row_writer::RowWriter;

/// Writes batches of one schema as one layer.
pub(crate) struct FlatGeobufWriter<W: Write> {
    sink: W,
    layer: FgbWriter<'static>,
    source: GeometrySource,
    attributes: Attributes,
    rows: u64,
}

impl<W: Write> FlatGeobufWriter<W> {
    /// Begins a layer of rows with these attributes.
    pub(crate) fn new(
        sink: W,
        source: GeometrySource,
        attributes: Attributes,
        origin: &Origin,
    ) -> Result<FlatGeobufWriter<W>, CliError> {
        let metadata: serde_json::Map<String, serde_json::Value> =
            origin.entries().into_iter().map(|(key, text)| (key, text.into())).collect();
        let metadata = serde_json::Value::from(metadata).to_string();
        let options = FgbWriterOptions {
            detect_type: false,
            promote_to_multi: false,
            // Longitude and latitude, in this order whatever the axes of EPSG:4326 are.
            crs: FgbCrs { org: Some("EPSG"), code: 4326, name: Some("WGS 84"), ..FgbCrs::default() },
            metadata: Some(&metadata),
            ..FgbWriterOptions::default()
        };
        let layer = FgbWriter::create_with_options("segments", geometry_type(source), options);
        let mut layer = layer.map_err(|error| failed(GeozeroError::Feature(error.to_string())))?;
        for (name, kind) in attributes.iter() {
            layer.add_column(name, column_type(kind), |_, column| column.nullable = true);
        }
        Ok(FlatGeobufWriter { sink, layer, source, attributes, rows: 0 })
    }
}

impl<W: Write> RowWriter for FlatGeobufWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), CliError> {
        let (geometries, attributes) = (self.source.geometries(batch)?, self.attributes.rows(batch)?);
        for row in 0..geometries.len() {
            // The index has no place for a feature without a geometry.
            let geometry = geometries.get(row).ok_or(CliError::NoPosition { format: "FlatGeobuf" })?;
            write_feature(&mut self.layer, self.rows, &geometry, attributes.values(row)).map_err(failed)?;
            self.rows += 1;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), CliError> {
        match self.layer.write(&mut self.sink) {
            Ok(()) => Ok(()),
            Err(::flatgeobuf::Error::IO(source)) => Err(ArrowError::from(source).into()),
            Err(other) => Err(CliError::FeatureFormat { format: "FlatGeobuf", problem: other.to_string() }),
        }
    }
}

fn write_feature<'a>(
    layer: &mut FgbWriter<'static>,
    row: u64,
    geometry: &Geometry<f64>,
    values: impl Iterator<Item = Option<AttributeValue<'a>>>,
) -> Result<(), GeozeroError> {
    layer.feature_begin(row)?;
    layer.properties_begin()?;
    for (index, value) in values.enumerate() {
        if let Some(value) = value {
            layer.property(index, "", &column_value(value))?;
        }
    }
    layer.properties_end()?;
    layer.geometry_begin()?;
    geometry.process_geom(layer)?;
    layer.geometry_end()?;
    layer.feature_end(row)
}

/// The type of all features, or that of a layer of several types.
fn geometry_type(source: GeometrySource) -> GeometryType {
    match source.type_name() {
        Some("Point") => GeometryType::Point,
        Some("LineString") => GeometryType::LineString,
        Some("Polygon") => GeometryType::Polygon,
        _ => GeometryType::Unknown,
    }
}

fn column_type(kind: AttributeType) -> ColumnType {
    match kind {
        AttributeType::Boolean => ColumnType::Bool,
        AttributeType::Int32 => ColumnType::Int,
        AttributeType::Int64 => ColumnType::Long,
        AttributeType::Float32 => ColumnType::Float,
        AttributeType::Float64 => ColumnType::Double,
        AttributeType::Text => ColumnType::String,
        AttributeType::DateTime => ColumnType::DateTime,
    }
}

fn column_value(value: AttributeValue<'_>) -> ColumnValue<'_> {
    match value {
        AttributeValue::Boolean(value) => ColumnValue::Bool(value),
        AttributeValue::Int32(value) => ColumnValue::Int(value),
        AttributeValue::Int64(value) => ColumnValue::Long(value),
        AttributeValue::Float32(value) => ColumnValue::Float(value),
        AttributeValue::Float64(value) => ColumnValue::Double(value),
        AttributeValue::Text(value) => ColumnValue::String(value),
        AttributeValue::DateTime(value) => ColumnValue::DateTime(value),
    }
}

fn failed(error: GeozeroError) -> CliError {
    match error {
        GeozeroError::IoError(source) => ArrowError::from(source).into(),
        other => CliError::FeatureFormat { format: "FlatGeobuf", problem: other.to_string() },
    }
}
