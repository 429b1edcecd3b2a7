//! A layer of a GeoPackage as a table: the only one, or the first.

use std::path::Path;

use arrow::array::{ArrayRef, BinaryArray, BooleanBuilder, Float64Builder, Int64Builder, RecordBatch, StringBuilder};
use geo::Geometry;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use super::columns::{FeatureColumns, Property, Values};
use crate::geometry::geometry_at;

/// Bytes of the envelope after the header of a geometry, by its indicator (OGC 12-128, 2.1.3.1.1).
const ENVELOPES: [usize; 5] = [0, 32, 48, 48, 64];

/// Returns the features of the file at `path`.
///
/// # Errors
/// What is wrong with the file.
pub(super) fn batch(path: &Path) -> Result<RecordBatch, String> {
    let text = |error: rusqlite::Error| error.to_string();
    let file = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(text)?;
    let layer = layer(&file)?;
    let names = columns(&file, &layer.table).map_err(text)?;
    let properties: Vec<&(String, String)> =
        names.iter().filter(|(name, _)| *name != layer.geometry && !name.eq_ignore_ascii_case("fid")).collect();
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let selected: String = properties.iter().map(|(name, _)| format!(", {}", quoted(name))).collect();
    let sql = format!("SELECT {}{selected} FROM {}", quoted(&layer.geometry), quoted(&layer.table));
    let mut found = FeatureColumns::new(properties.iter().map(|(name, kind)| (name.clone(), values(kind))).collect());
    let mut statement = file.prepare(&sql).map_err(text)?;
    let mut rows = statement.query(()).map_err(text)?;
    while let Some(row) = rows.next().map_err(text)? {
        for index in 0..properties.len() {
            let value = row.get_ref(index + 1).map_err(text)?;
            if let Some(column) = found.property(index) {
                column.append(match value {
                    ValueRef::Integer(value) => Some(Property::Integer(value)),
                    ValueRef::Real(value) => Some(Property::Double(value)),
                    ValueRef::Text(value) => std::str::from_utf8(value).ok().map(Property::Text),
                    ValueRef::Null | ValueRef::Blob(_) => None,
                });
            }
        }
        let bytes = row.get_ref(0).map_err(text)?;
        let geometry = if let ValueRef::Blob(bytes) = bytes { geometry(bytes) } else { None };
        found.append_geometry(geometry.as_ref());
    }
    found.finish().map_err(|error| error.to_string())
}

struct Layer {
    table: String,
    geometry: String,
}

fn layer(file: &Connection) -> Result<Layer, String> {
    let sql = "SELECT table_name, column_name, srs_id, (SELECT organization || ':' || organization_coordsys_id \
               FROM gpkg_spatial_ref_sys AS s WHERE s.srs_id = g.srs_id) FROM gpkg_geometry_columns AS g";
    let found = file.query_row(sql, (), |row| {
        Ok((
            Layer { table: row.get(0)?, geometry: row.get(1)? },
            row.get::<_, i64>(2)?,
            row.get::<_, Option<String>>(3)?,
        ))
    });
    let (layer, srs, name) = found.map_err(|error| format!("expected a GeoPackage with a layer: {error}"))?;
    match name {
        Some(name) if srs != 0 && srs != 4326 && !name.eq_ignore_ascii_case("EPSG:4326") => Err(format!(
            "expected degrees on WGS 84 (EPSG:4326), found {name}: `ogr2ogr -t_srs EPSG:4326 degrees.gpkg FILE` converts it"
        )),
        _ => Ok(layer),
    }
}

/// Names and declared types of the columns of a table.
fn columns(file: &Connection, table: &str) -> Result<Vec<(String, String)>, rusqlite::Error> {
    let mut statement = file.prepare("SELECT name, type FROM pragma_table_info(?1)")?;
    let rows = statement.query_map((table,), |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

fn values(kind: &str) -> Values {
    let kind = kind.to_uppercase();
    match kind.split('(').next().unwrap_or_default() {
        "BOOLEAN" => Values::Boolean(BooleanBuilder::new()),
        "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "INTEGER" => Values::Integer(Int64Builder::new()),
        "FLOAT" | "DOUBLE" | "REAL" => Values::Double(Float64Builder::new()),
        "DATETIME" => Values::Time(StringBuilder::new()),
        _ => Values::Text(StringBuilder::new()),
    }
}

/// The geometry after its header: `GP`, the version, flags with the kind of its envelope, and the reference system.
fn geometry(bytes: &[u8]) -> Option<Geometry<f64>> {
    let flags = *bytes.get(3)?;
    let envelope = *ENVELOPES.get(usize::from(flags >> 1 & 7))?;
    let column: ArrayRef = std::sync::Arc::new(BinaryArray::from(vec![bytes.get(8 + envelope..)?]));
    geometry_at(&column, 0)
}
