//! The buffers into which one column is read; they become the Arrow array without copying.

use arrow::array::ArrayRef;
use arrow::buffer::{Buffer, MutableBuffer, NullBuffer};
use tiledb_sys as sys;

use crate::array::library::LibraryArray;
use crate::cells;
use crate::elements;
use crate::error::{Error, Result};
use crate::schema::column::Column;
use crate::validity;

const ACTION: &str = "read";
/// Bytes of one text offset.
const OFFSET: usize = size_of::<u64>();

/// Buffers of one column for one submit. libtiledb writes into them, and the used sizes into `sizes`.
pub(super) struct ColumnBuffers {
    data: MutableBuffer,
    offsets: Option<MutableBuffer>,
    validity: Option<MutableBuffer>,
}

/// Bytes of data, offsets and validity: capacity before a submit, use after it.
#[derive(Clone, Copy, Default)]
pub(super) struct Sizes {
    pub(super) data: u64,
    offsets: u64,
    validity: u64,
}

impl ColumnBuffers {
    /// Allocates uninitialised buffers for `rows` cells, with `text_bytes` in total for text.
    pub(super) fn new(column: &Column, rows: usize, text_bytes: usize) -> (Self, Sizes) {
        let data = if column.is_text() { text_bytes } else { rows.saturating_mul(column.cell_bytes()) };
        let offsets = column.is_text().then(|| rows.saturating_add(1).saturating_mul(OFFSET));
        let validity = column.nullable.then_some(rows);
        let sizes =
            Sizes { data: data as u64, offsets: offsets.unwrap_or(0) as u64, validity: validity.unwrap_or(0) as u64 };
        let buffers = Self {
            data: MutableBuffer::with_capacity(data),
            offsets: offsets.map(MutableBuffer::with_capacity),
            validity: validity.map(MutableBuffer::with_capacity),
        };
        (buffers, sizes)
    }

    /// Sets the query's buffers.
    ///
    /// # Safety
    /// Neither the buffers nor the values behind `sizes` may move or be dropped before the query's next submit has returned.
    pub(super) unsafe fn attach(
        &mut self,
        array: &LibraryArray,
        query: *mut sys::tiledb_query_t,
        column: &Column,
        sizes: *mut Sizes,
    ) -> Result<()> {
        let (ctx, c, name) = (array.ctx(), array.ctx().as_ptr(), column.c_name.as_ptr());
        // SAFETY: the caller keeps `sizes` in place; each size is the capacity of its buffer.
        unsafe {
            let data = self.data.as_mut_ptr().cast();
            let code = sys::tiledb_query_set_data_buffer(c, query, name, data, &raw mut (*sizes).data);
            ctx.check(code, ACTION, array.uri())?;
            if let Some(offsets) = &mut self.offsets {
                let offsets = offsets.as_mut_ptr().cast();
                let code = sys::tiledb_query_set_offsets_buffer(c, query, name, offsets, &raw mut (*sizes).offsets);
                ctx.check(code, ACTION, array.uri())?;
            }
            if let Some(validity) = &mut self.validity {
                let validity = validity.as_mut_ptr();
                let code = sys::tiledb_query_set_validity_buffer(c, query, name, validity, &raw mut (*sizes).validity);
                ctx.check(code, ACTION, array.uri())?;
            }
        }
        Ok(())
    }

    /// Returns the cells read, as an Arrow array.
    ///
    /// # Safety
    /// libtiledb has written the first `sizes` bytes of the buffers it was given.
    pub(super) unsafe fn finish(
        self,
        array: &LibraryArray,
        column: &Column,
        sizes: Sizes,
        rows: usize,
    ) -> Result<ArrayRef> {
        // SAFETY: the caller's promise, for each of the three.
        let (data, offsets, validity) = unsafe {
            (
                used(self.data, sizes.data),
                self.offsets.map(|offsets| used(offsets, sizes.offsets)),
                self.validity.map(|validity| used(validity, sizes.validity)),
            )
        };
        let nulls = validity.and_then(|bytes| validity::nulls(bytes.as_slice()));
        let nulls = match column.null_is_nan {
            // Also where another program has stored NaN as a value.
            true => NullBuffer::union(nulls.as_ref(), elements::not_nan(column.physical, &data).as_ref()),
            false => nulls,
        };
        cells::build(column, rows, data, offsets, nulls).map_err(|source| Error::Data {
            uri: array.uri().to_owned(),
            column: column.name.clone(),
            source,
        })
    }
}

impl Sizes {
    /// The number of cells of `column` that these sizes amount to.
    pub(super) fn rows(&self, column: &Column) -> usize {
        let bytes = |size: u64| usize::try_from(size).unwrap_or(0);
        if column.is_text() {
            (bytes(self.offsets) / OFFSET).saturating_sub(1)
        } else {
            bytes(self.data) / column.cell_bytes().max(1)
        }
    }
}

/// The buffer's first `size` bytes.
///
/// # Safety
/// The first `size` bytes have been written.
unsafe fn used(mut buffer: MutableBuffer, size: u64) -> Buffer {
    let size = usize::try_from(size).unwrap_or(0).min(buffer.capacity());
    // SAFETY: within the capacity, and written by this function's contract.
    unsafe { buffer.set_len(size) };
    // A batch must not keep memory that it does not use.
    if size < buffer.capacity() / 2 {
        buffer.shrink_to_fit();
    }
    buffer.into()
}
