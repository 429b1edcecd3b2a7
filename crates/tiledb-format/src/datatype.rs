//! Datatypes of dimensions and attributes: one byte in schemas.

use crate::error::{Error, Result};

/// The type of a value. Times are signed 64-bit integers in a unit; the other variants are named like Rust's types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Datatype {
    /// Signed 8-bit integer.
    Int8,
    /// Signed 16-bit integer.
    Int16,
    /// Signed 32-bit integer.
    Int32,
    /// Signed 64-bit integer.
    Int64,
    /// Unsigned 8-bit integer.
    UInt8,
    /// Unsigned 16-bit integer.
    UInt16,
    /// Unsigned 32-bit integer.
    UInt32,
    /// Unsigned 64-bit integer.
    UInt64,
    /// 32-bit float.
    Float32,
    /// 64-bit float.
    Float64,
    /// Truth value, one byte of 0 or 1.
    Bool,
    /// ASCII text, one byte per character.
    Ascii,
    /// UTF-8 text, counted in bytes.
    Utf8,
    /// Untyped byte.
    Blob,
    /// A time or duration with the code of its unit in `enum Datatype` of libtiledb (18 to 39).
    Time(u8),
}

impl Datatype {
    /// Milliseconds since 1970.
    pub const DATETIME_MS: Self = Self::Time(25);
    /// Nanoseconds since 1970.
    pub const DATETIME_NS: Self = Self::Time(27);

    /// Reads the code that schemas store.
    pub fn from_code(code: u8) -> Result<Self> {
        Ok(match code {
            0 => Self::Int32,
            1 => Self::Int64,
            2 => Self::Float32,
            3 => Self::Float64,
            5 => Self::Int8,
            6 => Self::UInt8,
            7 => Self::Int16,
            8 => Self::UInt16,
            9 => Self::UInt32,
            10 => Self::UInt64,
            11 => Self::Ascii,
            12 => Self::Utf8,
            18..=39 => Self::Time(code),
            40 => Self::Blob,
            41 => Self::Bool,
            other => return Err(Error::Unsupported { what: "datatype", found: other.to_string() }),
        })
    }

    /// The code that schemas store.
    pub fn code(self) -> u8 {
        match self {
            Self::Int32 => 0,
            Self::Int64 => 1,
            Self::Float32 => 2,
            Self::Float64 => 3,
            Self::Int8 => 5,
            Self::UInt8 => 6,
            Self::Int16 => 7,
            Self::UInt16 => 8,
            Self::UInt32 => 9,
            Self::UInt64 => 10,
            Self::Ascii => 11,
            Self::Utf8 => 12,
            Self::Time(code) => code,
            Self::Blob => 40,
            Self::Bool => 41,
        }
    }

    /// Bytes of one value.
    pub fn size(self) -> usize {
        match self {
            Self::Int8 | Self::UInt8 | Self::Bool | Self::Ascii | Self::Utf8 | Self::Blob => 1,
            Self::Int16 | Self::UInt16 => 2,
            Self::Int32 | Self::UInt32 | Self::Float32 => 4,
            Self::Int64 | Self::UInt64 | Self::Float64 | Self::Time(_) => 8,
        }
    }
}
