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
    const ALL: [Self; 13] = [
        Self::Int8,
        Self::Int16,
        Self::Int32,
        Self::Int64,
        Self::UInt8,
        Self::UInt16,
        Self::UInt32,
        Self::UInt64,
        Self::Float32,
        Self::Float64,
        Self::TimestampNs,
        Self::Bool,
        Self::Text,
    ];

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

    /// The datatype of values written.
    pub(crate) fn to_format(self) -> Datatype {
        match self {
            Self::Int8 => Datatype::Int8,
            Self::Int16 => Datatype::Int16,
            Self::Int32 => Datatype::Int32,
            Self::Int64 => Datatype::Int64,
            Self::UInt8 => Datatype::UInt8,
            Self::UInt16 => Datatype::UInt16,
            Self::UInt32 => Datatype::UInt32,
            Self::UInt64 => Datatype::UInt64,
            Self::Float32 => Datatype::Float32,
            Self::Float64 => Datatype::Float64,
            Self::TimestampNs => Datatype::DATETIME_NS,
            Self::Bool => Datatype::Bool,
            Self::Text => Datatype::Utf8,
        }
    }

    /// The type of values that are stored as this datatype; `None` for types that this crate does not read.
    pub(crate) fn from_format(datatype: Datatype) -> Option<Self> {
        Self::ALL.into_iter().find(|physical| physical.is_stored_as(datatype))
    }

    /// Whether files of this datatype store it.
    pub(crate) fn is_stored_as(self, datatype: Datatype) -> bool {
        datatype == self.to_format() || (self == Self::Text && datatype == Datatype::Ascii)
    }

    /// libtiledb's number of the datatype of values written, which is its code in files.
    pub(crate) fn to_tiledb(self) -> sys::tiledb_datatype_t {
        self.to_format().code().into()
    }

    /// The type of a stored attribute or dimension; `None` for types that only other programs write.
    pub(crate) fn from_tiledb(datatype: sys::tiledb_datatype_t) -> Option<Self> {
        if datatype == sys::TILEDB_CHAR {
            return Some(Self::Text);
        }
        Self::from_format(Datatype::from_code(u8::try_from(datatype).ok()?).ok()?)
    }

    /// Bytes per stored value; for text, bytes per stored byte.
    pub(crate) fn size(self) -> usize {
        self.to_format().size()
    }

    /// Whether values may be NaN.
    pub(crate) fn is_float(self) -> bool {
        matches!(self, Self::Float32 | Self::Float64)
    }
}
