//! Rows as a GeoPackage: a SQLite file with one layer, `segments`, that has a feature for each row and a spatial index.
//! Tables and triggers are those of [OGC 12-128r18](https://www.geopackage.org/spec131/), version 1.3, which the GDAL of Debian 12 knows.

use std::path::Path;

use arrow::array::{Array, RecordBatch};
use geo::BoundingRect;
use rusqlite::types::{Null, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags};

use crate::program::error::CliError;
use crate::program::output::features::{AttributeType, AttributeValue, Attributes};
use crate::program::output::geometries::GeometrySource;
use crate::program::output::origin::Origin;
use crate::program::output::row_writer::RowWriter;

/// Tables of every GeoPackage, and the rows that it must have. `application_id` is the text GPKG.
const TABLES: &str = "
PRAGMA application_id = 0x47504B47;
PRAGMA user_version = 10300;
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT NOT NULL,
    organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
INSERT INTO gpkg_spatial_ref_sys VALUES
    ('Undefined cartesian', -1, 'NONE', -1, 'undefined', NULL),
    ('Undefined geographic', 0, 'NONE', 0, 'undefined', NULL),
    ('WGS 84 geodetic', 4326, 'EPSG', 4326, 'GEOGCS[\"WGS 84\",DATUM[\"WGS_1984\",SPHEROID[\"WGS 84\",6378137,298.257223563,AUTHORITY[\"EPSG\",\"7030\"]],AUTHORITY[\"EPSG\",\"6326\"]],PRIMEM[\"Greenwich\",0,AUTHORITY[\"EPSG\",\"8901\"]],UNIT[\"degree\",0.0174532925199433,AUTHORITY[\"EPSG\",\"9122\"]],AXIS[\"Latitude\",NORTH],AXIS[\"Longitude\",EAST],AUTHORITY[\"EPSG\",\"4326\"]]', 'longitude/latitude coordinates in decimal degrees on the WGS 84 spheroid');
CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
    description TEXT DEFAULT '', last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
    min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
    CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL,
    srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL,
    CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
    CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
    CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id));
CREATE TABLE gpkg_extensions (table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL,
    scope TEXT NOT NULL, CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));
INSERT INTO gpkg_extensions VALUES ('segments', 'geom', 'gpkg_rtree_index',
    'http://www.geopackage.org/spec/#extension_rtree', 'write-only');
CREATE VIRTUAL TABLE rtree_segments_geom USING rtree(id, minx, maxx, miny, maxy);
";

/// Keep the index up to date when another program edits the layer. The functions are those of that program.
const TRIGGERS: &str = "
CREATE TRIGGER rtree_segments_geom_insert AFTER INSERT ON segments
    WHEN (NEW.geom NOT NULL AND NOT ST_IsEmpty(NEW.geom))
    BEGIN INSERT OR REPLACE INTO rtree_segments_geom
        VALUES (NEW.fid, ST_MinX(NEW.geom), ST_MaxX(NEW.geom), ST_MinY(NEW.geom), ST_MaxY(NEW.geom)); END;
CREATE TRIGGER rtree_segments_geom_update2 AFTER UPDATE OF geom ON segments
    WHEN OLD.fid = NEW.fid AND (NEW.geom ISNULL OR ST_IsEmpty(NEW.geom))
    BEGIN DELETE FROM rtree_segments_geom WHERE id = OLD.fid; END;
CREATE TRIGGER rtree_segments_geom_update4 AFTER UPDATE ON segments
    WHEN OLD.fid != NEW.fid AND (NEW.geom NOTNULL AND NOT ST_IsEmpty(NEW.geom))
    BEGIN DELETE FROM rtree_segments_geom WHERE id = OLD.fid; INSERT OR REPLACE INTO rtree_segments_geom
        VALUES (NEW.fid, ST_MinX(NEW.geom), ST_MaxX(NEW.geom), ST_MinY(NEW.geom), ST_MaxY(NEW.geom)); END;
CREATE TRIGGER rtree_segments_geom_update5 AFTER UPDATE ON segments
    WHEN OLD.fid != NEW.fid AND (NEW.geom ISNULL OR ST_IsEmpty(NEW.geom))
    BEGIN DELETE FROM rtree_segments_geom WHERE id IN (OLD.fid, NEW.fid); END;
CREATE TRIGGER rtree_segments_geom_update6 AFTER UPDATE OF geom ON segments
    WHEN OLD.fid = NEW.fid AND (NEW.geom NOTNULL AND NOT ST_IsEmpty(NEW.geom))
        AND (OLD.geom NOTNULL AND NOT ST_IsEmpty(OLD.geom))
    BEGIN UPDATE rtree_segments_geom SET minx = ST_MinX(NEW.geom), maxx = ST_MaxX(NEW.geom), miny = ST_MinY(NEW.geom),
        maxy = ST_MaxY(NEW.geom) WHERE id = NEW.fid; END;
CREATE TRIGGER rtree_segments_geom_update7 AFTER UPDATE OF geom ON segments
    WHEN OLD.fid = NEW.fid AND (NEW.geom NOTNULL AND NOT ST_IsEmpty(NEW.geom))
        AND (OLD.geom ISNULL OR ST_IsEmpty(OLD.geom))
    BEGIN INSERT INTO rtree_segments_geom
        VALUES (NEW.fid, ST_MinX(NEW.geom), ST_MaxX(NEW.geom), ST_MinY(NEW.geom), ST_MaxY(NEW.geom)); END;
CREATE TRIGGER rtree_segments_geom_delete AFTER DELETE ON segments
    WHEN OLD.geom NOT NULL BEGIN DELETE FROM rtree_segments_geom WHERE id = OLD.fid; END;
";

const SRS: i32 = 4326;
/// What is before the well-known binary of a geometry: the version, the byte order, and the reference system, little endian.
const HEADER: [u8; 8] = [b'G', b'P', 0, 1, 0xE6, 0x10, 0, 0];

/// Writes batches of one schema as the layer of a new file.
pub(crate) struct GeoPackageWriter {
    file: Connection,
    insert: String,
    source: GeometrySource,
    attributes: Attributes,
    bounds: Option<[f64; 4]>,
    rows: i64,
}

impl GeoPackageWriter {
    /// Begins the layer in the empty file at `path`, for rows with these attributes.
    pub(crate) fn new(
        path: &Path,
        source: GeometrySource,
        attributes: Attributes,
        origin: &Origin,
    ) -> Result<GeoPackageWriter, CliError> {
        let file = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)?;
        // A file that is not complete is never seen, so it needs no journal; the caller syncs it.
        file.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN").map_err(failed)?;
        file.execute_batch(TABLES).map_err(failed)?;
        let names = column_names(&attributes);
        let columns: String = names
            .iter()
            .zip(attributes.iter())
            .map(|(name, (_, kind))| format!(", {name} {}", sql_type(kind)))
            .collect();
        let kind = source.type_name().unwrap_or("Geometry").to_uppercase();
        let create =
            format!("CREATE TABLE segments (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, geom {kind}{columns})");
        file.execute_batch(&create).map_err(failed)?;
        let description: Vec<String> =
            origin.entries().into_iter().map(|(key, value)| format!("{key}: {value}")).collect();
        file.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, srs_id) \
             VALUES ('segments', 'features', 'segments', ?1, ?2)",
            (description.join("\n"), SRS),
        )
        .map_err(failed)?;
        file.execute("INSERT INTO gpkg_geometry_columns VALUES ('segments', 'geom', ?1, ?2, 0, 0)", (kind, SRS))
            .map_err(failed)?;
        let values = ", ?".repeat(names.len());
        let insert = format!("INSERT INTO segments VALUES (?, ?{values})");
        Ok(GeoPackageWriter { file, insert, source, attributes, bounds: None, rows: 0 })
    }

    fn insert(&mut self, batch: &RecordBatch) -> Result<(), CliError> {
        let (geometries, attributes) = (self.source.geometries(batch)?, self.attributes.rows(batch)?);
        geometries.extend(&mut self.bounds);
        let bytes = geometries.to_wkb();
        let mut rows = self.file.prepare_cached(&self.insert).map_err(failed)?;
        let mut index =
            self.file.prepare_cached("INSERT INTO rtree_segments_geom VALUES (?1, ?2, ?3, ?4, ?5)").map_err(failed)?;
        let mut blob = Vec::new();
        for row in 0..geometries.len() {
            self.rows += 1;
            rows.raw_bind_parameter(1, self.rows).map_err(failed)?;
            if bytes.is_null(row) {
                rows.raw_bind_parameter(2, Null).map_err(failed)?;
            } else {
                blob.clear();
                blob.extend_from_slice(&HEADER);
                blob.extend_from_slice(bytes.value(row));
                rows.raw_bind_parameter(2, &blob[..]).map_err(failed)?;
                if let Some(bounds) = geometries.get(row).and_then(|geometry| geometry.bounding_rect()) {
                    let (low, high) = (bounds.min(), bounds.max());
                    index.execute((self.rows, low.x, high.x, low.y, high.y)).map_err(failed)?;
                }
            }
            for (at, value) in attributes.values(row).enumerate() {
                rows.raw_bind_parameter(at + 3, ToSqlOutput::Borrowed(sql_value(value))).map_err(failed)?;
            }
            rows.raw_execute().map_err(failed)?;
        }
        Ok(())
    }
}

impl RowWriter for GeoPackageWriter {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), CliError> {
        self.insert(batch)
    }

    fn finish(self: Box<Self>) -> Result<(), CliError> {
        if let Some([west, south, east, north]) = self.bounds {
            self.file
                .execute(
                    "UPDATE gpkg_contents SET min_x = ?1, min_y = ?2, max_x = ?3, max_y = ?4",
                    (west, south, east, north),
                )
                .map_err(failed)?;
        }
        self.file.execute_batch(TRIGGERS).map_err(failed)?;
        self.file.execute_batch("COMMIT").map_err(failed)?;
        self.file.close().map_err(|(_, error)| failed(error))
    }
}

/// The quoted names of the columns. SQLite compares names without case, and a layer needs `fid` and `geom` for itself.
fn column_names(attributes: &Attributes) -> Vec<String> {
    let mut used = vec!["fid".to_owned(), "geom".to_owned()];
    let unique = |name: &str| {
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        let name = names.find(|name| !used.contains(&name.to_lowercase())).unwrap_or_default();
        used.push(name.to_lowercase());
        format!("\"{}\"", name.replace('"', "\"\""))
    };
    attributes.iter().map(|(name, _)| name).map(unique).collect()
}

fn sql_type(kind: AttributeType) -> &'static str {
    match kind {
        AttributeType::Boolean => "BOOLEAN",
        AttributeType::Int32 => "MEDIUMINT",
        AttributeType::Int64 => "INTEGER",
        AttributeType::Float32 => "FLOAT",
        AttributeType::Float64 => "DOUBLE",
        AttributeType::Text => "TEXT",
        AttributeType::DateTime => "DATETIME",
    }
}

fn sql_value(value: Option<AttributeValue<'_>>) -> ValueRef<'_> {
    match value {
        None => ValueRef::Null,
        Some(AttributeValue::Boolean(value)) => ValueRef::Integer(i64::from(value)),
        Some(AttributeValue::Int32(value)) => ValueRef::Integer(i64::from(value)),
        Some(AttributeValue::Int64(value)) => ValueRef::Integer(value),
        Some(AttributeValue::Float32(value)) => ValueRef::Real(f64::from(value)),
        Some(AttributeValue::Float64(value)) => ValueRef::Real(value),
        Some(AttributeValue::Text(value) | AttributeValue::DateTime(value)) => ValueRef::Text(value.as_bytes()),
    }
}

fn failed(error: rusqlite::Error) -> CliError {
    CliError::FeatureFormat { format: "GeoPackage", problem: error.to_string() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float64Array};

    use super::*;
    use crate::program::output::labelled::LabelledColumns;

    #[test]
    fn names_of_columns_are_unique_whatever_their_case() {
        let columns = ["geom", "FID", "rgt", "RGT", "a\"b"];
        let column: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
        let batch = RecordBatch::try_from_iter(columns.map(|name| (name, Arc::clone(&column)))).unwrap();
        let attributes = Attributes::new(LabelledColumns::new(&batch.schema(), None));
        let expected = ["\"geom_2\"", "\"FID_2\"", "\"rgt\"", "\"RGT_2\"", "\"a\"\"b\""];
        assert_eq!(column_names(&attributes), expected);
    }
}
