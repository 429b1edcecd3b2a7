//! Writing a fragment of `segments`, together with the record that a commit needs to make it visible.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tiledb::{NewFragment, Rows, WriteStep};

use super::record::{FileChecksum, FragmentRecord};
use super::summary::Summary;
use crate::error::{Error, Result};
use crate::fault;
use crate::files::location::{Location, Place, SEGMENTS};
use crate::files::remote::array_files::{BucketArray, store_error};
use crate::id::Id;

/// A fragment that was written and is not visible yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WrittenFragment {
    /// What the commit records of it.
    pub record: FragmentRecord,
    /// The number of its rows of each attempt.
    pub attempts: BTreeMap<Id, u64>,
}

/// Writes `rows` as one fragment of the array of segments of the database at `location`, at the `timestamp` of its window in
/// milliseconds since 1970. Their column `fragment_id` must contain `id`. `threads` threads read and encode columns. Blocks.
///
/// # Errors
/// [`Error::Damaged`] without rows, or when a leading column is missing; [`Error::TileDb`] or [`Error::Store`] when the rows cannot be
/// read or the fragment cannot be written.
pub fn write_fragment(
    location: &Location,
    timestamp: u64,
    id: Id,
    rows: &dyn Rows,
    threads: usize,
) -> Result<WrittenFragment> {
    let uri = location.segments();
    let Summary { rows: count, bounds, chunks, attempts } = Summary::new(rows, &uri)?;
    let written = match location.place() {
        Place::Folder(_) => tiledb::write_tiles_stepwise(Path::new(&uri), timestamp, rows, threads, &reached),
        Place::Bucket(bucket) => {
            let files = Arc::new(BucketArray::new(bucket, SEGMENTS));
            tiledb::write_tiles_to(files, &uri, timestamp, rows, threads, &reached)
        }
    };
    let failed = |error| store_error(error).unwrap_or_else(Error::TileDb);
    let NewFragment { name, metadata } = written.map_err(failed)?;
    let footer = FileChecksum { bytes: metadata.bytes, crc32c: metadata.crc32c };
    let record = FragmentRecord { id, name, rows: count, bounds, chunks: chunks.into_iter().collect(), footer };
    Ok(WrittenFragment { record, attempts })
}

/// Reaches the fault point before a step of the write.
fn reached(step: WriteStep) {
    fault::reached(match step {
        WriteStep::Column => "fragment-each-column",
        WriteStep::Metadata => "fragment-before-metadata",
        WriteStep::Commit => "fragment-before-commit",
    });
}
