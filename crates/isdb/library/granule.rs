//! The segments of a granule's file, without a database.

use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use isdb_granule::{FileSource, Granule};
use isdb_schema::catalogue::Variable;
use isdb_schema::segments::segment_fields;

use crate::library::error::{Error, Result};

/// The segments of a granule, as an ingest reads them, before filters.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GranuleSegments {
    /// The granule's id, such as `ATL08_20200821122613_08730802_004_01`.
    pub id: String,
    /// The columns: position, time, beam and orientation, then the variables, with their units in the metadata of the fields.
    pub schema: SchemaRef,
    /// The segments of each beam, in the beams' order.
    pub batches: Vec<RecordBatch>,
    /// Segments that the file has without a position or a time.
    pub rows_rejected: u64,
}

/// Reads the granule in the HDF5 file at `path`, on up to `threads` threads. What the file marks as fill is NULL.
///
/// # Errors
/// [`Error::Read`] when the file cannot be opened, [`Error::Granule`] when it is not a complete ATL08 file.
pub fn read_granule(path: &Path, variables: &[&Variable], threads: usize) -> Result<GranuleSegments> {
    let source = FileSource::open(path).map_err(|source| Error::Read { path: path.to_path_buf(), source })?;
    let granule = Granule::open(source)?;
    let decoded = granule.decode(variables, threads)?;
    let schema = Arc::new(Schema::new(segment_fields(variables)));
    let (id, rows_rejected) = (granule.identity().id.clone(), decoded.rows_rejected);
    Ok(GranuleSegments { id, schema, batches: decoded.batches, rows_rejected })
}
