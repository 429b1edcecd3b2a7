//! Columns of geometries.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder};
use arrow::datatypes::{DataType, Field};
use geo::Geometry;
use geo_traits::to_geo::ToGeoGeometry;
use wkb::writer::{WriteOptions, write_geometry};

/// Key and value of a field's metadata that make a column of bytes one of geometries.
const EXTENSION_NAME: &str = "ARROW:extension:name";
const WKB: &str = "geoarrow.wkb";
const EXTENSION_METADATA: &str = "ARROW:extension:metadata";
/// The coordinate reference system by its authority.
const CRS: &str = r#"{"crs":"OGC:CRS84","crs_type":"authority_code"}"#;

/// Returns the field of a column of geometries: well-known binary, x = longitude and y = latitude in degrees (OGC:CRS84).
#[must_use]
pub fn geometry_field(name: &str) -> Field {
    let metadata = [(EXTENSION_NAME, WKB), (EXTENSION_METADATA, CRS)];
    let metadata: HashMap<_, _> = metadata.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    Field::new(name, DataType::Binary, true).with_metadata(metadata)
}

/// Whether `field` is a column of geometries as well-known binary.
#[must_use]
pub fn is_geometry(field: &Field) -> bool {
    let is_binary = matches!(field.data_type(), DataType::Binary | DataType::LargeBinary | DataType::BinaryView);
    is_binary && field.metadata().get(EXTENSION_NAME).is_some_and(|name| name == WKB)
}

/// Returns the geometry in `row` of a column of bytes; `None` for NULL, an empty point and bytes that are not well-known binary.
#[must_use]
pub fn geometry_at(column: &ArrayRef, row: usize) -> Option<Geometry<f64>> {
    if column.is_null(row) {
        return None;
    }
    let bytes = match column.data_type() {
        DataType::Binary => column.as_binary::<i32>().value(row),
        DataType::LargeBinary => column.as_binary::<i64>().value(row),
        DataType::BinaryView => column.as_binary_view().value(row),
        _ => return None,
    };
    read_geometry(bytes)
}

/// Reads well-known binary; the first two dimensions are kept.
pub(super) fn read_geometry(bytes: &[u8]) -> Option<Geometry<f64>> {
    wkb::reader::read_wkb(bytes).ok()?.try_to_geometry()
}

/// Collects geometries as a column.
#[derive(Debug, Default)]
pub struct GeometryBuilder {
    column: BinaryBuilder,
    bytes: Vec<u8>,
}

impl GeometryBuilder {
    /// Adds a geometry, or NULL.
    pub fn append(&mut self, geometry: Option<&Geometry<f64>>) {
        self.bytes.clear();
        // Writing to memory fails only for kinds of geometries that geo does not have.
        let written = geometry
            .is_some_and(|geometry| write_geometry(&mut self.bytes, geometry, &WriteOptions::default()).is_ok());
        match written {
            true => self.column.append_value(&self.bytes),
            false => self.column.append_null(),
        }
    }

    /// Returns the column.
    pub fn finish(mut self) -> BinaryArray {
        self.column.finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use geo::{Point, line_string};

    use super::*;

    #[test]
    fn geometries_survive_a_column_and_other_bytes_are_none() {
        let line: Geometry<f64> = line_string![(x: 1.0, y: 2.0), (x: -3.5, y: 4.0)].into();
        let mut builder = GeometryBuilder::default();
        builder.append(Some(&line));
        builder.append(None);
        builder.append(Some(&Point::new(25.5, 61.0).into()));
        let column: ArrayRef = Arc::new(builder.finish());
        assert_eq!(geometry_at(&column, 0), Some(line));
        assert_eq!(geometry_at(&column, 1), None);
        assert_eq!(geometry_at(&column, 2), Some(Point::new(25.5, 61.0).into()));
        let other: ArrayRef = Arc::new(BinaryArray::from(vec![&b"no geometry"[..], b""]));
        assert_eq!([0, 1].map(|row| geometry_at(&other, row)), [None, None]);
        assert!(is_geometry(&geometry_field("x")) && !is_geometry(&Field::new("x", DataType::Binary, true)));
    }
}
