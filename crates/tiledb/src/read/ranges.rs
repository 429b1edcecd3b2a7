//! Ranges of a request as TileDB's subarray: clipped to the domain and merged, so that no cell is read twice.

use std::ffi::c_void;
use std::ptr;

use tiledb_sys as sys;

use super::request::DimensionRange;
use crate::array::Array;
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::literal::Literal;
use crate::schema::layout::{Dimension, Domain};

const ACTION: &str = "select ranges of";

/// Builds the subarray of `ranges`; `None` if they select nothing.
pub(super) fn subarray(array: &Array, ranges: &[DimensionRange]) -> Result<Option<Handle<sys::tiledb_subarray_t>>> {
    let ctx = array.ctx();
    // SAFETY: an open array and a place to write to.
    let made = ctx.make(ACTION, array.uri(), sys::tiledb_subarray_free, |c, out| unsafe {
        sys::tiledb_subarray_alloc(c, array.as_ptr(), out)
    })?;
    for range in ranges {
        let dimensions = &array.layout().dimensions;
        if !dimensions.iter().any(|dimension| dimension.name == range.dimension) {
            return Err(Error::UnknownColumn { uri: array.uri().to_owned(), column: range.dimension.clone() });
        }
    }
    for (dimension, index) in array.layout().dimensions.iter().zip(0_u32..) {
        let requested: Vec<&DimensionRange> = ranges.iter().filter(|range| range.dimension == dimension.name).collect();
        if requested.is_empty() {
            continue;
        }
        let selects = match dimension.domain {
            Domain::Float64 { low, high, .. } => {
                add(array, &made, index, merged(dimension, &requested, float, (low, high))?)?
            }
            Domain::Int64 { low, high, .. } => {
                add(array, &made, index, merged(dimension, &requested, integer, (low, high))?)?
            }
            Domain::TimestampNs { low, high, .. } => {
                add(array, &made, index, merged(dimension, &requested, time, (low, high))?)?
            }
        };
        if !selects {
            return Ok(None);
        }
    }
    Ok(Some(made))
}

/// The range of a whole dimension.
pub(super) fn whole(dimension: &Dimension) -> DimensionRange {
    let (low, high) = match dimension.domain {
        Domain::Float64 { low, high, .. } => (Literal::Float(low), Literal::Float(high)),
        Domain::Int64 { low, high, .. } => (Literal::Int(low), Literal::Int(high)),
        Domain::TimestampNs { low, high, .. } => (Literal::TimestampNs(low), Literal::TimestampNs(high)),
    };
    DimensionRange { dimension: dimension.name.clone(), low, high }
}

fn float(value: &Literal) -> Option<f64> {
    value.float()
}

fn integer(value: &Literal) -> Option<i64> {
    i64::try_from(value.integer()?).ok()
}

fn time(value: &Literal) -> Option<i64> {
    match value {
        Literal::TimestampNs(value) => Some(*value),
        _ => None,
    }
}

/// The union of the ranges as ranges that do not overlap, inside the domain, ascending.
fn merged<T: PartialOrd + Copy>(
    dimension: &Dimension,
    ranges: &[&DimensionRange],
    convert: fn(&Literal) -> Option<T>,
    domain: (T, T),
) -> Result<Vec<[T; 2]>> {
    let bind = |value: &Literal| {
        convert(value).ok_or_else(|| Error::NotRepresentable {
            column: dimension.name.clone(),
            data_type: dimension.domain.physical_type().to_arrow(),
            value: value.clone(),
        })
    };
    let mut bound = Vec::with_capacity(ranges.len());
    for range in ranges {
        let (low, high) = (bind(&range.low)?, bind(&range.high)?);
        let low = if low < domain.0 { domain.0 } else { low };
        let high = if high > domain.1 { domain.1 } else { high };
        if low <= high {
            bound.push([low, high]);
        }
    }
    bound.sort_by(|a, b| a[0].partial_cmp(&b[0]).unwrap_or(std::cmp::Ordering::Equal));
    let mut merged: Vec<[T; 2]> = Vec::with_capacity(bound.len());
    for range in bound {
        match merged.last_mut() {
            Some(last) if range[0] <= last[1] => {
                if range[1] > last[1] {
                    last[1] = range[1];
                }
            }
            _ => merged.push(range),
        }
    }
    Ok(merged)
}

/// Adds the ranges of one dimension; returns false if there are none.
fn add<T>(array: &Array, subarray: &Handle<sys::tiledb_subarray_t>, index: u32, ranges: Vec<[T; 2]>) -> Result<bool> {
    for [low, high] in &ranges {
        let (low, high): (*const c_void, *const c_void) = (ptr::from_ref(low).cast(), ptr::from_ref(high).cast());
        // SAFETY: a live subarray, an index below the number of dimensions, two values of that dimension's type.
        let code = unsafe {
            let c = array.ctx().as_ptr();
            sys::tiledb_subarray_add_range(c, subarray.as_ptr(), index, low, high, ptr::null())
        };
        array.ctx().check(code, ACTION, array.uri())?;
    }
    Ok(!ranges.is_empty())
}
