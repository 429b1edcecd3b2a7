//! Keys of segments: a segment has the same key in every file of its granule.

use arrow::array::{Array as _, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimestampNanosecondType};
use arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use isdb_region::Region;

use crate::error::{Error, Result};

/// The columns of a segment's key.
pub(crate) const KEY_COLUMNS: [&str; 3] = ["beam", "segment_id_beg", "time"];

/// Identifies a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentKey {
    /// The two last characters of the beam, `1l` to `3r`.
    pub(crate) beam: [u8; 2],
    /// `segment_id_beg`.
    pub(crate) id: Option<i64>,
    /// In nanoseconds since 1970.
    pub(crate) time: i64,
}

/// Returns the key of each row of `batch`.
///
/// # Errors
/// When a column of [`KEY_COLUMNS`] is missing or has another type.
pub(crate) fn segment_keys(batch: &RecordBatch) -> Result<Vec<SegmentKey>> {
    let [Some(beams), Some(ids), Some(times)] = KEY_COLUMNS.map(|name| batch.column_by_name(name)) else {
        return Err(internal("the segments lack a column of their key"));
    };
    let failed = |error: ArrowError| Error::DataFusion(error.into());
    let beams = cast(beams, &DataType::LargeUtf8).map_err(failed)?;
    let ids = cast(ids, &DataType::Int64).map_err(failed)?;
    let (beams, ids) = (beams.as_string::<i64>(), ids.as_primitive::<Int64Type>());
    let Some(times) = times.as_primitive_opt::<TimestampNanosecondType>() else {
        return Err(internal("the times of the segments are not in nanoseconds"));
    };
    let key = |row| SegmentKey {
        beam: if beams.is_valid(row) { beam_code(beams.value(row)) } else { [0; 2] },
        id: ids.is_valid(row).then(|| ids.value(row)),
        time: times.value(row),
    };
    Ok((0..batch.num_rows()).map(key).collect())
}

/// Returns the keys of the rows of `batch` within `area`; of all rows for None.
///
/// # Errors
/// The errors of [`segment_keys`], and when a position is missing.
pub(crate) fn segment_keys_within(batch: &RecordBatch, area: Option<&Region>) -> Result<Vec<SegmentKey>> {
    let keys = segment_keys(batch)?;
    let Some(area) = area else { return Ok(keys) };
    let degrees = |name: &str| batch.column_by_name(name)?.as_primitive_opt::<Float64Type>();
    let (Some(latitudes), Some(longitudes)) = (degrees("latitude"), degrees("longitude")) else {
        return Err(internal("the segments have no position"));
    };
    let mask = area.mask(latitudes.values(), longitudes.values());
    Ok(keys.into_iter().zip(mask.iter()).filter(|(_, is_within)| *is_within).map(|(key, _)| key).collect())
}

/// Returns the two last characters of a beam's name.
pub(crate) fn beam_code(beam: &str) -> [u8; 2] {
    beam.as_bytes().last_chunk::<2>().copied().unwrap_or_default()
}

fn internal(problem: &str) -> Error {
    Error::DataFusion(DataFusionError::Internal(problem.to_owned()))
}
