//! The values of one column as TileDB stores them.

use arrow::array::{Array as _, ArrayRef, AsArray, FixedSizeListArray};
use arrow::buffer::{Buffer, NullBuffer};
use arrow::datatypes::Float64Type;

use crate::elements;
use crate::schema::column::Column;
use crate::schema::physical::PhysicalType;
use crate::validity;

/// Values of one column in TileDB's form, except for NULL.
pub(crate) struct ValueBuffers {
    /// The values; under a NULL, any value.
    pub(crate) data: Buffer,
    /// Where each text begins in `data`, and where the last one ends.
    pub(crate) offsets: Option<Buffer>,
    pub(crate) nulls: Option<NullBuffer>,
    /// The NULL elements of lists, of which `data` has any value.
    pub(crate) element_nulls: Option<NullBuffer>,
}

impl ValueBuffers {
    /// Converts `values`, whose type matches `column`, as they were gathered. Numbers and lists of numbers are not copied.
    pub(crate) fn new(column: &Column, values: &ArrayRef) -> Self {
        let nulls = values.nulls().filter(|nulls| nulls.null_count() > 0).cloned();
        let (mut offsets, mut element_nulls) = (None, None);
        let data = match column.physical {
            _ if column.width > 1 => {
                let (_, data, nulls) = elements_of(column, values.as_fixed_size_list());
                element_nulls = nulls;
                data
            }
            PhysicalType::Bool => validity::unpack(values.as_boolean().values()),
            PhysicalType::Text => {
                let (data, starts) = text(values);
                offsets = Some(starts);
                data
            }
            _ if column.is_widened() => singles(values),
            _ => primitive(values),
        };
        Self { data, offsets, nulls, element_nulls }
    }
}

/// One column in libtiledb's form: values, offsets of text, and one validity byte per cell.
pub(crate) struct WriteBuffers {
    pub(crate) data: Buffer,
    pub(crate) offsets: Option<Buffer>,
    pub(crate) validity: Option<Buffer>,
}

impl WriteBuffers {
    /// Converts `values`, whose type matches `column`, as they were gathered.
    pub(crate) fn new(column: &Column, values: &ArrayRef) -> Self {
        let ValueBuffers { data, offsets, nulls, element_nulls } = ValueBuffers::new(column, values);
        if column.null_is_nan {
            let (data, validity) = elements::nan_as_null(column.physical, data, nulls.as_ref());
            return Self { data, offsets, validity: Some(validity) };
        }
        let validity = column.nullable.then(|| match nulls {
            Some(nulls) => validity::unpack(nulls.inner()),
            None => Buffer::from(vec![1_u8; values.len()]),
        });
        let data = match &column.element_null {
            Some(marker) => elements::encode(column.physical, marker, data, element_nulls.as_ref()),
            None => data,
        };
        Self { data, offsets, validity }
    }

    /// The size of all buffers in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.sizes().iter().sum()
    }

    /// The sizes in bytes of values, offsets and validity.
    pub(super) fn sizes(&self) -> [u64; 3] {
        let size = |buffer: &Option<Buffer>| buffer.as_ref().map_or(0, Buffer::len) as u64;
        [self.data.len() as u64, size(&self.offsets), size(&self.validity)]
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

/// Coordinates that were checked to be of single precision.
#[expect(clippy::cast_possible_truncation, reason = "checked to lose nothing")]
fn singles(values: &ArrayRef) -> Buffer {
    values.as_primitive::<Float64Type>().values().iter().map(|value| *value as f32).collect::<Vec<f32>>().into()
}

/// Text and its offsets, which must start at 0 for TileDB.
fn text(values: &ArrayRef) -> (Buffer, Buffer) {
    let texts = values.as_string::<i64>();
    let (first, last) = (texts.value_offsets().first().copied().unwrap_or(0), texts.value_offsets().last().copied());
    let length = usize::try_from(last.unwrap_or(first) - first).unwrap_or(0);
    let data = texts.values().slice_with_length(usize::try_from(first).unwrap_or(0), length);
    let offsets = if first == 0 {
        texts.offsets().inner().inner().clone()
    } else {
        texts.value_offsets().iter().map(|offset| offset - first).collect::<Vec<i64>>().into()
    };
    (data, offsets)
}

/// Returns the elements per list, all elements, and their validity if any is NULL.
pub(super) fn elements_of(column: &Column, lists: &FixedSizeListArray) -> (usize, Buffer, Option<NullBuffer>) {
    let width = usize::try_from(column.width).unwrap_or(1);
    let elements = lists.values().slice(usize::try_from(lists.value_offset(0)).unwrap_or(0), lists.len() * width);
    let nulls = elements.nulls().filter(|nulls| nulls.null_count() > 0).cloned();
    (width, primitive(&elements), nulls)
}
