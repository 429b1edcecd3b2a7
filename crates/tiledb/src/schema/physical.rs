//! The types of stored values, as Arrow and as TileDB name them.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use tiledb_format::Datatype;
use tiledb_sys as sys;

/// The type of one stored value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PhysicalType {
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

impl PhysicalType {
    /// Returns the type that stores an Arrow scalar; `None` for types outside the supported set.
    pub(crate) fn from_arrow(data_type: &DataType) -> Option<Self> {
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

    /// The Arrow type of values read.
    pub(crate) fn to_arrow(self) -> DataType {
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

    /// The TileDB datatype of values written.
    pub(crate) fn to_tiledb(self) -> sys::tiledb_datatype_t {
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

    /// Whether files of this datatype store it.
    pub(crate) fn is_stored_as(self, datatype: Datatype) -> bool {
        match self {
            Self::Int8 => datatype == Datatype::Int8,
            Self::Int16 => datatype == Datatype::Int16,
            Self::Int32 => datatype == Datatype::Int32,
            Self::Int64 => datatype == Datatype::Int64,
            Self::UInt8 => datatype == Datatype::UInt8,
            Self::UInt16 => datatype == Datatype::UInt16,
            Self::UInt32 => datatype == Datatype::UInt32,
            Self::UInt64 => datatype == Datatype::UInt64,
            Self::Float32 => datatype == Datatype::Float32,
            Self::Float64 => datatype == Datatype::Float64,
            Self::TimestampNs => datatype == Datatype::DATETIME_NS,
            Self::Bool => datatype == Datatype::Bool,
            Self::Text => matches!(datatype, Datatype::Utf8 | Datatype::Ascii),
        }
    }

    /// The type of values that are stored as this datatype; `None` for types that this crate does not read.
    pub(crate) fn from_format(datatype: Datatype) -> Option<Self> {
        Some(match datatype {
            Datatype::Int8 => Self::Int8,
            Datatype::Int16 => Self::Int16,
            Datatype::Int32 => Self::Int32,
            Datatype::Int64 => Self::Int64,
            Datatype::UInt8 => Self::UInt8,
            Datatype::UInt16 => Self::UInt16,
            Datatype::UInt32 => Self::UInt32,
            Datatype::UInt64 => Self::UInt64,
            Datatype::Float32 => Self::Float32,
            Datatype::Float64 => Self::Float64,
            Datatype::DATETIME_NS => Self::TimestampNs,
            Datatype::Bool => Self::Bool,
            Datatype::Utf8 | Datatype::Ascii => Self::Text,
            _ => return None,
        })
    }

    /// The type of a stored attribute or dimension; `None` for types that only other programs write.
    pub(crate) fn from_tiledb(datatype: sys::tiledb_datatype_t) -> Option<Self> {
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

    /// Bytes per stored value; for text, bytes per stored byte.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::Int8 | Self::UInt8 | Self::Bool | Self::Text => 1,
            Self::Int16 | Self::UInt16 => 2,
            Self::Int32 | Self::UInt32 | Self::Float32 => 4,
            Self::Int64 | Self::UInt64 | Self::Float64 | Self::TimestampNs => 8,
        }
    }

    /// Whether values may be NaN.
    pub(crate) fn is_float(self) -> bool {
        matches!(self, Self::Float32 | Self::Float64)
    }
}
