//! A column of points after the columns of a result, as well-known binary (WKB) with GeoArrow's metadata, and the metadata with which a
//! Parquet file is GeoParquet 1.1.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, RecordBatch};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use serde_json::json;

use crate::error::CliError;
use crate::output::points::{GeometryColumns, PointColumns, Points};

/// The name of the column.
pub(crate) const GEOMETRY: &str = "geometry";
/// Bytes of a point: the byte order, the type, and two coordinates.
const POINT_BYTES: usize = 21;

/// The column of points of a result.
pub(crate) struct GeometryColumn {
    points: PointColumns,
    schema: SchemaRef,
    bounds: Option<[f64; 4]>,
}

impl GeometryColumn {
    /// The column for the rows of `schema`; `None` if they have no positions, or already a column of this name.
    ///
    /// # Errors
    /// As for [`PointColumns::find`].
    pub(crate) fn new(schema: &SchemaRef, columns: &GeometryColumns) -> Result<Option<GeometryColumn>, CliError> {
        let Some(points) = PointColumns::find(schema, columns)? else { return Ok(None) };
        if schema.column_with_name(GEOMETRY).is_some() {
            return match columns {
                GeometryColumns::Named { .. } => Err(CliError::SecondGeometry),
                _ => Ok(None),
            };
        }
        // https://geoarrow.org/extension-types: the coordinate reference system by its authority.
        let crs = json!({ "crs": "OGC:CRS84", "crs_type": "authority_code" });
        let metadata = HashMap::from([
            ("ARROW:extension:name".to_owned(), "geoarrow.wkb".to_owned()),
            ("ARROW:extension:metadata".to_owned(), crs.to_string()),
        ]);
        let field = Field::new(GEOMETRY, DataType::Binary, true).with_metadata(metadata);
        let fields: Vec<_> = schema.fields().iter().cloned().chain([Arc::new(field)]).collect();
        let schema = Arc::new(Schema::new(fields).with_metadata(schema.metadata().clone()));
        Ok(Some(GeometryColumn { points, schema, bounds: None }))
    }

    /// The schema with the column.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Adds the column to the rows.
    pub(crate) fn add_to(&mut self, batch: &RecordBatch) -> Result<RecordBatch, CliError> {
        let points = self.points.points(batch)?;
        for (longitude, latitude) in (0..points.len()).filter_map(|row| points.get(row)) {
            let [west, south, east, north] = self.bounds.get_or_insert([longitude, latitude, longitude, latitude]);
            (*west, *east) = (west.min(longitude), east.max(longitude));
            (*south, *north) = (south.min(latitude), north.max(latitude));
        }
        let mut columns = batch.columns().to_vec();
        columns.push(to_wkb(&points));
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }

    /// The value of the key `geo` of a Parquet file with the rows so far: [GeoParquet 1.1](https://geoparquet.org/releases/v1.1.0/). The
    /// coordinate reference system is its default, OGC:CRS84.
    pub(crate) fn geo(&self) -> String {
        let mut column = json!({ "encoding": "WKB", "geometry_types": ["Point"] });
        if let Some(bounds) = self.bounds {
            column["bbox"] = json!(bounds);
        }
        json!({ "version": "1.1.0", "primary_column": GEOMETRY, "columns": { GEOMETRY: column } }).to_string()
    }
}

/// The points as well-known binary, little endian.
fn to_wkb(points: &Points) -> ArrayRef {
    let mut bytes = Vec::with_capacity(points.len() * POINT_BYTES);
    let mut offsets = Vec::with_capacity(points.len() + 1);
    let mut valid = Vec::with_capacity(points.len());
    offsets.push(0);
    for row in 0..points.len() {
        let point = points.get(row);
        if let Some((longitude, latitude)) = point {
            bytes.push(1);
            bytes.extend_from_slice(&1_u32.to_le_bytes());
            bytes.extend_from_slice(&longitude.to_le_bytes());
            bytes.extend_from_slice(&latitude.to_le_bytes());
        }
        valid.push(point.is_some());
        offsets.push(i32::try_from(bytes.len()).unwrap_or(i32::MAX));
    }
    let nulls = NullBuffer::from(valid);
    let nulls = (nulls.null_count() > 0).then_some(nulls);
    Arc::new(BinaryArray::new(OffsetBuffer::new(ScalarBuffer::from(offsets)), bytes.into(), nulls))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray, Float64Array};

    use super::*;

    #[test]
    fn points_are_wkb_after_the_columns_and_their_bounds_are_in_the_file() {
        let columns: [(&str, ArrayRef); 2] = [
            ("x", Arc::new(Float64Array::from(vec![Some(-60.25), None, Some(10.0)]))),
            ("y", Arc::new(Float64Array::from(vec![-3.5, 1.0, 52.0]))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let named = GeometryColumns::Named { longitude: "x".to_owned(), latitude: "y".to_owned() };
        let mut column = GeometryColumn::new(&batch.schema(), &named).unwrap().unwrap();
        assert!(!column.geo().contains("bbox"), "bounds need a row");
        let with = column.add_to(&batch).unwrap();
        let geometry = with.column(2).as_binary::<i32>();
        let expected = [&[1, 1, 0, 0, 0][..], &(-60.25_f64).to_le_bytes(), &(-3.5_f64).to_le_bytes()].concat();
        assert_eq!(geometry.value(0), expected);
        assert!(geometry.is_null(1) && geometry.null_count() == 1);
        let geo: serde_json::Value = serde_json::from_str(&column.geo()).unwrap();
        assert_eq!(geo["columns"]["geometry"]["bbox"], json!([-60.25, -3.5, 10.0, 52.0]));

        let own: [(&str, ArrayRef); 3] = [
            ("x", Arc::clone(batch.column(0))),
            ("y", Arc::clone(batch.column(1))),
            (GEOMETRY, Arc::clone(batch.column(0))),
        ];
        let own = RecordBatch::try_from_iter(own).unwrap();
        assert!(matches!(GeometryColumn::new(&own.schema(), &named), Err(CliError::SecondGeometry)));
        let stored = GeometryColumns::At(PointColumns::find(&own.schema(), &named).unwrap().unwrap());
        assert!(GeometryColumn::new(&own.schema(), &stored).unwrap().is_none(), "a column of the user stays");
    }
}
