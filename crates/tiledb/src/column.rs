//! One column as both sides see it: the Arrow field and TileDB's datatype, values per cell and nullability.

use std::ffi::CString;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};
use tiledb_sys as sys;

use crate::context::c_text;
use crate::error::{Error, Result};
use crate::literal::Literal;

/// Field metadata key: the integer that stands for a NULL list element on disk.
pub(crate) const ELEMENT_NULL: &str = "element_null";
/// Array metadata key (behind the field's name): list elements may be NULL.
pub(crate) const ITEM_NULLABLE: &str = "item_nullable";
/// Field metadata key of an attribute that was added after the array was made, with the value `true`. It is NULL in cells
/// stored before, and [`Condition::IsNull`](crate::Condition::IsNull) cannot be asked of it. Told by [`Array`](crate::Array)
/// and never stored.
pub const ADDED_LATER: &str = "added_later";

/// The type of one stored value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Physical {
    Int8,
    Int16,
    Int32,
    Int64,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
    Float32,
    Float64,
    TimestampNs,
    Bool,
    Text,
}

impl Physical {
    /// The type an Arrow scalar is stored as.
    fn of(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Int8 => Self::Int8,
            DataType::Int16 => Self::Int16,
            DataType::Int32 => Self::Int32,
            DataType::Int64 => Self::Int64,
            DataType::UInt8 => Self::UInt8,
            DataType::UInt16 => Self::UInt16,
            DataType::UInt32 => Self::UInt32,
            DataType::UInt64 => Self::UInt64,
            DataType::Float32 => Self::Float32,
            DataType::Float64 => Self::Float64,
            DataType::Timestamp(TimeUnit::Nanosecond, None) => Self::TimestampNs,
            DataType::Timestamp(TimeUnit::Nanosecond, Some(zone)) if matches!(&**zone, "UTC" | "+00:00" | "Z") => {
                Self::TimestampNs
            }
            DataType::Boolean => Self::Bool,
            DataType::Utf8 | DataType::LargeUtf8 => Self::Text,
            _ => return None,
        })
    }

    /// The Arrow type handed out.
    pub(crate) fn arrow(self) -> DataType {
        match self {
            Self::Int8 => DataType::Int8,
            Self::Int16 => DataType::Int16,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::UInt8 => DataType::UInt8,
            Self::UInt16 => DataType::UInt16,
            Self::UInt32 => DataType::UInt32,
            Self::UInt64 => DataType::UInt64,
            Self::Float32 => DataType::Float32,
            Self::Float64 => DataType::Float64,
            Self::TimestampNs => DataType::Timestamp(TimeUnit::Nanosecond, Some(Arc::from("UTC"))),
            Self::Bool => DataType::Boolean,
            Self::Text => DataType::LargeUtf8,
        }
    }

    pub(crate) fn datatype(self) -> sys::tiledb_datatype_t {
        match self {
            Self::Int8 => sys::TILEDB_INT8,
            Self::Int16 => sys::TILEDB_INT16,
            Self::Int32 => sys::TILEDB_INT32,
            Self::Int64 => sys::TILEDB_INT64,
            Self::UInt8 => sys::TILEDB_UINT8,
            Self::UInt16 => sys::TILEDB_UINT16,
            Self::UInt32 => sys::TILEDB_UINT32,
            Self::UInt64 => sys::TILEDB_UINT64,
            Self::Float32 => sys::TILEDB_FLOAT32,
            Self::Float64 => sys::TILEDB_FLOAT64,
            Self::TimestampNs => sys::TILEDB_DATETIME_NS,
            Self::Bool => sys::TILEDB_BOOL,
            Self::Text => sys::TILEDB_STRING_UTF8,
        }
    }

    /// The type of a stored attribute or dimension; arrays written by others may hold types this crate does not read.
    pub(crate) fn of_datatype(datatype: sys::tiledb_datatype_t) -> Option<Self> {
        Some(match datatype {
            sys::TILEDB_INT8 => Self::Int8,
            sys::TILEDB_INT16 => Self::Int16,
            sys::TILEDB_INT32 => Self::Int32,
            sys::TILEDB_INT64 => Self::Int64,
            sys::TILEDB_UINT8 => Self::UInt8,
            sys::TILEDB_UINT16 => Self::UInt16,
            sys::TILEDB_UINT32 => Self::UInt32,
            sys::TILEDB_UINT64 => Self::UInt64,
            sys::TILEDB_FLOAT32 => Self::Float32,
            sys::TILEDB_FLOAT64 => Self::Float64,
            sys::TILEDB_DATETIME_NS => Self::TimestampNs,
            sys::TILEDB_BOOL => Self::Bool,
            sys::TILEDB_STRING_UTF8 | sys::TILEDB_STRING_ASCII | sys::TILEDB_CHAR => Self::Text,
            _ => return None,
        })
    }

    /// Bytes of one value on disk; text counts single bytes.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::Int8 | Self::UInt8 | Self::Bool | Self::Text => 1,
            Self::Int16 | Self::UInt16 => 2,
            Self::Int32 | Self::UInt32 | Self::Float32 => 4,
            Self::Int64 | Self::UInt64 | Self::Float64 | Self::TimestampNs => 8,
        }
    }

    pub(crate) fn is_float(self) -> bool {
        matches!(self, Self::Float32 | Self::Float64)
    }
}

/// What stands for a NULL list element on disk.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ElementNull {
    /// Any NaN.
    Nan,
    /// This value, as the library stores it.
    Bytes(Vec<u8>),
}

/// One dimension or attribute.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) c_name: CString,
    pub(crate) physical: Physical,
    /// Values per cell: more than 1 is a list of that fixed length.
    pub(crate) width: u32,
    pub(crate) nullable: bool,
    pub(crate) is_dimension: bool,
    /// Present if list elements may be NULL.
    pub(crate) element_null: Option<ElementNull>,
    /// How many schemas of the array, and so perhaps fragments, do not have it.
    pub(crate) lacking_in: usize,
}

impl Column {
    /// A column as stored, before its metadata is known.
    pub(crate) fn stored(
        name: String,
        physical: Physical,
        width: u32,
        nullable: bool,
        dimension: bool,
    ) -> Result<Self> {
        let c_name = c_text(&name)?;
        Ok(Self { name, c_name, physical, width, nullable, is_dimension: dimension, element_null: None, lacking_in: 0 })
    }

    /// How `field` is stored.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a type outside the supported set, or list elements that may be NULL but have no value to
    /// stand for it.
    pub(crate) fn of(field: &Field, is_dimension: bool) -> Result<Self> {
        let unsupported = |reason: String| Error::Unsupported { column: field.name().clone(), reason };
        let no_type = || unsupported(format!("{} cannot be stored", field.data_type()));
        let (value_type, width, item_nullable) = match field.data_type() {
            DataType::FixedSizeList(item, width) => {
                let width = u32::try_from(*width).ok().filter(|width| *width > 1);
                let width = width.ok_or_else(|| unsupported("a list needs at least two elements".to_owned()))?;
                (item.data_type(), width, item.is_nullable())
            }
            scalar => (scalar, 1, false),
        };
        let physical = Physical::of(value_type).ok_or_else(no_type)?;
        if width > 1 && matches!(physical, Physical::Bool | Physical::Text) {
            return Err(no_type());
        }
        if field.metadata().contains_key(ITEM_NULLABLE) {
            return Err(unsupported(format!("the metadata key {ITEM_NULLABLE} is reserved")));
        }
        let mut column = Self::stored(field.name().clone(), physical, width, field.is_nullable(), is_dimension)?;
        if item_nullable {
            let marker = field.metadata().get(ELEMENT_NULL).map(String::as_str);
            column.element_null = Some(column.element_null_of(marker)?);
        }
        Ok(column)
    }

    /// Interprets the metadata value `element_null`; floats need none.
    pub(crate) fn element_null_of(&self, marker: Option<&str>) -> Result<ElementNull> {
        let unsupported = |reason: String| Error::Unsupported { column: self.name.clone(), reason };
        if self.physical.is_float() {
            return Ok(ElementNull::Nan);
        }
        let marker = marker.ok_or_else(|| {
            unsupported(format!(
                "list elements that may be NULL need the metadata key {ELEMENT_NULL}: a value for NULL"
            ))
        })?;
        let parsed = marker.parse().map(Literal::Int).or_else(|_| marker.parse().map(Literal::UInt)).ok();
        let parsed = match (parsed, self.physical) {
            (Some(Literal::Int(value)), Physical::TimestampNs) => Some(Literal::TimestampNs(value)),
            (parsed, _) => parsed,
        };
        let bytes = parsed.and_then(|value| value.to_bytes(self.physical));
        let no_value = || unsupported(format!("{ELEMENT_NULL} = {marker} is no {}", self.physical.arrow()));
        bytes.map(ElementNull::Bytes).ok_or_else(no_value)
    }

    /// The Arrow type handed out.
    pub(crate) fn data_type(&self) -> DataType {
        match i32::try_from(self.width) {
            Ok(width) if width > 1 => DataType::FixedSizeList(self.item(), width),
            _ => self.physical.arrow(),
        }
    }

    /// The field of a list's elements.
    pub(crate) fn item(&self) -> Arc<Field> {
        Arc::new(Field::new_list_field(self.physical.arrow(), self.element_null.is_some()))
    }

    pub(crate) fn field(&self) -> Field {
        Field::new(&self.name, self.data_type(), self.nullable)
    }

    pub(crate) fn is_text(&self) -> bool {
        self.physical == Physical::Text
    }

    /// Bytes of one cell; for text a first guess that reads start with.
    pub(crate) fn cell_bytes(&self) -> usize {
        let width = usize::try_from(self.width).unwrap_or(usize::MAX);
        if self.is_text() { 16 } else { self.physical.size().saturating_mul(width) }
    }
}
