//! An Arrow schema and a layout ⇄ TileDB's array schema.

use std::ffi::c_void;
use std::ptr;

use arrow::datatypes::Schema;
use tiledb_sys as sys;

use crate::column::{Column, Physical};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::filter;
use crate::handle::Handle;
use crate::layout::{ArrayLayout, CellOrder, Dimension, Domain};

const BUILD: &str = "build the schema of";
const READ: &str = "read the schema of";

/// Columns in the order handed out: dimensions first.
pub(crate) fn columns(layout: &ArrayLayout, schema: &Schema) -> Result<Vec<Column>> {
    let unsupported = |column: &str, reason: String| Error::Unsupported { column: column.to_owned(), reason };
    let mut columns = Vec::with_capacity(schema.fields().len());
    for dimension in &layout.dimensions {
        let field = schema.field_with_name(&dimension.name);
        let field = field.map_err(|_| unsupported(&dimension.name, "a dimension has no field".to_owned()))?;
        let column = Column::of(field, true)?;
        if column.nullable || column.width != 1 || column.physical != physical(dimension.domain) {
            let expected = physical(dimension.domain).arrow();
            return Err(unsupported(
                &dimension.name,
                format!("this dimension's field must be {expected} and not nullable"),
            ));
        }
        columns.push(column);
    }
    for (at, field) in schema.fields().iter().enumerate() {
        if schema.fields().iter().take(at).any(|earlier| earlier.name() == field.name()) {
            return Err(unsupported(field.name(), "the name is used twice".to_owned()));
        }
        if !layout.dimensions.iter().any(|dimension| dimension.name == *field.name()) {
            columns.push(Column::of(field, false)?);
        }
    }
    Ok(columns)
}

/// The physical type of a dimension.
pub(crate) fn physical(domain: Domain) -> Physical {
    match domain {
        Domain::Float64 { .. } => Physical::Float64,
        Domain::Int64 { .. } => Physical::Int64,
        Domain::TimestampNs { .. } => Physical::TimestampNs,
    }
}

/// TileDB's schema for these columns, in force from `timestamp_ms` on.
pub(crate) fn build(
    ctx: &Context,
    uri: &str,
    timestamp_ms: u64,
    layout: &ArrayLayout,
    columns: &[Column],
) -> Result<Handle<sys::tiledb_array_schema_t>> {
    // SAFETY: a live context and a place to write to.
    let schema = ctx.make(BUILD, uri, sys::tiledb_array_schema_free, |c, out| unsafe {
        sys::tiledb_array_schema_alloc_at_timestamp(c, sys::TILEDB_SPARSE, timestamp_ms, out)
    })?;
    // SAFETY: as above.
    let domain = ctx.make(BUILD, uri, sys::tiledb_domain_free, |c, out| unsafe { sys::tiledb_domain_alloc(c, out) })?;
    let order = match layout.cell_order {
        CellOrder::Hilbert => sys::TILEDB_HILBERT,
        CellOrder::RowMajor => sys::TILEDB_ROW_MAJOR,
    };
    let (c, s) = (ctx.as_ptr(), schema.as_ptr());
    for (column, dimension) in columns.iter().zip(&layout.dimensions) {
        let dimension = build_dimension(ctx, uri, column, dimension)?;
        // SAFETY: all alive; the domain keeps its own reference.
        ctx.check(unsafe { sys::tiledb_domain_add_dimension(c, domain.as_ptr(), dimension.as_ptr()) }, BUILD, uri)?;
    }
    let (offsets, validity) = (filter::offsets(ctx)?, filter::validity(ctx)?);
    // SAFETY: all alive; the schema copies what it is given.
    unsafe {
        ctx.check(sys::tiledb_array_schema_set_domain(c, s, domain.as_ptr()), BUILD, uri)?;
        ctx.check(sys::tiledb_array_schema_set_cell_order(c, s, order), BUILD, uri)?;
        ctx.check(sys::tiledb_array_schema_set_tile_order(c, s, sys::TILEDB_ROW_MAJOR), BUILD, uri)?;
        ctx.check(sys::tiledb_array_schema_set_capacity(c, s, layout.capacity), BUILD, uri)?;
        ctx.check(sys::tiledb_array_schema_set_allows_dups(c, s, i32::from(layout.allows_duplicates)), BUILD, uri)?;
        ctx.check(sys::tiledb_array_schema_set_offsets_filter_list(c, s, offsets.as_ptr()), BUILD, uri)?;
        ctx.check(sys::tiledb_array_schema_set_validity_filter_list(c, s, validity.as_ptr()), BUILD, uri)?;
    }
    for column in columns.iter().filter(|column| !column.is_dimension) {
        let attribute = build_attribute(ctx, uri, column)?;
        // SAFETY: both alive; the schema keeps its own reference.
        ctx.check(unsafe { sys::tiledb_array_schema_add_attribute(c, s, attribute.as_ptr()) }, BUILD, uri)?;
    }
    // SAFETY: a live schema.
    ctx.check(unsafe { sys::tiledb_array_schema_check(c, s) }, BUILD, uri)?;
    Ok(schema)
}

fn build_dimension(
    ctx: &Context,
    uri: &str,
    column: &Column,
    dimension: &Dimension,
) -> Result<Handle<sys::tiledb_dimension_t>> {
    fn make<T>(
        ctx: &Context,
        uri: &str,
        column: &Column,
        limits: [T; 2],
        extent: Option<T>,
    ) -> Result<Handle<sys::tiledb_dimension_t>> {
        let limits: *const c_void = limits.as_ptr().cast();
        let extent: *const c_void = extent.as_ref().map_or(ptr::null(), ptr::from_ref).cast();
        // SAFETY: two limits and one extent (or null) of the dimension's own type, read during the call.
        ctx.make(BUILD, uri, sys::tiledb_dimension_free, |c, out| unsafe {
            sys::tiledb_dimension_alloc(c, column.c_name.as_ptr(), column.physical.datatype(), limits, extent, out)
        })
    }
    let made = match dimension.domain {
        Domain::Float64 { low, high, extent } => make(ctx, uri, column, [low, high], extent)?,
        Domain::Int64 { low, high, extent } | Domain::TimestampNs { low, high, extent } => {
            make(ctx, uri, column, [low, high], extent)?
        }
    };
    let filters = filter::coordinates(ctx, dimension.domain)?;
    // SAFETY: all alive; the dimension copies the list.
    let code = unsafe { sys::tiledb_dimension_set_filter_list(ctx.as_ptr(), made.as_ptr(), filters.as_ptr()) };
    ctx.check(code, BUILD, uri)?;
    Ok(made)
}

pub(crate) fn build_attribute(ctx: &Context, uri: &str, column: &Column) -> Result<Handle<sys::tiledb_attribute_t>> {
    // SAFETY: a live context, a name that outlives the call, a place to write to.
    let attribute = ctx.make(BUILD, uri, sys::tiledb_attribute_free, |c, out| unsafe {
        sys::tiledb_attribute_alloc(c, column.c_name.as_ptr(), column.physical.datatype(), out)
    })?;
    let width = if column.is_text() { sys::TILEDB_VAR_NUM } else { column.width };
    let filters = filter::values(ctx, column.physical)?;
    let (c, a) = (ctx.as_ptr(), attribute.as_ptr());
    // SAFETY: all alive; the attribute copies what it is given.
    unsafe {
        ctx.check(sys::tiledb_attribute_set_cell_val_num(c, a, width), BUILD, uri)?;
        ctx.check(sys::tiledb_attribute_set_nullable(c, a, u8::from(column.nullable)), BUILD, uri)?;
        ctx.check(sys::tiledb_attribute_set_filter_list(c, a, filters.as_ptr()), BUILD, uri)?;
    }
    Ok(attribute)
}

/// Layout and columns (dimensions first) of a stored array, before its metadata is known.
pub(crate) fn read(
    ctx: &Context,
    uri: &str,
    array: &Handle<sys::tiledb_array_t>,
) -> Result<(ArrayLayout, Vec<Column>)> {
    // SAFETY: an open array and a place to write to.
    let schema = ctx.make(READ, uri, sys::tiledb_array_schema_free, |c, out| unsafe {
        sys::tiledb_array_get_schema(c, array.as_ptr(), out)
    })?;
    let s = schema.as_ptr();
    // SAFETY: live objects, and places of the type each getter writes.
    let array_type = ctx.get(READ, uri, |c, out| unsafe { sys::tiledb_array_schema_get_array_type(c, s, out) })?;
    let unsupported =
        |column: &str, reason: &str| Error::Unsupported { column: column.to_owned(), reason: reason.to_owned() };
    if array_type != sys::TILEDB_SPARSE {
        return Err(unsupported("*", "the array is dense; only sparse arrays are read"));
    }
    // SAFETY: as above.
    let order = ctx.get(READ, uri, |c, out| unsafe { sys::tiledb_array_schema_get_cell_order(c, s, out) })?;
    let cell_order = match order {
        sys::TILEDB_HILBERT => CellOrder::Hilbert,
        sys::TILEDB_ROW_MAJOR => CellOrder::RowMajor,
        _ => return Err(unsupported("*", "the array's cells are in column-major order")),
    };
    // SAFETY: as above.
    let capacity = ctx.get(READ, uri, |c, out| unsafe { sys::tiledb_array_schema_get_capacity(c, s, out) })?;
    // SAFETY: as above.
    let duplicates: i32 =
        ctx.get(READ, uri, |c, out| unsafe { sys::tiledb_array_schema_get_allows_dups(c, s, out) })?;
    // SAFETY: as above; the domain is handed over.
    let domain = ctx
        .make(READ, uri, sys::tiledb_domain_free, |c, out| unsafe { sys::tiledb_array_schema_get_domain(c, s, out) })?;
    // SAFETY: as above.
    let count: u32 = ctx.get(READ, uri, |c, out| unsafe { sys::tiledb_domain_get_ndim(c, domain.as_ptr(), out) })?;
    let (mut columns, mut dimensions) = (Vec::new(), Vec::new());
    for index in 0..count {
        let (column, dimension) = read_dimension(ctx, uri, &domain, index)?;
        columns.push(column);
        dimensions.push(dimension);
    }
    // SAFETY: as above.
    let count: u32 = ctx.get(READ, uri, |c, out| unsafe { sys::tiledb_array_schema_get_attribute_num(c, s, out) })?;
    for index in 0..count {
        columns.push(read_attribute(ctx, uri, &schema, index)?);
    }
    Ok((ArrayLayout { dimensions, cell_order, capacity, allows_duplicates: duplicates != 0 }, columns))
}

fn read_dimension(
    ctx: &Context,
    uri: &str,
    domain: &Handle<sys::tiledb_domain_t>,
    index: u32,
) -> Result<(Column, Dimension)> {
    // SAFETY: a live domain, an index below its count; the dimension is handed over.
    let dimension = ctx.make(READ, uri, sys::tiledb_dimension_free, |c, out| unsafe {
        sys::tiledb_domain_get_dimension_from_index(c, domain.as_ptr(), index, out)
    })?;
    let d = dimension.as_ptr();
    // SAFETY: a live dimension, and places of the type each getter writes.
    let name = ctx.get_text(READ, uri, |c, out| unsafe { sys::tiledb_dimension_get_name(c, d, out) })?;
    // SAFETY: as above.
    let datatype = ctx.get(READ, uri, |c, out| unsafe { sys::tiledb_dimension_get_type(c, d, out) })?;
    let (mut limits, mut extent) = (ptr::null(), ptr::null());
    // SAFETY: as above; what is lent lives as long as the dimension.
    unsafe {
        ctx.check(sys::tiledb_dimension_get_domain(ctx.as_ptr(), d, &mut limits), READ, uri)?;
        ctx.check(sys::tiledb_dimension_get_tile_extent(ctx.as_ptr(), d, &mut extent), READ, uri)?;
    }
    let unsupported = || Error::Unsupported { column: name.clone(), reason: format!("dimension of type {datatype}") };
    if limits.is_null() {
        return Err(unsupported());
    }
    // SAFETY: the domain is two values of the dimension's type, the extent one or null; both types below have 8 bytes, and
    // nothing is assumed about alignment.
    let (floats, integers) = unsafe {
        let (low, extent_float) = (limits.cast::<f64>(), extent.cast::<f64>());
        let (low_integer, extent_integer) = (limits.cast::<i64>(), extent.cast::<i64>());
        match datatype {
            sys::TILEDB_FLOAT64 | sys::TILEDB_INT64 | sys::TILEDB_DATETIME_NS => (
                (low.read_unaligned(), low.add(1).read_unaligned(), lent(extent_float)),
                (low_integer.read_unaligned(), low_integer.add(1).read_unaligned(), lent(extent_integer)),
            ),
            _ => return Err(unsupported()),
        }
    };
    let domain = match datatype {
        sys::TILEDB_FLOAT64 => Domain::Float64 { low: floats.0, high: floats.1, extent: floats.2 },
        sys::TILEDB_INT64 => Domain::Int64 { low: integers.0, high: integers.1, extent: integers.2 },
        _ => Domain::TimestampNs { low: integers.0, high: integers.1, extent: integers.2 },
    };
    let column = Column::stored(name.clone(), physical(domain), 1, false, true)?;
    Ok((column, Dimension { name, domain }))
}

/// # Safety
/// `value` is null or holds a `T`, aligned or not.
unsafe fn lent<T>(value: *const T) -> Option<T> {
    // SAFETY: not null, hence a value by this function's contract.
    (!value.is_null()).then(|| unsafe { value.read_unaligned() })
}

fn read_attribute(ctx: &Context, uri: &str, schema: &Handle<sys::tiledb_array_schema_t>, index: u32) -> Result<Column> {
    // SAFETY: a live schema, an index below its count; the attribute is handed over.
    let attribute = ctx.make(READ, uri, sys::tiledb_attribute_free, |c, out| unsafe {
        sys::tiledb_array_schema_get_attribute_from_index(c, schema.as_ptr(), index, out)
    })?;
    let a = attribute.as_ptr();
    // SAFETY: a live attribute, and places of the type each getter writes.
    let name = ctx.get_text(READ, uri, |c, out| unsafe { sys::tiledb_attribute_get_name(c, a, out) })?;
    // SAFETY: as above.
    let datatype = ctx.get(READ, uri, |c, out| unsafe { sys::tiledb_attribute_get_type(c, a, out) })?;
    // SAFETY: as above.
    let width: u32 = ctx.get(READ, uri, |c, out| unsafe { sys::tiledb_attribute_get_cell_val_num(c, a, out) })?;
    // SAFETY: as above.
    let nullable: u8 = ctx.get(READ, uri, |c, out| unsafe { sys::tiledb_attribute_get_nullable(c, a, out) })?;
    let physical = Physical::of_datatype(datatype).filter(|physical| match physical {
        Physical::Text => width == sys::TILEDB_VAR_NUM,
        Physical::Bool => width == 1,
        _ => width != sys::TILEDB_VAR_NUM && width > 0,
    });
    let physical = physical.ok_or_else(|| Error::Unsupported {
        column: name.clone(),
        reason: format!("TileDB datatype {datatype} with {width} values per cell is not read"),
    })?;
    Column::stored(name, physical, if width == sys::TILEDB_VAR_NUM { 1 } else { width }, nullable != 0, false)
}
