//! Reads a stored TileDB schema as layout and columns.

use std::ffi::c_void;
use std::ptr;

use tiledb_sys as sys;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::schema::column::Column;
use crate::schema::layout::{ArrayLayout, CellOrder, Dimension, Domain};
use crate::schema::physical::PhysicalType;

const ACTION: &str = "read the schema of";

/// Reads layout and columns (dimensions first) of an open array, before its metadata is known.
pub(crate) fn layout_and_columns(
    ctx: &Context,
    uri: &str,
    array: &Handle<sys::tiledb_array_t>,
) -> Result<(ArrayLayout, Vec<Column>)> {
    // SAFETY: an open array and a valid out pointer.
    let schema = ctx.make(ACTION, uri, sys::tiledb_array_schema_free, |c, out| unsafe {
        sys::tiledb_array_get_schema(c, array.as_ptr(), out)
    })?;
    let s = schema.as_ptr();
    // SAFETY: live objects, and out pointers of the type that each getter writes.
    let array_type = ctx.get(ACTION, uri, |c, out| unsafe { sys::tiledb_array_schema_get_array_type(c, s, out) })?;
    let unsupported =
        |column: &str, reason: &str| Error::Unsupported { column: column.to_owned(), reason: reason.to_owned() };
    if array_type != sys::TILEDB_SPARSE {
        return Err(unsupported("*", "dense arrays are not supported"));
    }
    // SAFETY: as above.
    let order = ctx.get(ACTION, uri, |c, out| unsafe { sys::tiledb_array_schema_get_cell_order(c, s, out) })?;
    let cell_order = match order {
        sys::TILEDB_HILBERT => CellOrder::Hilbert,
        sys::TILEDB_ROW_MAJOR => CellOrder::RowMajor,
        _ => return Err(unsupported("*", "expected cells in Hilbert or row-major order, found another order")),
    };
    // SAFETY: as above.
    let capacity = ctx.get(ACTION, uri, |c, out| unsafe { sys::tiledb_array_schema_get_capacity(c, s, out) })?;
    // SAFETY: as above.
    let duplicates: i32 =
        ctx.get(ACTION, uri, |c, out| unsafe { sys::tiledb_array_schema_get_allows_dups(c, s, out) })?;
    // SAFETY: as above; the caller owns the domain.
    let domain = ctx.make(ACTION, uri, sys::tiledb_domain_free, |c, out| unsafe {
        sys::tiledb_array_schema_get_domain(c, s, out)
    })?;
    // SAFETY: as above.
    let count: u32 = ctx.get(ACTION, uri, |c, out| unsafe { sys::tiledb_domain_get_ndim(c, domain.as_ptr(), out) })?;
    let (mut columns, mut dimensions) = (Vec::new(), Vec::new());
    for index in 0..count {
        let (column, dimension) = dimension(ctx, uri, &domain, index)?;
        columns.push(column);
        dimensions.push(dimension);
    }
    // SAFETY: as above.
    let count: u32 = ctx.get(ACTION, uri, |c, out| unsafe { sys::tiledb_array_schema_get_attribute_num(c, s, out) })?;
    for index in 0..count {
        columns.push(attribute(ctx, uri, &schema, index)?);
    }
    Ok((ArrayLayout { dimensions, cell_order, capacity, allows_duplicates: duplicates != 0 }, columns))
}

fn dimension(
    ctx: &Context,
    uri: &str,
    domain: &Handle<sys::tiledb_domain_t>,
    index: u32,
) -> Result<(Column, Dimension)> {
    // SAFETY: a live domain, an index below its count; the caller owns the dimension.
    let dimension = ctx.make(ACTION, uri, sys::tiledb_dimension_free, |c, out| unsafe {
        sys::tiledb_domain_get_dimension_from_index(c, domain.as_ptr(), index, out)
    })?;
    let d = dimension.as_ptr();
    // SAFETY: a live dimension, and out pointers of the type that each getter writes.
    let name = ctx.get_text(ACTION, uri, |c, out| unsafe { sys::tiledb_dimension_get_name(c, d, out) })?;
    // SAFETY: as above.
    let datatype = ctx.get(ACTION, uri, |c, out| unsafe { sys::tiledb_dimension_get_type(c, d, out) })?;
    let (mut limits, mut extent) = (ptr::null(), ptr::null());
    // SAFETY: as above; both pointers stay valid as long as the dimension.
    unsafe {
        ctx.check(sys::tiledb_dimension_get_domain(ctx.as_ptr(), d, &mut limits), ACTION, uri)?;
        ctx.check(sys::tiledb_dimension_get_tile_extent(ctx.as_ptr(), d, &mut extent), ACTION, uri)?;
    }
    let unsupported = || Error::Unsupported {
        column: name.clone(),
        reason: format!("TileDB datatype {datatype} is not supported for dimensions"),
    };
    if limits.is_null() {
        return Err(unsupported());
    }
    // SAFETY: the domain is two values of the dimension's type, the extent one or null.
    let domain = unsafe {
        match datatype {
            sys::TILEDB_FLOAT32 => {
                let ([low, high], extent) = (pair(limits), optional(extent));
                Domain::Float32 { low, high, extent }
            }
            sys::TILEDB_FLOAT64 => {
                let ([low, high], extent) = (pair(limits), optional(extent));
                Domain::Float64 { low, high, extent }
            }
            sys::TILEDB_INT64 => {
                let ([low, high], extent) = (pair(limits), optional(extent));
                Domain::Int64 { low, high, extent }
            }
            sys::TILEDB_DATETIME_NS => {
                let ([low, high], extent) = (pair(limits), optional(extent));
                Domain::TimestampNs { low, high, extent }
            }
            _ => return Err(unsupported()),
        }
    };
    let column = Column::new(name.clone(), domain.physical_type(), 1, false, true)?;
    Ok((column, Dimension { name, domain }))
}

/// The two values behind a pointer.
///
/// # Safety
/// `values` holds two `T`, aligned or not.
unsafe fn pair<T: Copy>(values: *const c_void) -> [T; 2] {
    // SAFETY: this function's contract.
    unsafe { values.cast::<[T; 2]>().read_unaligned() }
}

/// The value behind a pointer that may be null.
///
/// # Safety
/// `value` is null or holds a `T`, aligned or not.
unsafe fn optional<T: Copy>(value: *const c_void) -> Option<T> {
    // SAFETY: not null, so it points at a `T` by this function's contract.
    (!value.is_null()).then(|| unsafe { value.cast::<T>().read_unaligned() })
}

fn attribute(ctx: &Context, uri: &str, schema: &Handle<sys::tiledb_array_schema_t>, index: u32) -> Result<Column> {
    // SAFETY: a live schema, an index below its count; the caller owns the attribute.
    let attribute = ctx.make(ACTION, uri, sys::tiledb_attribute_free, |c, out| unsafe {
        sys::tiledb_array_schema_get_attribute_from_index(c, schema.as_ptr(), index, out)
    })?;
    let a = attribute.as_ptr();
    // SAFETY: a live attribute, and out pointers of the type that each getter writes.
    let name = ctx.get_text(ACTION, uri, |c, out| unsafe { sys::tiledb_attribute_get_name(c, a, out) })?;
    // SAFETY: as above.
    let datatype = ctx.get(ACTION, uri, |c, out| unsafe { sys::tiledb_attribute_get_type(c, a, out) })?;
    // SAFETY: as above.
    let width: u32 = ctx.get(ACTION, uri, |c, out| unsafe { sys::tiledb_attribute_get_cell_val_num(c, a, out) })?;
    // SAFETY: as above.
    let nullable: u8 = ctx.get(ACTION, uri, |c, out| unsafe { sys::tiledb_attribute_get_nullable(c, a, out) })?;
    let physical = PhysicalType::from_tiledb(datatype).filter(|physical| match physical {
        PhysicalType::Text => width == sys::TILEDB_VAR_NUM,
        PhysicalType::Bool => width == 1,
        _ => width != sys::TILEDB_VAR_NUM && width > 0,
    });
    let physical = physical.ok_or_else(|| Error::Unsupported {
        column: name.clone(),
        reason: format!("TileDB datatype {datatype} with {width} values per cell is not supported"),
    })?;
    Column::new(name, physical, if width == sys::TILEDB_VAR_NUM { 1 } else { width }, nullable != 0, false)
}
