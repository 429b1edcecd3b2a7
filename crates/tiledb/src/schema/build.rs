//! TileDB's array schema, built from layout and columns.

use std::ffi::c_void;
use std::ptr;

use arrow::array::StringArray;
use tiledb_sys as sys;

use crate::context::Context;
use crate::error::Result;
use crate::handle::Handle;
use crate::schema::column::Column;
use crate::schema::filters;
use crate::schema::layout::{ArrayLayout, CellOrder, Dimension, Domain};

const ACTION: &str = "build the schema of";

/// Builds TileDB's schema for these columns, valid from `timestamp_ms` on.
pub(crate) fn array_schema(
    ctx: &Context,
    uri: &str,
    timestamp_ms: u64,
    layout: &ArrayLayout,
    columns: &[Column],
) -> Result<Handle<sys::tiledb_array_schema_t>> {
    // SAFETY: a live context and a valid out pointer.
    let schema = ctx.make(ACTION, uri, sys::tiledb_array_schema_free, |c, out| unsafe {
        sys::tiledb_array_schema_alloc_at_timestamp(c, sys::TILEDB_SPARSE, timestamp_ms, out)
    })?;
    // SAFETY: as above.
    let domain =
        ctx.make(ACTION, uri, sys::tiledb_domain_free, |c, out| unsafe { sys::tiledb_domain_alloc(c, out) })?;
    let order = match layout.cell_order {
        CellOrder::Hilbert => sys::TILEDB_HILBERT,
        CellOrder::RowMajor => sys::TILEDB_ROW_MAJOR,
    };
    let (c, s) = (ctx.as_ptr(), schema.as_ptr());
    for (column, dimension) in columns.iter().zip(&layout.dimensions) {
        let dimension = dimension_object(ctx, uri, column, dimension)?;
        // SAFETY: all alive; the domain keeps its own reference.
        ctx.check(unsafe { sys::tiledb_domain_add_dimension(c, domain.as_ptr(), dimension.as_ptr()) }, ACTION, uri)?;
    }
    let (offsets, validity) = (filters::offsets(ctx)?, filters::validity(ctx)?);
    // SAFETY: all alive; the schema copies what it is given.
    unsafe {
        ctx.check(sys::tiledb_array_schema_set_domain(c, s, domain.as_ptr()), ACTION, uri)?;
        ctx.check(sys::tiledb_array_schema_set_cell_order(c, s, order), ACTION, uri)?;
        ctx.check(sys::tiledb_array_schema_set_tile_order(c, s, sys::TILEDB_ROW_MAJOR), ACTION, uri)?;
        ctx.check(sys::tiledb_array_schema_set_capacity(c, s, layout.capacity), ACTION, uri)?;
        ctx.check(sys::tiledb_array_schema_set_allows_dups(c, s, i32::from(layout.allows_duplicates)), ACTION, uri)?;
        ctx.check(sys::tiledb_array_schema_set_offsets_filter_list(c, s, offsets.as_ptr()), ACTION, uri)?;
        ctx.check(sys::tiledb_array_schema_set_validity_filter_list(c, s, validity.as_ptr()), ACTION, uri)?;
    }
    for column in columns.iter().filter(|column| !column.is_dimension) {
        if let Some(texts) = &column.enumeration {
            let enumeration = enumeration(ctx, uri, column, texts)?;
            // SAFETY: both alive; the schema keeps its own reference.
            ctx.check(unsafe { sys::tiledb_array_schema_add_enumeration(c, s, enumeration.as_ptr()) }, ACTION, uri)?;
        }
        let attribute = attribute(ctx, uri, column)?;
        // SAFETY: both alive; the schema keeps its own reference.
        ctx.check(unsafe { sys::tiledb_array_schema_add_attribute(c, s, attribute.as_ptr()) }, ACTION, uri)?;
    }
    // SAFETY: a live schema.
    ctx.check(unsafe { sys::tiledb_array_schema_check(c, s) }, ACTION, uri)?;
    Ok(schema)
}

fn dimension_object(
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
        ctx.make(ACTION, uri, sys::tiledb_dimension_free, |c, out| unsafe {
            sys::tiledb_dimension_alloc(c, column.c_name.as_ptr(), column.physical.to_tiledb(), limits, extent, out)
        })
    }
    let built = match dimension.domain {
        Domain::Float32 { low, high, extent } => make(ctx, uri, column, [low, high], extent)?,
        Domain::Float64 { low, high, extent } => make(ctx, uri, column, [low, high], extent)?,
        Domain::Int64 { low, high, extent } | Domain::TimestampNs { low, high, extent } => {
            make(ctx, uri, column, [low, high], extent)?
        }
    };
    let filters = filters::coordinates(ctx, dimension.domain)?;
    // SAFETY: all alive; the dimension copies the list.
    let code = unsafe { sys::tiledb_dimension_set_filter_list(ctx.as_ptr(), built.as_ptr(), filters.as_ptr()) };
    ctx.check(code, ACTION, uri)?;
    Ok(built)
}

pub(crate) fn attribute(ctx: &Context, uri: &str, column: &Column) -> Result<Handle<sys::tiledb_attribute_t>> {
    // SAFETY: a live context, a name that outlives the call, a valid out pointer.
    let attribute = ctx.make(ACTION, uri, sys::tiledb_attribute_free, |c, out| unsafe {
        sys::tiledb_attribute_alloc(c, column.c_name.as_ptr(), column.physical.to_tiledb(), out)
    })?;
    let width = if column.is_text() { sys::TILEDB_VAR_NUM } else { column.width };
    let filters = filters::values(ctx, column.physical)?;
    let (c, a) = (ctx.as_ptr(), attribute.as_ptr());
    // SAFETY: all alive; the attribute copies what it is given.
    unsafe {
        ctx.check(sys::tiledb_attribute_set_cell_val_num(c, a, width), ACTION, uri)?;
        ctx.check(sys::tiledb_attribute_set_nullable(c, a, u8::from(column.nullable)), ACTION, uri)?;
        ctx.check(sys::tiledb_attribute_set_filter_list(c, a, filters.as_ptr()), ACTION, uri)?;
        if column.enumeration.is_some() {
            ctx.check(sys::tiledb_attribute_set_enumeration_name(c, a, column.c_name.as_ptr()), ACTION, uri)?;
        }
    }
    Ok(attribute)
}

/// The texts of a dictionary column as an enumeration with the column's name.
fn enumeration(
    ctx: &Context,
    uri: &str,
    column: &Column,
    texts: &StringArray,
) -> Result<Handle<sys::tiledb_enumeration_t>> {
    let data: String = texts.iter().flatten().collect();
    let starts = texts.iter().flatten().scan(0_u64, |next, text| {
        let start = *next;
        *next += text.len() as u64;
        Some(start)
    });
    let offsets: Vec<u64> = starts.collect();
    let (data_size, offsets_size) = (data.len() as u64, size_of_val(offsets.as_slice()) as u64);
    // SAFETY: a name, texts and their offsets that outlive the call, with their sizes in bytes.
    ctx.make(ACTION, uri, sys::tiledb_enumeration_free, |c, out| unsafe {
        sys::tiledb_enumeration_alloc(
            c,
            column.c_name.as_ptr(),
            sys::TILEDB_STRING_UTF8,
            sys::TILEDB_VAR_NUM,
            0,
            data.as_ptr().cast(),
            data_size,
            offsets.as_ptr().cast(),
            offsets_size,
            out,
        )
    })
}
