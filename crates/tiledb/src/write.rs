//! Record batches become one fragment: checked first, then concatenated column by column, then written by a single submit.

use std::ffi::c_void;

use arrow::array::{Array as _, ArrayRef, AsArray, RecordBatch};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimestampNanosecondType};
use tiledb_sys as sys;

use crate::array::Open;
use crate::column::{Column, ElementNull, Physical};
use crate::context::Context;
use crate::elements;
use crate::error::{Error, Result};
use crate::layout::Domain;
use crate::metadata;
use crate::validity;

const ACTION: &str = "write to";

/// Writes all batches as one fragment stamped `timestamp_ms` (milliseconds since 1970), and returns its name
/// (`__<T>_<T>_<uuid>_<version>`).
///
/// The batches are taken, since each of their columns is let go as soon as it is concatenated: nothing is held twice.
///
/// Columns are found by name, in any order; `Utf8` is taken for `LargeUtf8`, and time without a zone for UTC. Every batch must
/// have all columns of the array and no others. Rows need no order.
///
/// # Errors
/// [`Error::Coordinate`] for NULL, NaN or a coordinate outside the domain (TileDB would accept a NaN, and hide its
/// neighbours), [`Error::ElementNull`] for a list element equal to its own marker of NULL, [`Error::Batch`] for batches that do
/// not fit the array or hold no row. Nothing has been written then.
pub fn write_fragment(ctx: &Context, uri: &str, timestamp_ms: u64, mut batches: Vec<RecordBatch>) -> Result<String> {
    let open = Open::new(ctx, uri, sys::TILEDB_READ, Some(timestamp_ms))?;
    let (layout, mut columns, entries) = open.describe(uri)?;
    metadata::restore(&mut columns, &entries)?;
    drop(open);
    batches.retain(|batch| batch.num_rows() > 0);
    if let Some(batch) = batches.iter().find(|batch| batch.num_columns() != columns.len()) {
        let reason = format!("a batch has {} columns, the array {}", batch.num_columns(), columns.len());
        return Err(Error::Batch { uri: uri.to_owned(), reason });
    }
    let mut buffers = Vec::with_capacity(columns.len());
    for (at, column) in columns.iter().enumerate() {
        let values = gather(uri, column, &mut batches)?;
        if let Some(dimension) = layout.dimensions.get(at) {
            check_coordinates(column, dimension.domain, &values)?;
        }
        buffers.push(WriteBuffers::new(uri, column, &values)?);
    }
    submit(ctx, uri, timestamp_ms, &columns, &mut buffers)
}

/// Takes one column out of all batches.
fn gather(uri: &str, column: &Column, batches: &mut [RecordBatch]) -> Result<ArrayRef> {
    let misfit = |reason: String| Error::Batch { uri: uri.to_owned(), reason };
    let mut parts: Vec<ArrayRef> = Vec::with_capacity(batches.len());
    for batch in batches {
        let index = batch.schema().index_of(&column.name);
        let index = index.map_err(|_| misfit(format!("a batch has no column {}", column.name)))?;
        let values = batch.remove_column(index);
        if !fits(column, values.data_type()) {
            let (name, had, wanted) = (&column.name, values.data_type(), column.data_type());
            return Err(misfit(format!("column {name} is {had}, the array wants {wanted}")));
        }
        let arrow = |source| Error::Data { uri: uri.to_owned(), column: column.name.clone(), source };
        parts.push(match values.data_type() {
            DataType::Utf8 => cast(&values, &DataType::LargeUtf8).map_err(arrow)?,
            // Zones and the names of list items may differ from batch to batch.
            other if *other != column.data_type() => cast(&values, &column.data_type()).map_err(arrow)?,
            _ => values,
        });
    }
    let parts: Vec<&dyn arrow::array::Array> = parts.iter().map(AsRef::as_ref).collect();
    if parts.is_empty() {
        return Err(misfit("there are no rows".to_owned()));
    }
    concat(&parts).map_err(|source| Error::Data { uri: uri.to_owned(), column: column.name.clone(), source })
}

/// Whether values of `data_type` can be stored in `column`; nullability is a matter of the values.
fn fits(column: &Column, data_type: &DataType) -> bool {
    match (data_type, column.data_type()) {
        (DataType::Utf8, DataType::LargeUtf8) => true,
        (DataType::FixedSizeList(item, width), DataType::FixedSizeList(own, own_width)) => {
            *width == own_width && same_scalar(item.data_type(), own.data_type())
        }
        (other, own) => same_scalar(other, &own),
    }
}

fn same_scalar(a: &DataType, b: &DataType) -> bool {
    match (a, b) {
        (DataType::Timestamp(unit, zone), DataType::Timestamp(own, _)) => {
            unit == own && zone.as_deref().is_none_or(|zone| matches!(zone, "UTC" | "+00:00" | "Z"))
        }
        _ => a == b,
    }
}

fn check_coordinates(column: &Column, domain: Domain, values: &ArrayRef) -> Result<()> {
    let bad = |row: usize, value: String| Error::Coordinate { column: column.name.clone(), row, value };
    let first_null =
        values.nulls().filter(|nulls| nulls.null_count() > 0).and_then(|n| n.iter().position(|valid| !valid));
    if let Some(row) = first_null {
        return Err(bad(row, "NULL".to_owned()));
    }
    // The comparisons are written so that NaN fails them.
    let integers = |values: &ScalarBuffer<i64>, low: i64, high: i64| {
        let outside = values.iter().position(|value| !(*value >= low && *value <= high));
        outside.map(|row| (row, values.get(row).map(i64::to_string)))
    };
    let outside = match domain {
        Domain::Float64 { low, high, .. } => {
            let values = values.as_primitive::<Float64Type>().values();
            let outside = values.iter().position(|value| !(*value >= low && *value <= high));
            outside.map(|row| (row, values.get(row).map(f64::to_string)))
        }
        Domain::Int64 { low, high, .. } => integers(values.as_primitive::<Int64Type>().values(), low, high),
        Domain::TimestampNs { low, high, .. } => {
            integers(values.as_primitive::<TimestampNanosecondType>().values(), low, high)
        }
    };
    outside.map_or(Ok(()), |(row, value)| Err(bad(row, value.unwrap_or_default())))
}

/// One column in the form the library takes, and the sizes in bytes it is told by reference.
struct WriteBuffers {
    data: Buffer,
    offsets: Option<Buffer>,
    validity: Option<Buffer>,
    sizes: [u64; 3],
}

impl WriteBuffers {
    fn new(uri: &str, column: &Column, values: &ArrayRef) -> Result<Self> {
        let nulls = values.nulls();
        if !column.nullable && nulls.is_some_and(|nulls| nulls.null_count() > 0) {
            let reason = format!("column {} holds NULL, but is not nullable", column.name);
            return Err(Error::Batch { uri: uri.to_owned(), reason });
        }
        let validity = column.nullable.then(|| match nulls {
            Some(nulls) => validity::unpack(nulls.inner()),
            None => Buffer::from(vec![1_u8; values.len()]),
        });
        let (data, offsets) = match column.physical {
            _ if column.width > 1 => (list_values(uri, column, values)?, None),
            Physical::Bool => (validity::unpack(values.as_boolean().values()), None),
            Physical::Text => text(values),
            _ => (primitive(values), None),
        };
        let size = |buffer: &Option<Buffer>| buffer.as_ref().map_or(0, Buffer::len) as u64;
        let sizes = [data.len() as u64, size(&offsets), size(&validity)];
        Ok(Self { data, offsets, validity, sizes })
    }

    /// # Safety
    /// `self` must stay in place, alive and untouched until the query's submit has returned.
    unsafe fn attach(
        &mut self,
        ctx: &Context,
        uri: &str,
        query: *mut sys::tiledb_query_t,
        column: &Column,
    ) -> Result<()> {
        let (c, name) = (ctx.as_ptr(), column.c_name.as_ptr());
        let [data, offsets, validity] = &mut self.sizes;
        // SAFETY: libtiledb only reads what it is given to write, so that the constness of the buffers holds.
        unsafe {
            let values: *mut c_void = self.data.as_ptr().cast_mut().cast();
            ctx.check(sys::tiledb_query_set_data_buffer(c, query, name, values, data), ACTION, uri)?;
            if let Some(buffer) = &self.offsets {
                let buffer = buffer.as_ptr().cast_mut().cast();
                ctx.check(sys::tiledb_query_set_offsets_buffer(c, query, name, buffer, offsets), ACTION, uri)?;
            }
            if let Some(buffer) = &self.validity {
                let buffer = buffer.as_ptr().cast_mut();
                ctx.check(sys::tiledb_query_set_validity_buffer(c, query, name, buffer, validity), ACTION, uri)?;
            }
        }
        Ok(())
    }
}

/// The values of a scalar column, from its own offset on.
fn primitive(values: &ArrayRef) -> Buffer {
    let data = values.to_data();
    let width = data.data_type().primitive_width().unwrap_or(1);
    let bytes = |count: usize| count.saturating_mul(width);
    data.buffers()
        .first()
        .map_or_else(|| Buffer::from(&[]), |b| b.slice_with_length(bytes(data.offset()), bytes(data.len())))
}

/// Text and its offsets, which TileDB wants to begin at 0.
fn text(values: &ArrayRef) -> (Buffer, Option<Buffer>) {
    let texts = values.as_string::<i64>();
    let (first, last) = (texts.value_offsets().first().copied().unwrap_or(0), texts.value_offsets().last().copied());
    let length = usize::try_from(last.unwrap_or(first) - first).unwrap_or(0);
    let data = texts.values().slice_with_length(usize::try_from(first).unwrap_or(0), length);
    let offsets = if first == 0 {
        texts.offsets().inner().inner().clone()
    } else {
        texts.value_offsets().iter().map(|offset| offset - first).collect::<Vec<i64>>().into()
    };
    (data, Some(offsets))
}

fn list_values(uri: &str, column: &Column, values: &ArrayRef) -> Result<Buffer> {
    let lists = values.as_fixed_size_list();
    let width = usize::try_from(column.width).unwrap_or(1);
    let elements = lists.values().slice(usize::try_from(lists.value_offset(0)).unwrap_or(0), lists.len() * width);
    let data = primitive(&elements);
    let nulls: Option<&NullBuffer> = elements.nulls().filter(|nulls| nulls.null_count() > 0);
    let Some(marker) = &column.element_null else {
        let lost =
            nulls.is_some_and(|nulls| (0..nulls.len()).any(|at| nulls.is_null(at) && lists.is_valid(at / width)));
        let reason = format!("column {} holds NULL elements, but its elements are not nullable", column.name);
        return if lost { Err(Error::Batch { uri: uri.to_owned(), reason }) } else { Ok(data) };
    };
    elements::encode(column.physical, marker, data, nulls, |at| lists.is_valid(at / width)).map_err(|at| {
        let value = match marker {
            ElementNull::Nan => "NaN".to_owned(),
            ElementNull::Bytes(_) => "its element_null".to_owned(),
        };
        Error::ElementNull { column: column.name.clone(), row: at / width, value }
    })
}

fn submit(
    ctx: &Context,
    uri: &str,
    timestamp_ms: u64,
    columns: &[Column],
    buffers: &mut [WriteBuffers],
) -> Result<String> {
    let open = Open::new(ctx, uri, sys::TILEDB_WRITE, Some(timestamp_ms))?;
    // SAFETY: an array open for writing and a place to write to.
    let query = ctx.make(ACTION, uri, sys::tiledb_query_free, |c, out| unsafe {
        sys::tiledb_query_alloc(c, open.as_ptr(), sys::TILEDB_WRITE, out)
    })?;
    let (c, q) = (ctx.as_ptr(), query.as_ptr());
    // SAFETY: a live query.
    ctx.check(unsafe { sys::tiledb_query_set_layout(c, q, sys::TILEDB_UNORDERED) }, ACTION, uri)?;
    for (column, buffers) in columns.iter().zip(buffers.iter_mut()) {
        // SAFETY: the slice of buffers outlives the submit, and nothing else touches it.
        unsafe { buffers.attach(ctx, uri, q, column)? };
    }
    // SAFETY: a live query whose buffers are in place.
    ctx.check(unsafe { sys::tiledb_query_submit(c, q) }, ACTION, uri)?;
    // SAFETY: a live query, submitted.
    ctx.check(unsafe { sys::tiledb_query_finalize(c, q) }, ACTION, uri)?;
    // SAFETY: a query that has written; the string is lent.
    let fragment = ctx.get_text(ACTION, uri, |c, out| unsafe { sys::tiledb_query_get_fragment_uri(c, q, 0, out) })?;
    drop(query);
    open.close(uri)?;
    Ok(fragment.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned())
}
