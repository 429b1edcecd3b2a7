//! Ranges of a request as TileDB's subarray: clipped to the domain and merged, so that no cell is read twice.

use std::ffi::c_void;
use std::ptr;

use tiledb_sys as sys;

use crate::array::library::LibraryArray;
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::literal::Literal;
use crate::predicate::{Axis, DimensionRange, Intervals, single_below};
use crate::schema::layout::{Dimension, Domain};

const ACTION: &str = "select ranges of";

/// Builds the subarray of `ranges`; `None` if they select nothing.
pub(super) fn subarray(
    array: &LibraryArray,
    ranges: &[DimensionRange],
) -> Result<Option<Handle<sys::tiledb_subarray_t>>> {
    let (ctx, dimensions) = (array.ctx(), &array.layout().dimensions);
    // SAFETY: an open array and a valid out pointer.
    let subarray = ctx.make(ACTION, array.uri(), sys::tiledb_subarray_free, |c, out| unsafe {
        sys::tiledb_subarray_alloc(c, array.as_ptr(), out)
    })?;
    for range in ranges {
        if !dimensions.iter().any(|dimension| dimension.name == range.dimension) {
            return Err(Error::UnknownColumn { uri: array.uri().to_owned(), column: range.dimension.clone() });
        }
    }
    for (dimension, index) in dimensions.iter().zip(0_u32..) {
        let requested: Vec<&DimensionRange> = ranges.iter().filter(|range| range.dimension == dimension.name).collect();
        if requested.is_empty() {
            continue;
        }
        let axis = dimension.domain.axis();
        let intervals = intervals(axis, dimension, &requested)?;
        let mut is_empty = true;
        for (low, high) in intervals.iter() {
            match (dimension.domain, axis.value(low), axis.value(high)) {
                (Domain::Float32 { .. }, Literal::Float(low), Literal::Float(high)) => {
                    // No single is between a bound and the next single within the range.
                    let (low, high) = (-single_below(-low), single_below(high));
                    if low > high {
                        continue;
                    }
                    add(array, &subarray, index, &low, &high)?;
                }
                (_, Literal::Float(low), Literal::Float(high)) => add(array, &subarray, index, &low, &high)?,
                _ => add(array, &subarray, index, &low, &high)?,
            }
            is_empty = false;
        }
        if is_empty {
            return Ok(None);
        }
    }
    Ok(Some(subarray))
}

/// The range of a whole dimension.
pub(super) fn whole(dimension: &Dimension) -> DimensionRange {
    let axis = dimension.domain.axis();
    let (low, high) = dimension.domain.keys();
    DimensionRange { dimension: dimension.name.clone(), low: axis.value(low), high: axis.value(high) }
}

/// The union of the ranges inside the domain.
fn intervals(axis: Axis, dimension: &Dimension, ranges: &[&DimensionRange]) -> Result<Intervals> {
    let key = |value: &Literal| {
        axis.key(value).ok_or_else(|| Error::NotRepresentable {
            column: dimension.name.clone(),
            data_type: dimension.domain.value_type().to_arrow(),
            value: value.clone(),
        })
    };
    let pairs = ranges.iter().map(|range| Ok((key(&range.low)?, key(&range.high)?))).collect::<Result<Vec<_>>>()?;
    let (low, high) = dimension.domain.keys();
    Ok(Intervals::with_both_zeros(axis, pairs).intersect(&Intervals::new(low, high)))
}

/// Adds one range, of the dimension's type.
fn add<T>(
    array: &LibraryArray,
    subarray: &Handle<sys::tiledb_subarray_t>,
    index: u32,
    low: &T,
    high: &T,
) -> Result<()> {
    let (low, high): (*const c_void, *const c_void) = (ptr::from_ref(low).cast(), ptr::from_ref(high).cast());
    // SAFETY: a live subarray, an index below the number of dimensions, two values of that dimension's type: keys of integers and
    // timestamps are their values.
    let code = unsafe {
        let c = array.ctx().as_ptr();
        sys::tiledb_subarray_add_range(c, subarray.as_ptr(), index, low, high, ptr::null())
    };
    array.ctx().check(code, ACTION, array.uri())
}
