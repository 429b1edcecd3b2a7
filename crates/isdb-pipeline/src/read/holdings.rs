//! What a file of a granule holds, before it is ingested: which segments, and how many of the variables.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use isdb_region::Region;
use isdb_schema::catalogue::Variable;

use crate::error::Result;
use crate::read::granule_source::open_file;
use crate::stored::segment_keys::{SegmentKeys, keys_within};

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    /// Its segments within the area that is asked for.
    pub segments: Arc<SegmentKeys>,
    /// The first and the last time of all its segments, in nanoseconds since 1970; None without any.
    pub span: Option<(i64, i64)>,
    /// Variables that were asked for and that some beam lacks, and the ends of the segment.
    pub missing: Vec<&'static str>,
}

/// What the granule in the local file `path` holds of `variables` within `area`; of everything for None. Reads position, time
/// and ids of the segments, and blocks. None if the file cannot be read: ingesting it says why.
#[must_use]
pub fn holdings(path: &Path, variables: &[&'static Variable], area: Option<&Region>) -> Option<Holdings> {
    let held = || -> Option<Holdings> {
        let granule = open_file(path).ok()?;
        let missing = granule.missing(variables).ok()?;
        let decoded = granule.decode(&[], 1).ok()?;
        let collect = |area: Option<&Region>| -> Result<SegmentKeys> {
            let mut segments = SegmentKeys::default();
            for batch in &decoded.batches {
                segments.extend(keys_within(batch, area)?);
            }
            Ok(segments)
        };
        let all = collect(None).ok()?;
        let span = all.span();
        let segments = if area.is_some() { collect(area).ok()? } else { all };
        Some(Holdings { segments: Arc::new(segments), span, missing })
    };
    // The HDF5 reader may panic on a file that nobody foresaw.
    catch_unwind(AssertUnwindSafe(held)).ok().flatten()
}
