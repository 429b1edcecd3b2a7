//! Reads a granule's file before it is ingested, to find its segments and the variables that it lacks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use isdb_region::Region;
use isdb_schema::catalogue::Variable;

use crate::error::Result;
use crate::read::open::open_file;
use crate::stored::segment_key::segment_keys_within;
use crate::stored::segment_set::SegmentSet;

/// The contents of a granule's file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileContents {
    /// Its segments within the requested area.
    pub segments: Arc<SegmentSet>,
    /// The first and the last time of all its segments, in nanoseconds since 1970; None if there are none.
    pub span: Option<(i64, i64)>,
    /// The requested variables, and the ends of the segment, that at least one beam lacks.
    pub missing: Vec<&'static str>,
}

/// Reads position, time and ids of the segments of the granule in the local file `path`, and which of `variables` it has; within
/// `area`, or everywhere for None. Returns None if the file cannot be read: ingesting it reports why. Blocks.
#[must_use]
pub fn file_contents(path: &Path, variables: &[&'static Variable], area: Option<&Region>) -> Option<FileContents> {
    let read = || -> Option<FileContents> {
        let granule = open_file(path).ok()?;
        let missing = granule.missing(variables).ok()?;
        let decoded = granule.decode(&[], 1).ok()?;
        let collect = |area: Option<&Region>| -> Result<SegmentSet> {
            let mut segments = SegmentSet::default();
            for batch in &decoded.batches {
                segments.extend(segment_keys_within(batch, area)?);
            }
            Ok(segments)
        };
        let all = collect(None).ok()?;
        let span = all.span();
        let segments = if area.is_some() { collect(area).ok()? } else { all };
        Some(FileContents { segments: Arc::new(segments), span, missing })
    };
    // The HDF5 reader may panic on a damaged file.
    catch_unwind(AssertUnwindSafe(read)).ok().flatten()
}
