//! One beam: what it holds, and how its columns become a record batch of valid rows.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int8Array, Int32Array, LargeStringArray};
use arrow::array::{PrimitiveArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Field, Float64Type, Int32Type, SchemaRef, TimestampNanosecondType};
use arrow::error::ArrowError;
use isdb_schema::catalogue::{Dtype, Variable, variable};
use isdb_schema::segments::selected_variables;

use crate::error::Reason;
use crate::laser::{Laser, LaserColumns};
use crate::metadata::present;
use crate::orientation::Orientations;
use crate::time::{Clock, Epoch};

/// The beams in their order in the product.
pub(crate) const BEAMS: [&str; 6] = ["gt1l", "gt1r", "gt2l", "gt2r", "gt3l", "gt3r"];

/// The variables that `n_geosegments` comes of.
const SEGMENT_ENDS: [&str; 2] = ["segment_id_beg", "segment_id_end"];

/// No beam holds more segments than this: the most seen in one are 10,214.
const MAX_ROWS: usize = 100_000;

/// Deflate makes at most this many bytes of one.
const MAX_INFLATION: u64 = 1032;

/// A column to decode: a variable and the type wanted of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) variable: &'static Variable,
    pub(crate) dtype: Dtype,
}

/// The columns that [`assemble`] needs, in its order: the position as doubles, the time (which becomes UTC nanoseconds), both ends of
/// the segment, then the other wanted variables.
pub(crate) fn columns_for(wanted: &[&Variable]) -> Vec<Wanted> {
    let coordinates = ["latitude", "longitude", "delta_time"].map(|name| (name, Dtype::Float64));
    let leading = coordinates.into_iter().chain(SEGMENT_ENDS.map(|name| (name, Dtype::Int32)));
    let leading = leading.filter_map(|(name, dtype)| Some(Wanted { variable: variable(name)?, dtype }));
    let others = selected_variables(wanted).filter(|variable| !SEGMENT_ENDS.contains(&variable.name));
    leading.chain(others.map(|variable| Wanted { variable, dtype: variable.dtype })).collect()
}

/// A beam that has rows.
pub(crate) struct Beam {
    pub(crate) name: &'static str,
    pub(crate) group: hdf5::Group,
    pub(crate) rows: usize,
    /// The units of `delta_time` if they are not the product's.
    pub(crate) units: Option<String>,
    laser: Laser,
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
    pub(crate) fn find(
        file: &hdf5::File,
        name: &'static str,
        file_len: u64,
        epoch: Epoch,
    ) -> Result<Found, (String, Reason)> {
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
        let of_time = |reason: Reason| (at("land_segments/delta_time"), reason);
        let rows = rows(&delta_time, file_len).map_err(of_time)?;
        if rows == 0 {
            return Ok(Found::Empty);
        }
        let attributes = delta_time.attrs().map_err(|error| of_time(error.into()))?;
        let units = Clock::of(&attributes, epoch).map_err(|error| of_time(error.into()))?.foreign;
        let laser = Laser::of(&beam.attrs().unwrap_or_default());
        Ok(Found::Rows(Self { name, group, rows, units, laser }))
    }
}

/// Number of rows, held against what the file can contain before anything is allocated for them.
fn rows(delta_time: &hdf5::Dataset, file_len: u64) -> Result<usize, Reason> {
    let shape = delta_time.shape()?;
    let [rows] = shape[..] else { return Err(format!("it has {} dimensions", shape.len()).into()) };
    let possible = file_len.saturating_mul(MAX_INFLATION) / 8;
    let rows = usize::try_from(rows)?;
    if rows > MAX_ROWS || rows as u64 > possible {
        return Err(format!("{rows} rows, expected at most {}", MAX_ROWS.min(usize::try_from(possible)?)).into());
    }
    Ok(rows)
}

/// The rows of one beam as a batch of `schema`.
pub(crate) struct Assembled {
    pub(crate) batch: RecordBatch,
    /// Rows without a position or a time.
    pub(crate) rejected: usize,
    /// Whether `atlas_beam_type` and `sc_orient` name different beams strong.
    pub(crate) contradicted: bool,
    /// Whether the spacecraft was turning over some row.
    pub(crate) in_transition: bool,
    /// Whether nothing tells the strength of some row.
    pub(crate) unknown: bool,
}

/// Puts together the `columns` that [`columns_for`] named.
pub(crate) fn assemble(
    beam: &Beam,
    schema: &SchemaRef,
    columns: Vec<ArrayRef>,
    orientations: &Orientations,
) -> Result<Assembled, ArrowError> {
    let mut columns = columns.into_iter();
    let [Some(latitude), Some(longitude), Some(time), Some(segment), Some(segment_end)] =
        std::array::from_fn(|_| columns.next())
    else {
        return Err(ArrowError::SchemaError("the leading columns were not decoded".to_owned()));
    };
    let latitude = bounded(latitude.as_primitive::<Float64Type>(), 90.0);
    let longitude = bounded(longitude.as_primitive::<Float64Type>(), 180.0);
    let time = time.as_primitive::<TimestampNanosecondType>();
    let laser = beam.laser.columns(beam.name, time, orientations);
    let LaserColumns { orientation, strength, spot, contradicted, in_transition, unknown } = laser;
    let geosegments = geosegments(segment.as_primitive::<Int32Type>(), segment_end.as_primitive::<Int32Type>());

    let keep = [&latitude as &dyn Array, &longitude, time].into_iter().filter_map(Array::nulls);
    let keep = keep.map(|nulls| nulls.inner().clone()).reduce(|a, b| &a & &b);
    let rejected = keep.as_ref().map_or(0, |keep| beam.rows - keep.count_set_bits());

    let mut arrays: Vec<ArrayRef> = vec![
        Arc::new(Float64Array::new(latitude.values().clone(), None)),
        Arc::new(Float64Array::new(longitude.values().clone(), None)),
        Arc::new(PrimitiveArray::<TimestampNanosecondType>::new(time.values().clone(), None).with_timezone("UTC")),
        Arc::new(LargeStringArray::new_repeated(beam.name, beam.rows)),
        Arc::new(strength),
        Arc::new(orientation),
        Arc::new(spot),
        Arc::new(geosegments),
        segment,
    ];
    let wanted = |field: &Arc<Field>| match field.name().as_str() {
        "segment_id_end" => Some(Arc::clone(&segment_end)),
        _ => columns.next(),
    };
    arrays.extend(schema.fields().iter().skip(arrays.len()).filter_map(wanted));
    let mut batch = RecordBatch::try_new(Arc::clone(schema), arrays)?;
    if let Some(keep) = keep.filter(|_| rejected > 0) {
        batch = filter_record_batch(&batch, &BooleanArray::new(keep, None))?;
    }
    Ok(Assembled { batch, rejected, contradicted, in_transition, unknown })
}

/// How many 20 m geolocation segments lie from `begin` to `end`, both counted; NULL if that is no small whole number.
fn geosegments(begin: &Int32Array, end: &Int32Array) -> Int8Array {
    let spanned = |(begin, end): (Option<i32>, Option<i32>)| end?.checked_sub(begin?)?.checked_add(1);
    let counts = begin.iter().zip(end).map(|ends| spanned(ends).and_then(|n| i8::try_from(n).ok()).filter(|n| *n > 0));
    counts.collect()
}

/// Degrees within ± `limit`, NULL outside, and without negative zeros, which an array orders below the positive.
fn bounded(degrees: &Float64Array, limit: f64) -> Float64Array {
    degrees.iter().map(|degree| degree.filter(|degree| degree.abs() <= limit).map(|degree| degree + 0.0)).collect()
}
