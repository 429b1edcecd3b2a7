//! A granule of an ingest plan.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, LargeStringArray, new_null_array};
use arrow::datatypes::DataType;

use crate::filter::minimum_rows::MinimumRows;
use crate::stored::segment_set::SegmentSet;

/// A granule to read, and the id of its rows. Filters and derived columns can use the fields from `granule` to
/// `qa_granule_pass_fail`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlannedGranule {
    /// The HDF5 file, or its URL `s3://bucket/key` in a store that the engine knows.
    pub path: PathBuf,
    /// Its size.
    pub size_bytes: u64,
    /// When the file was last changed, in nanoseconds since 1970, if it was identified as a local file. The granule fails if the
    /// file's size or time differs after it was read.
    pub modified_at: Option<i64>,
    /// Checksum of its content, if known. For a local file without one, it is computed.
    pub checksum: Option<String>,
    /// The id of this attempt.
    pub ingest_id: i64,
    /// The granule's id.
    pub granule: String,
    /// Cycle of the mission.
    pub cycle: Option<i32>,
    /// Region along the orbit.
    pub region: Option<i32>,
    /// Release, `007`.
    pub release: Option<String>,
    /// Revision, `01`.
    pub revision: Option<String>,
    /// The product's own quality flag: 0 pass, 1 fail.
    pub qa_granule_pass_fail: Option<i32>,
    /// The attempts at other subsets of the granule. Segments that one of them has stored are not stored again.
    pub merges_with: Vec<i64>,
    /// The number of segments that the granule needs to replace stored segments.
    pub minimum: MinimumRows,
    /// The attempts that it replaces in part.
    pub carried: Vec<PlannedCarry>,
}

/// An attempt that another one replaces in part. Its segments that the newer attempt does not have are written again, as a new
/// attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedCarry {
    /// The attempt that has stored the segments so far.
    pub from: i64,
    /// The attempt that stores the carried segments.
    pub to: i64,
    /// The attempt that replaces the other segments. If it fails, nothing is carried.
    pub replaced_by: i64,
    /// The segments of `replaced_by`.
    pub replacement: Arc<SegmentSet>,
}

impl PlannedGranule {
    /// Returns the column `name` of [`isdb_schema::columns::GRANULE_COLUMNS`] for `rows` rows; None for other names.
    pub(crate) fn column(&self, name: &str, rows: usize) -> Option<ArrayRef> {
        let text = |value: Option<&str>| -> ArrayRef {
            match value {
                Some(value) => Arc::new(LargeStringArray::new_repeated(value, rows)),
                None => new_null_array(&DataType::LargeUtf8, rows),
            }
        };
        let number = |value: Option<i32>| -> ArrayRef {
            match value {
                Some(value) => Arc::new(Int32Array::from_value(value, rows)),
                None => new_null_array(&DataType::Int32, rows),
            }
        };
        Some(match name {
            "granule" => text(Some(&self.granule)),
            "cycle" => number(self.cycle),
            "region" => number(self.region),
            "release" => text(self.release.as_deref()),
            "revision" => text(self.revision.as_deref()),
            "qa_granule_pass_fail" => number(self.qa_granule_pass_fail),
            _ => return None,
        })
    }
}
