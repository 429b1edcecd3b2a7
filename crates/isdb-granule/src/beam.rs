//! One beam: what it holds, and how its columns become a record batch of valid rows.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int8Array, Int32Array, LargeStringArray};
use arrow::array::{RecordBatch, TimestampNanosecondArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Float64Type, Int32Type, SchemaRef};
use arrow::error::ArrowError;
use isdb_schema::catalogue::{Dtype, Variable, variable};
use isdb_schema::segments::wanted_variables;

use crate::error::Reason;
use crate::metadata::{Attributes, present, text};
use crate::orientation::{Orientations, strength};
use crate::time::Epoch;

/// The beams in their order in the product.
pub(crate) const BEAMS: [&str; 6] = ["gt1l", "gt1r", "gt2l", "gt2r", "gt3l", "gt3r"];

/// No beam holds more segments than this: an orbit has 400,000.
const MAX_ROWS: usize = 1_000_000;

/// Deflate makes at most this many bytes of one.
const MAX_INFLATION: u64 = 1032;

/// A column to decode: a variable and the type wanted of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) variable: &'static Variable,
    pub(crate) dtype: Dtype,
}

/// The columns that [`assemble`] needs, in its order: the coordinates as doubles, the segment, then the wanted variables.
pub(crate) fn columns_for(wanted: &[&Variable]) -> Vec<Wanted> {
    let leading = [("latitude", Dtype::Float64), ("longitude", Dtype::Float64), ("delta_time", Dtype::Float64)];
    let leading = leading.into_iter().chain([("segment_id_beg", Dtype::Int32)]);
    let leading = leading.filter_map(|(name, dtype)| Some(Wanted { variable: variable(name)?, dtype }));
    leading.chain(wanted_variables(wanted).map(|variable| Wanted { variable, dtype: variable.dtype })).collect()
}

/// A beam that has rows.
pub(crate) struct Beam {
    pub(crate) name: &'static str,
    pub(crate) group: hdf5::Group,
    pub(crate) rows: usize,
    strength: Option<String>,
}

/// What is found under a beam's name.
pub(crate) enum Found {
    /// No such group, or no `land_segments` in it.
    Missing,
    /// `land_segments` without datasets, or with none of a row.
    Empty,
    /// Rows to decode.
    Rows(Beam),
}

impl Beam {
    /// Looks for the beam `name`; the error tells the dataset that is at fault.
    pub(crate) fn find(file: &hdf5::File, name: &'static str, file_len: u64) -> Result<Found, (String, Reason)> {
        let at = |path: &str| format!("{name}/{path}");
        let failed = |error: hdf5::Error| (at("land_segments"), Reason::from(error));
        let Some(beam) = present(file.group(name)).map_err(failed)? else { return Ok(Found::Missing) };
        let Some(group) = present(beam.group("land_segments")).map_err(failed)? else { return Ok(Found::Missing) };
        let Some(delta_time) = present(group.dataset("delta_time")).map_err(failed)? else {
            // Subsetters leave beams without datasets; other datasets without their time are a damaged beam.
            return match group.datasets().map_err(failed)?.is_empty() {
                true => Ok(Found::Empty),
                false => Err((at("land_segments/delta_time"), "it is missing".into())),
            };
        };
        let rows = rows(&delta_time, file_len).map_err(|reason| (at("land_segments/delta_time"), reason))?;
        if rows == 0 {
            return Ok(Found::Empty);
        }
        let attributes: Attributes = beam.attrs().unwrap_or_default();
        let strength = text(&attributes, "atlas_beam_type").map(|text| text.to_ascii_lowercase());
        let strength = strength.filter(|text| text == "strong" || text == "weak");
        Ok(Found::Rows(Self { name, group, rows, strength }))
    }
}

/// Number of rows, held against what the file can contain before anything is allocated for them.
fn rows(delta_time: &hdf5::Dataset, file_len: u64) -> Result<usize, Reason> {
    let shape = delta_time.shape()?;
    let [rows] = shape[..] else { return Err(format!("it has {} dimensions", shape.len()).into()) };
    let possible = file_len.saturating_mul(MAX_INFLATION) / 8;
    let rows = usize::try_from(rows)?;
    if rows > MAX_ROWS || rows as u64 > possible {
        return Err(format!("{rows} rows are more than the file can hold").into());
    }
    Ok(rows)
}

/// The rows of one beam as a batch of `schema`.
pub(crate) struct Assembled {
    pub(crate) batch: RecordBatch,
    /// Rows without a position, a time or a segment.
    pub(crate) rejected: usize,
    /// Whether `atlas_beam_type` and `sc_orient` name different beams strong.
    pub(crate) contradiction: bool,
}

/// Puts together the `columns` that [`columns_for`] named.
pub(crate) fn assemble(
    beam: &Beam,
    schema: &SchemaRef,
    columns: Vec<ArrayRef>,
    epoch: Epoch,
    orientations: &Orientations,
) -> Result<Assembled, ArrowError> {
    let mut columns = columns.into_iter();
    let [Some(latitude), Some(longitude), Some(delta_time), Some(segment)] = std::array::from_fn(|_| columns.next())
    else {
        return Err(ArrowError::SchemaError("the leading columns were not decoded".to_owned()));
    };
    let latitude = bounded(latitude.as_primitive::<Float64Type>(), 90.0);
    let longitude = bounded(longitude.as_primitive::<Float64Type>(), 180.0);
    let delta_time = delta_time.as_primitive::<Float64Type>();
    let segment = segment.as_primitive::<Int32Type>();
    let time: TimestampNanosecondArray = delta_time.iter().map(|dt| dt.and_then(|dt| epoch.nanoseconds(dt))).collect();

    let orientation: Int8Array = delta_time.iter().map(|dt| dt.and_then(|dt| orientations.at(dt))).collect();
    let by_orientation = |orientation: Option<i8>| orientation.and_then(|o| strength(beam.name, o));
    let mut contradiction = false;
    let strengths: LargeStringArray = match beam.strength.as_deref() {
        Some(own) => {
            contradiction = orientation.iter().any(|o| by_orientation(o).is_some_and(|other| other != own));
            LargeStringArray::new_repeated(own, beam.rows)
        }
        None => orientation.iter().map(by_orientation).collect(),
    };

    let keep = [&latitude as &dyn Array, &longitude, &time, segment].into_iter().filter_map(Array::nulls);
    let keep = keep.map(|nulls| nulls.inner().clone()).reduce(|a, b| &a & &b);
    let rejected = keep.as_ref().map_or(0, |keep| beam.rows - keep.count_set_bits());

    let mut arrays: Vec<ArrayRef> = vec![
        Arc::new(Float64Array::new(latitude.values().clone(), None)),
        Arc::new(Float64Array::new(longitude.values().clone(), None)),
        Arc::new(TimestampNanosecondArray::new(time.values().clone(), None).with_timezone("UTC")),
        Arc::new(LargeStringArray::new_repeated(beam.name, beam.rows)),
        Arc::new(strengths),
        Arc::new(orientation),
        Arc::new(Int32Array::new(segment.values().clone(), None)),
    ];
    arrays.extend(columns);
    let mut batch = RecordBatch::try_new(Arc::clone(schema), arrays)?;
    if let Some(keep) = keep.filter(|_| rejected > 0) {
        batch = filter_record_batch(&batch, &BooleanArray::new(keep, None))?;
    }
    Ok(Assembled { batch, rejected, contradiction })
}

/// Degrees within ± `limit`, NULL outside, and without negative zeros, which an array orders below the positive.
fn bounded(degrees: &Float64Array, limit: f64) -> Float64Array {
    degrees.iter().map(|degree| degree.filter(|degree| degree.abs() <= limit).map(|degree| degree + 0.0)).collect()
}
