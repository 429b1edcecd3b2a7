//! Reads a stored TileDB schema as layout and columns.

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
    // SAFETY: the domain is two values of the dimension's type, the extent one or null; both types below have 8 bytes,
    // and the reads are unaligned.
    let (floats, integers) = unsafe {
        let (low, extent_float) = (limits.cast::<f64>(), extent.cast::<f64>());
        let (low_integer, extent_integer) = (limits.cast::<i64>(), extent.cast::<i64>());
        match datatype {
            sys::TILEDB_FLOAT64 | sys::TILEDB_INT64 | sys::TILEDB_DATETIME_NS => (
                (low.read_unaligned(), low.add(1).read_unaligned(), optional(extent_float)),
                (low_integer.read_unaligned(), low_integer.add(1).read_unaligned(), optional(extent_integer)),
            ),
            _ => return Err(unsupported()),
        }
    };
    let domain = match datatype {
        sys::TILEDB_FLOAT64 => Domain::Float64 { low: floats.0, high: floats.1, extent: floats.2 },
        sys::TILEDB_INT64 => Domain::Int64 { low: integers.0, high: integers.1, extent: integers.2 },
        _ => Domain::TimestampNs { low: integers.0, high: integers.1, extent: integers.2 },
    };
    let column = Column::new(name.clone(), domain.physical_type(), 1, false, true)?;
    Ok((column, Dimension { name, domain }))
}

/// The value behind a pointer that may be null.
///
/// # Safety
/// `value` is null or holds a `T`, aligned or not.
unsafe fn optional<T>(value: *const T) -> Option<T> {
    // SAFETY: not null, so it points at a `T` by this function's contract.
    (!value.is_null()).then(|| unsafe { value.read_unaligned() })
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
