//! The record batch of a beam: decoded columns, the columns derived from them, and only the rows that have a position and a time.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int8Array, Int32Array, PrimitiveArray, RecordBatch,
    UInt8Array,
};
use arrow::buffer::BooleanBuffer;
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Field, Float64Type, Int32Type, SchemaRef, TimestampNanosecondType};
use arrow::error::ArrowError;

use isdb_schema::segments::BEAMS;

use crate::beam::Beam;
use crate::rows::dictionary::{BEAM_TEXTS, dictionary, key};
use crate::rows::laser::LaserColumns;
use crate::rows::orientation::Orientations;

/// The rows of one beam.
pub(crate) struct BeamRows {
    pub(crate) batch: RecordBatch,
    /// The rows with a position and a time, if not all have them.
    pub(crate) valid: Option<BooleanBuffer>,
    /// The number of rows left out because they have no position or no time.
    pub(crate) rejected: usize,
    /// Whether `atlas_beam_type` and `sc_orient` disagree on the strength of some row.
    pub(crate) strength_contradicted: bool,
    /// Whether the spacecraft was turning in some row.
    pub(crate) in_transition: bool,
    /// Whether the strength of some row is unknown.
    pub(crate) strength_unknown: bool,
}

/// Assembles the batch of `schema` from `columns`, in the order of [`column_requests`](crate::decode::request::column_requests).
pub(crate) fn assemble(
    beam: &Beam,
    schema: &SchemaRef,
    columns: Vec<ArrayRef>,
    orientations: &Orientations,
) -> Result<BeamRows, ArrowError> {
    let mut columns = columns.into_iter();
    let [Some(latitude), Some(longitude), Some(time), Some(segment), Some(segment_end)] =
        std::array::from_fn(|_| columns.next())
    else {
        return Err(ArrowError::SchemaError("the leading columns were not decoded".to_owned()));
    };
    let latitude = within(latitude.as_primitive::<Float64Type>(), 90.0);
    let longitude = within(longitude.as_primitive::<Float64Type>(), 180.0);
    let time = time.as_primitive::<TimestampNanosecondType>();
    let laser = beam.laser.columns(beam.name, time, orientations)?;
    let LaserColumns { orientation, strength, spot, strength_contradicted, in_transition, strength_unknown } = laser;
    let geosegments = geosegments(segment.as_primitive::<Int32Type>(), segment_end.as_primitive::<Int32Type>());

    let keep = [&latitude as &dyn Array, &longitude, time].into_iter().filter_map(Array::nulls);
    let keep = keep.map(|nulls| nulls.inner().clone()).reduce(|a, b| &a & &b);
    let rejected = keep.as_ref().map_or(0, |keep| beam.rows - keep.count_set_bits());

    let mut arrays: Vec<ArrayRef> = vec![
        Arc::new(Float64Array::new(latitude.values().clone(), None)),
        Arc::new(Float64Array::new(longitude.values().clone(), None)),
        Arc::new(PrimitiveArray::<TimestampNanosecondType>::new(time.values().clone(), None).with_timezone("UTC")),
        beam_names(beam)?,
        strength,
        Arc::new(orientation),
        Arc::new(spot),
        Arc::new(geosegments),
        segment,
    ];
    let next_column = |field: &Arc<Field>| match field.name().as_str() {
        "segment_id_end" => Some(Arc::clone(&segment_end)),
        _ => columns.next(),
    };
    arrays.extend(schema.fields().iter().skip(arrays.len()).filter_map(next_column));
    let mut batch = RecordBatch::try_new(Arc::clone(schema), arrays)?;
    let valid = keep.filter(|_| rejected > 0);
    if let Some(valid) = &valid {
        batch = filter_record_batch(&batch, &BooleanArray::new(valid.clone(), None))?;
    }
    Ok(BeamRows { batch, valid, rejected, strength_contradicted, in_transition, strength_unknown })
}

/// The name of the beam in each row.
fn beam_names(beam: &Beam) -> Result<ArrayRef, ArrowError> {
    let unknown = || ArrowError::InvalidArgumentError(format!("expected a ground track, found {}", beam.name));
    let key = key(&BEAMS, beam.name).ok_or_else(unknown)?;
    dictionary(UInt8Array::from_value(key, beam.rows), &BEAM_TEXTS)
}

/// The number of 20 m geolocation segments from `begin` to `end` inclusive; NULL unless it is from 1 to 127.
fn geosegments(begin: &Int32Array, end: &Int32Array) -> Int8Array {
    let spanned = |(begin, end): (Option<i32>, Option<i32>)| end?.checked_sub(begin?)?.checked_add(1);
    let counts = begin.iter().zip(end).map(|ends| spanned(ends).and_then(|n| i8::try_from(n).ok()).filter(|n| *n > 0));
    counts.collect()
}

/// Degrees within ± `limit`, NULL outside. Negative zeros become positive, because TileDB orders them below the positive ones. The product
/// has single precision; files of others with more digits are rounded to it.
#[expect(clippy::cast_possible_truncation, reason = "the precision of the product")]
fn within(degrees: &Float64Array, limit: f64) -> Float64Array {
    let known = |degree: &f64| degree.abs() <= limit;
    degrees.iter().map(|degree| degree.filter(known).map(|degree| f64::from(degree as f32 + 0.0))).collect()
}
