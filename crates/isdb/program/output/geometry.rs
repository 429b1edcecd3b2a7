//! The columns of a file with geometries: those of the rows, and after them `geometry`, as well-known binary (WKB) with GeoArrow's
//! metadata; and the metadata with which a Parquet file is GeoParquet 1.1.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use isdb_query::geometry_field;
use serde_json::json;

use crate::program::error::CliError;
use crate::program::output::choice::GeometryChoice;
use crate::program::output::geometries::GeometrySource;

/// The name of the column.
pub(crate) const GEOMETRY: &str = "geometry";

/// The column of geometries of a result.
pub(crate) struct GeometryColumn {
    source: GeometrySource,
    schema: SchemaRef,
    bounds: Option<[f64; 4]>,
    /// The kinds of geometries that GeoParquet names.
    types: Vec<&'static str>,
}

impl GeometryColumn {
    /// The column for the rows of `schema`; `None` if they have no positions, or already another column of this name.
    ///
    /// # Errors
    /// As for [`GeometryChoice::find`].
    pub(crate) fn new(schema: &SchemaRef, choice: &GeometryChoice) -> Result<Option<GeometryColumn>, CliError> {
        let Some(source) = choice.find(schema)? else { return Ok(None) };
        let others = schema.fields().iter().enumerate().filter(|(index, _)| Some(*index) != source.column());
        let others: Vec<_> = others.map(|(_, field)| Arc::clone(field)).collect();
        if others.iter().any(|field| field.name() == GEOMETRY) {
            return if choice.is_explicit() { Err(CliError::SecondGeometry) } else { Ok(None) };
        }
        let fields: Vec<_> = others.into_iter().chain([Arc::new(geometry_field(GEOMETRY))]).collect();
        let schema = Arc::new(Schema::new(fields).with_metadata(schema.metadata().clone()));
        let types = source.type_name().into_iter().collect();
        Ok(Some(GeometryColumn { source, schema, bounds: None, types }))
    }

    /// The schema with the column.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Adds the column to the rows.
    pub(crate) fn add_to(&mut self, batch: &RecordBatch) -> Result<RecordBatch, CliError> {
        let geometries = self.source.geometries(batch)?;
        geometries.extend(&mut self.bounds);
        if self.source.type_name().is_none() {
            for name in (0..geometries.len()).filter_map(|row| geometries.get(row)).map(|geometry| type_name(&geometry))
            {
                if !self.types.contains(&name) {
                    self.types.push(name);
                }
            }
        }
        let mut columns = batch.columns().to_vec();
        if let Some(column) = self.source.column() {
            columns.remove(column);
        }
        columns.push(Arc::new(geometries.to_wkb()));
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }

    /// The value of the key `geo` of a Parquet file with the rows so far: [GeoParquet 1.1](https://geoparquet.org/releases/v1.1.0/). The
    /// coordinate reference system is its default, OGC:CRS84.
    pub(crate) fn geo(&self) -> String {
        let mut column = json!({ "encoding": "WKB", "geometry_types": self.types });
        if let Some(bounds) = self.bounds {
            column["bbox"] = json!(bounds);
        }
        json!({ "version": "1.1.0", "primary_column": GEOMETRY, "columns": { GEOMETRY: column } }).to_string()
    }
}

/// The name of a kind of geometry in GeoParquet.
fn type_name(geometry: &geo::Geometry<f64>) -> &'static str {
    match geometry {
        geo::Geometry::Point(_) => "Point",
        geo::Geometry::Line(_) | geo::Geometry::LineString(_) => "LineString",
        geo::Geometry::Polygon(_) | geo::Geometry::Rect(_) | geo::Geometry::Triangle(_) => "Polygon",
        geo::Geometry::MultiPoint(_) => "MultiPoint",
        geo::Geometry::MultiLineString(_) => "MultiLineString",
        geo::Geometry::MultiPolygon(_) => "MultiPolygon",
        geo::Geometry::GeometryCollection(_) => "GeometryCollection",
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int32Array};
    use isdb_query::geometry_text;

    use super::*;
    use crate::program::output::choice::Resolved;
    use crate::program::output::geometries::{SegmentColumns, SegmentShape};
    use crate::program::output::points::PointColumns;

    fn named() -> GeometryChoice {
        GeometryChoice::Named { longitude: "x".to_owned(), latitude: "y".to_owned() }
    }

    #[test]
    fn points_are_wkb_after_the_columns_and_their_bounds_are_in_the_file() {
        let columns: [(&str, ArrayRef); 2] = [
            ("x", Arc::new(Float64Array::from(vec![Some(-60.25), None, Some(10.0)]))),
            ("y", Arc::new(Float64Array::from(vec![-3.5, 1.0, 52.0]))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let mut column = GeometryColumn::new(&batch.schema(), &named()).unwrap().unwrap();
        assert!(!column.geo().contains("bbox"), "bounds need a row");
        let with = column.add_to(&batch).unwrap();
        let geometry = with.column(2).as_binary::<i32>();
        let expected = [&[1, 1, 0, 0, 0][..], &(-60.25_f64).to_le_bytes(), &(-3.5_f64).to_le_bytes()].concat();
        assert_eq!(geometry.value(0), expected);
        assert!(geometry.is_null(1) && geometry.null_count() == 1);
        let geo: serde_json::Value = serde_json::from_str(&column.geo()).unwrap();
        assert_eq!(geo["columns"]["geometry"]["bbox"], json!([-60.25, -3.5, 10.0, 52.0]));
        assert_eq!(geo["columns"]["geometry"]["geometry_types"], json!(["Point"]));

        let own: [(&str, ArrayRef); 3] = [
            ("x", Arc::clone(batch.column(0))),
            ("y", Arc::clone(batch.column(1))),
            (GEOMETRY, Arc::clone(batch.column(0))),
        ];
        let own = RecordBatch::try_from_iter(own).unwrap();
        assert!(matches!(GeometryColumn::new(&own.schema(), &named()), Err(CliError::SecondGeometry)));
        let points = PointColumns::named(&own.schema(), "x", "y").unwrap();
        let stored =
            GeometryChoice::Resolved(Resolved { source: Some(GeometrySource::Points(points)), is_explicit: false });
        assert!(GeometryColumn::new(&own.schema(), &stored).unwrap().is_none(), "a column of the user stays");
    }

    #[test]
    fn lines_of_segments_are_as_long_as_their_geosegments_and_a_column_of_geometries_becomes_the_last() {
        let columns: [(&str, ArrayRef); 4] = [
            ("x", Arc::new(Float64Array::from(vec![10.0, 10.0]))),
            ("y", Arc::new(Float64Array::from(vec![0.0, 0.0]))),
            ("segment_id_beg", Arc::new(Int32Array::from(vec![1, 1]))),
            ("n_geosegments", Arc::new(Int32Array::from(vec![Some(5), None]))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let points = PointColumns::named(&batch.schema(), "x", "y").unwrap();
        let segments = SegmentColumns::find(&batch.schema(), Some(points), SegmentShape::Line).unwrap();
        let choice =
            GeometryChoice::Resolved(Resolved { source: Some(GeometrySource::Segments(segments)), is_explicit: true });
        let mut column = GeometryColumn::new(&batch.schema(), &choice).unwrap().unwrap();
        let lines = column.add_to(&batch).unwrap();
        assert!(lines.column(4).is_null(1), "no number of geosegments");
        let line = isdb_query::geometry_at(lines.column(4), 0).unwrap();
        assert!(geometry_text(&line).starts_with("LINESTRING("));
        let missing = SegmentColumns::find(&Schema::empty(), Some(points), SegmentShape::Line);
        assert!(matches!(missing, Err(CliError::SegmentColumns { missing }) if missing == "segment_id_beg"));

        let first = lines.project(&[4, 2]).unwrap();
        let source = Some(GeometrySource::Column(0));
        let choice = GeometryChoice::Resolved(Resolved { source, is_explicit: false });
        let mut column = GeometryColumn::new(&first.schema(), &choice).unwrap().unwrap();
        let moved = column.add_to(&first).unwrap();
        assert_eq!(moved.schema().field(1).name(), GEOMETRY);
        assert_eq!(isdb_query::geometry_at(moved.column(1), 0), Some(line));
        assert!(column.geo().contains(r#""geometry_types":["LineString"]"#), "{}", column.geo());
    }
}
