//! The number type in which a dataset is stored. It may differ from the catalogue's.

use hdf5::{Datatype, DatatypeByteOrder, FloatingPointLayout};

use crate::error::Reason;

/// A stored number type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
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
}

/// A stored number type and its byte order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) number: Number,
    pub(crate) big_endian: bool,
}

impl Element {
    /// The element of a dataset of plain numbers.
    ///
    /// # Errors
    /// For anything else: strings, enumerations, odd widths.
    pub(crate) fn from_datatype(datatype: &Datatype) -> Result<Self, Reason> {
        let plain = match datatype {
            Datatype::FixedPoint { size, byte_order, layout }
                if layout.bit_offset == 0 && size.checked_mul(8) == Some(u32::from(layout.bit_precision)) =>
            {
                integer(*size, layout.signed).map(|number| (number, byte_order))
            }
            Datatype::FloatingPoint { size: 4, byte_order, layout: FloatingPointLayout::IEEE754_BINARY32 } => {
                Some((Number::Float32, byte_order))
            }
            Datatype::FloatingPoint { size: 8, byte_order, layout: FloatingPointLayout::IEEE754_BINARY64 } => {
                Some((Number::Float64, byte_order))
            }
            _ => None,
        };
        match plain {
            Some((number, DatatypeByteOrder::LittleEndian)) => Ok(Self { number, big_endian: false }),
            Some((number, DatatypeByteOrder::BigEndian)) => Ok(Self { number, big_endian: true }),
            _ => {
                Err(format!("its elements are {}, expected integers or floats of 32 or 64 bits", describe(datatype))
                    .into())
            }
        }
    }

    /// Bytes of one number.
    pub(crate) fn size(self) -> usize {
        match self.number {
            Number::Int8 | Number::UInt8 => 1,
            Number::Int16 | Number::UInt16 => 2,
            Number::Int32 | Number::UInt32 | Number::Float32 => 4,
            Number::Int64 | Number::UInt64 | Number::Float64 => 8,
        }
    }

    /// Whether the numbers are integers.
    pub(crate) fn is_integer(self) -> bool {
        !matches!(self.number, Number::Float32 | Number::Float64)
    }

    /// Turns the bytes of whole numbers into this machine's order.
    pub(crate) fn make_native(self, bytes: &mut [u8]) {
        if self.big_endian != cfg!(target_endian = "big") {
            bytes.chunks_exact_mut(self.size()).for_each(<[u8]>::reverse);
        }
    }
}

/// The name of a datatype that is not of plain numbers.
fn describe(datatype: &Datatype) -> String {
    match datatype {
        Datatype::FixedPoint { size, .. } => format!("integers of an odd layout in {size} bytes"),
        Datatype::FloatingPoint { size: 2, .. } => "16-bit floats".to_owned(),
        Datatype::FloatingPoint { size, .. } => format!("floats of an odd layout in {size} bytes"),
        Datatype::String { .. } => "texts".to_owned(),
        Datatype::VariableLength { .. } => "texts or lists of any length".to_owned(),
        Datatype::Enumeration { .. } => "an enumeration (as h5py writes booleans)".to_owned(),
        Datatype::Compound { .. } => "records of several fields".to_owned(),
        _ => "not numbers".to_owned(),
    }
}

fn integer(size: u32, signed: bool) -> Option<Number> {
    Some(match (size, signed) {
        (1, true) => Number::Int8,
        (2, true) => Number::Int16,
        (4, true) => Number::Int32,
        (8, true) => Number::Int64,
        (1, false) => Number::UInt8,
        (2, false) => Number::UInt16,
        (4, false) => Number::UInt32,
        (8, false) => Number::UInt64,
        _ => return None,
    })
}
