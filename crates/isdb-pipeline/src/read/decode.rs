//! Decodes a planned granule into its rows to store and its tally.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, new_null_array};
use arrow::datatypes::{Field, SchemaRef};
use datafusion::common::Result;
use isdb_granule::{Decoded, Granule, checksum};
use isdb_schema::printable::{Printable, error_chain};
use isdb_schema::segments::INGEST_ID;

use crate::filter::granule_filter::GranuleFilter;
use crate::filter::quality::Quality;
use crate::read::object_address::ObjectAddress;
use crate::read::open::modified_at;
use crate::read::planned_granule::PlannedGranule;
use crate::stage;
use crate::tally::{TALLY, Tally};

/// The beams of a whole granule.
const BEAMS: usize = 6;

/// Why a granule cannot be decoded.
#[derive(Debug, thiserror::Error)]
enum Undecoded {
    #[error(transparent)]
    Granule(isdb_granule::Error),
    #[error("{}: expected the granule {expected}, found {found}", Printable(&path.to_string_lossy()))]
    OtherGranule { path: PathBuf, expected: String, found: String },
    #[error("{}: the HDF5 reader cannot follow it", Printable(&path.to_string_lossy()))]
    ReaderPanicked { path: PathBuf },
    #[error("{}: it was changed after it was identified", Printable(&path.to_string_lossy()))]
    Changed { path: PathBuf },
}

impl Undecoded {
    fn stage(&self) -> &'static str {
        match self {
            Undecoded::Granule(error) if error.is_transient() => stage::READ,
            Undecoded::Granule(_) | Undecoded::ReaderPanicked { .. } => stage::DECODE,
            Undecoded::OtherGranule { .. } => stage::IDENTIFY,
            Undecoded::Changed { .. } => stage::READ,
        }
    }
}

/// Returns the rows of the granule that `open` opens that pass the filters of `quality`, with the columns to store, followed by its
/// tally; if the granule cannot be decoded, only a tally with the error. `threads` threads inflate HDF5 chunks in parallel. Blocks.
///
/// # Errors
/// When the rows do not fit the plan; never because of the granule.
pub(crate) fn decode_granule(
    granule: &PlannedGranule,
    open: impl FnOnce() -> isdb_granule::Result<Granule>,
    quality: &Quality,
    threads: usize,
) -> Result<Vec<RecordBatch>> {
    let mut filter = GranuleFilter::new(quality);
    // The HDF5 reader may panic on a damaged file; that must cost one granule, not the window.
    let decoding = || catch_unwind(AssertUnwindSafe(|| decode(granule, open, quality, &mut filter, threads)));
    // The checksum is computed at the same time: it reads the file sequentially, which loads the bytes that the decoder needs into
    // the page cache.
    let (checksum, decoded) = in_parallel(|| content_checksum(granule), decoding);
    let path = || granule.path.clone();
    let decoded = match decoded {
        Err(_) => Err(Undecoded::ReaderPanicked { path: path() }),
        Ok(_) if has_changed(granule) => Err(Undecoded::Changed { path: path() }),
        Ok(decoded) => decoded,
    };
    let decoded = match decoded {
        Ok(decoded) => decoded,
        Err(error) => {
            let (stage, error) = (error.stage(), error_chain(&error));
            tracing::debug!(stage, error, "cannot be decoded");
            let mut tally = Tally { ingest_id: granule.ingest_id, checksum, ..Tally::default() };
            tally.fail(stage, error);
            return Ok(vec![tally.encode(&quality.stored_schema)?]);
        }
    };
    let tally = tally(granule, checksum, &decoded);
    tracing::debug!(rows = tally.rows_read, beams = tally.beams_read, "decoded");
    let rows = decoded.batches.iter().map(|batch| with_constants(batch, granule, &quality.rows_schema));
    filter.finish(rows.collect::<Result<_>>()?, tally)
}

fn decode(
    granule: &PlannedGranule,
    open: impl FnOnce() -> isdb_granule::Result<Granule>,
    quality: &Quality,
    filter: &mut GranuleFilter<'_>,
    threads: usize,
) -> Result<Decoded, Undecoded> {
    let opened = open().map_err(Undecoded::Granule)?;
    let found = opened.identity().id.clone();
    if !granule.granule.is_empty() && found != granule.granule {
        let (path, expected) = (granule.path.clone(), granule.granule.clone());
        return Err(Undecoded::OtherGranule { path, expected, found });
    }
    let choose = |rows: &RecordBatch| match with_constants(rows, granule, &quality.first_schema) {
        Ok(rows) => filter.choose(&rows),
        Err(error) => {
            filter.fail(error.to_string());
            None
        }
    };
    opened.decode_chosen(&quality.variables, threads, &quality.first, choose).map_err(Undecoded::Granule)
}

fn tally(granule: &PlannedGranule, checksum: Option<String>, decoded: &Decoded) -> Tally {
    let rows: usize = decoded.batches.iter().map(RecordBatch::num_rows).sum();
    let missing = decoded.variables_missing.join(" ");
    let notes: Vec<String> = decoded.notes.iter().map(ToString::to_string).collect();
    Tally {
        ingest_id: granule.ingest_id,
        checksum,
        rows_read: count(decoded.rows_read),
        rows_kept: count(rows as u64),
        rows_rejected: count(decoded.rows_rejected),
        beams_read: count((BEAMS - decoded.beams_empty.len() - decoded.beams_missing.len()) as u64),
        beams_empty: count(decoded.beams_empty.len() as u64),
        beams_missing: count(decoded.beams_missing.len() as u64),
        missing_variables: (!missing.is_empty()).then_some(missing),
        notes: (!notes.is_empty()).then(|| notes.join("; ")),
        ..Tally::default()
    }
}

/// Runs `side` on another thread while `work` runs on this one. If no thread can be started, runs `side` after `work`.
fn in_parallel<A: Send, B>(side: impl Fn() -> Option<A> + Sync, work: impl FnOnce() -> B) -> (Option<A>, B) {
    std::thread::scope(|scope| {
        let spawned = std::thread::Builder::new().spawn_scoped(scope, &side);
        let done = work();
        match spawned {
            Ok(thread) => (thread.join().ok().flatten(), done),
            Err(_) => (side(), done),
        }
    })
}

/// Whether the path of a granule is a URL.
fn is_object(path: &Path) -> bool {
    path.to_str().and_then(ObjectAddress::parse).is_some()
}

/// Whether the file has changed since it was identified: rows of another granule under this one's name would be wrong. To be called
/// after the file was read, so that a change during the read is found as well.
fn has_changed(granule: &PlannedGranule) -> bool {
    // The reader of an object in a store requests the same version for each of its ranges.
    let Some(planned) = granule.modified_at.filter(|_| !is_object(&granule.path)) else { return false };
    let found = std::fs::metadata(&granule.path).ok().and_then(|file| Some((file.len(), modified_at(&file)?)));
    found != Some((granule.size_bytes, planned))
}

/// Returns the checksum of the granule's content; None for an object in a store or an unreadable file.
fn content_checksum(granule: &PlannedGranule) -> Option<String> {
    granule.checksum.clone().or_else(|| checksum(&granule.path).ok())
}

/// Arranges the decoded columns as in `schema`, and adds the columns that are the same in all rows of a granule.
fn with_constants(batch: &RecordBatch, granule: &PlannedGranule, schema: &SchemaRef) -> Result<RecordBatch> {
    let rows = batch.num_rows();
    let column = |field: &Arc<Field>| match field.name().as_str() {
        INGEST_ID => Some(Arc::new(Int64Array::from_value(granule.ingest_id, rows)) as ArrayRef),
        TALLY => Some(new_null_array(field.data_type(), rows)),
        name => batch.column_by_name(name).cloned().or_else(|| granule.column(name, rows)),
    };
    let columns = schema.fields().iter().filter_map(column).collect();
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

fn count(rows: u64) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::selection::Selection;
    use crate::read::open::open_file;
    use crate::stored::earlier_attempts::EarlierAttempts;

    /// Creates the tally of `granule`, which is a local file.
    fn tally_of(granule: &PlannedGranule) -> Tally {
        let selection = Selection::bind(&[], &[], &[]).unwrap();
        let quality = Quality::new(&selection, EarlierAttempts::default()).unwrap();
        let rows = decode_granule(granule, || open_file(&granule.path), &quality, 1).unwrap();
        let tallies = rows.iter().flat_map(|row| Tally::decode(row.column_by_name(TALLY).unwrap()).unwrap());
        let [tally] = tallies.collect::<Vec<_>>().try_into().unwrap();
        tally
    }

    #[test]
    fn a_file_that_cannot_be_opened_fails_in_the_stage_read() {
        let granule = PlannedGranule { path: "/no/such/file.h5".into(), ..PlannedGranule::default() };
        assert_eq!(tally_of(&granule).stage.as_deref(), Some(stage::READ));
    }

    #[test]
    fn an_unreadable_file_has_a_checksum_that_is_computed_only_if_unknown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "abc").unwrap();
        let checksum = |known: Option<&str>| {
            let checksum = known.map(str::to_owned);
            let tally =
                tally_of(&PlannedGranule { path: file.path().to_owned(), checksum, ..PlannedGranule::default() });
            assert_eq!(tally.stage.as_deref(), Some(stage::DECODE), "three bytes are not a granule");
            tally.checksum.unwrap()
        };
        assert_eq!(checksum(None), "xxh64:44bc2cf5ad770999");
        assert_eq!(checksum(Some("xxh64:5")), "xxh64:5");
    }

    #[test]
    fn a_file_that_changes_after_it_was_identified_fails() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.h5");
        std::fs::write(&path, isdb_testing::granule()).unwrap();
        let metadata = std::fs::metadata(&path).unwrap();
        let modified_at = modified_at(&metadata);
        let granule = PlannedGranule { path, size_bytes: metadata.len(), modified_at, ..PlannedGranule::default() };
        assert_eq!(tally_of(&granule).error, None);
        for other in [
            PlannedGranule { size_bytes: granule.size_bytes + 1, ..granule.clone() },
            PlannedGranule { modified_at: Some(1), ..granule.clone() },
        ] {
            assert!(tally_of(&other).error.unwrap().ends_with("a.h5: it was changed after it was identified"));
        }
        let unknown = PlannedGranule { modified_at: None, size_bytes: 0, ..granule };
        assert_eq!(tally_of(&unknown).error, None, "not identified as a local file");
    }
}
