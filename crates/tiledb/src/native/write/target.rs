//! An array to write to: its newest schema, read without libtiledb.

use tiledb_format::{Datatype, Filter, HilbertCurve, Schema};

use crate::error::{Error, Result};
use crate::native::array_files::{ArrayFiles, SCHEMAS, metadata};
use crate::schema::column::Column;
use crate::schema::layout::{ArrayLayout, CellOrder, Domain};
use crate::schema::{field_metadata, stored};

/// An array in Hilbert order that allows duplicates.
#[derive(Debug)]
pub(crate) struct Target {
    /// The array's folder.
    pub(super) folder: ArrayFiles,
    /// The same, as the caller wrote it, for errors.
    pub(super) uri: String,
    /// The name of the newest schema's file.
    pub(super) schema_name: String,
    pub(super) schema: Schema,
    pub(super) layout: ArrayLayout,
    /// The dimensions, then the attributes, in the schema's order.
    pub(super) columns: Vec<Column>,
    pub(super) curve: HilbertCurve,
}

impl Target {
    /// Reads the newest schema of the array in `folder`; `None` if there is none, or one whose fragments libtiledb must write.
    ///
    /// # Errors
    /// [`Error::Batch`] if the array has a schema later than `timestamp_ms`; [`Error::File`] and [`Error::Format`] if a file cannot be
    /// read.
    pub(crate) fn open(uri: &str, folder: ArrayFiles, timestamp_ms: u64) -> Result<Option<Self>> {
        let files = folder.listed();
        let names = files.timestamped_names(SCHEMAS)?;
        let Some(newest) = names.iter().max_by_key(|name| (name.last, name.to_string())) else { return Ok(None) };
        // As libtiledb: the newest schema is written with, and an only schema also applies to the time before it.
        if names.len() > 1 && newest.last > timestamp_ms {
            let newest = newest.last;
            let reason = format!("expected a timestamp at or after the newest schema ({newest}), found {timestamp_ms}");
            return Err(Error::Batch { uri: uri.to_owned(), reason });
        }
        let schema_name = newest.to_string();
        let schema = match files.decoded(&format!("{SCHEMAS}/{schema_name}"), Schema::parse) {
            // Such as dense arrays, of which libtiledb says the same.
            Err(Error::Format { source, .. }) if matches!(*source, tiledb_format::Error::Unsupported { .. }) => {
                return Ok(None);
            }
            parsed => parsed?,
        };
        let Some((layout, mut columns)) = stored::layout_and_columns(&schema)? else { return Ok(None) };
        if layout.cell_order != CellOrder::Hilbert || !layout.allows_duplicates || !is_written(&schema) {
            return Ok(None);
        }
        let Ok(curve) = HilbertCurve::new(&layout.dimensions.iter().map(|d| limits(d.domain)).collect::<Vec<_>>())
        else {
            return Ok(None);
        };
        // How NULL is stored, and the texts of dictionaries.
        field_metadata::restore(&mut columns, &metadata(&files, timestamp_ms)?)?;
        let uri = uri.to_owned();
        Ok(Some(Self { folder, uri, schema_name, schema, layout, columns, curve }))
    }
}

/// The lowest and the highest coordinate as the curve takes them.
fn limits(domain: Domain) -> (f64, f64) {
    match domain {
        Domain::Float32 { low, high, .. } => (low.into(), high.into()),
        Domain::Float64 { low, high, .. } => (low, high),
        Domain::Int64 { low, high, .. } | Domain::TimestampNs { low, high, .. } => (low as f64, high as f64),
    }
}

/// Whether this crate writes all filters and types of a schema. ASCII has statistics that no other text has.
fn is_written(schema: &Schema) -> bool {
    let dimensions = schema.dimensions.iter().map(|dimension| schema.dimension_filters(dimension));
    let attributes = schema.attributes.iter().map(|attribute| &attribute.filters);
    let mut pipelines = dimensions.chain(attributes).chain([&schema.offsets, &schema.validity]);
    pipelines.all(|pipeline| !pipeline.filters.iter().any(|filter| matches!(filter, Filter::Unsupported { .. })))
        && schema.attributes.iter().all(|attribute| attribute.datatype != Datatype::Ascii)
}
