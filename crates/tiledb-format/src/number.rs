//! Values of coordinates and statistics.

use std::cmp::Ordering;

use crate::datatype::Datatype;

/// One stored number, widened without loss to the largest type of its kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A signed integer, or a time.
    Int(i64),
    /// An unsigned integer, a truth value or an untyped byte.
    UInt(u64),
    /// A float.
    Float(f64),
}

impl Number {
    /// Reads the little-endian bytes of one value. `None` if their number is not the datatype's.
    pub fn read(datatype: Datatype, bytes: &[u8]) -> Option<Self> {
        fn array<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
            bytes.try_into().ok()
        }
        Some(match datatype {
            Datatype::Int8 => Self::Int(i8::from_le_bytes(array(bytes)?).into()),
            Datatype::Int16 => Self::Int(i16::from_le_bytes(array(bytes)?).into()),
            Datatype::Int32 => Self::Int(i32::from_le_bytes(array(bytes)?).into()),
            Datatype::Int64 | Datatype::Time(_) => Self::Int(i64::from_le_bytes(array(bytes)?)),
            Datatype::UInt8 | Datatype::Bool | Datatype::Ascii | Datatype::Utf8 | Datatype::Blob => {
                Self::UInt(u8::from_le_bytes(array(bytes)?).into())
            }
            Datatype::UInt16 => Self::UInt(u16::from_le_bytes(array(bytes)?).into()),
            Datatype::UInt32 => Self::UInt(u32::from_le_bytes(array(bytes)?).into()),
            Datatype::UInt64 => Self::UInt(u64::from_le_bytes(array(bytes)?)),
            Datatype::Float32 => Self::Float(f32::from_le_bytes(array(bytes)?).into()),
            Datatype::Float64 => Self::Float(f64::from_le_bytes(array(bytes)?)),
        })
    }

    /// Interprets the eight bytes in which a sum of values of `datatype` is stored.
    pub fn of_sum(datatype: Datatype, bits: u64) -> Self {
        match datatype {
            Datatype::Float32 | Datatype::Float64 => Self::Float(f64::from_bits(bits)),
            Datatype::UInt8 | Datatype::UInt16 | Datatype::UInt32 | Datatype::UInt64 | Datatype::Bool => {
                Self::UInt(bits)
            }
            _ => Self::Int(i64::from_le_bytes(bits.to_le_bytes())),
        }
    }

    /// The eight bytes in which a sum is stored.
    pub fn sum_bits(self) -> u64 {
        match self {
            Self::Int(value) => u64::from_le_bytes(value.to_le_bytes()),
            Self::UInt(value) => value,
            Self::Float(value) => value.to_bits(),
        }
    }

    /// Adds sums as libtiledb does: one that leaves the type's range stays at its end, where libtiledb stops. Returns whether it did.
    pub(crate) fn add_sum(self, other: Self) -> (Self, bool) {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => (Self::Int(a.saturating_add(b)), a.checked_add(b).is_none()),
            (Self::UInt(a), Self::UInt(b)) => (Self::UInt(a.saturating_add(b)), a.checked_add(b).is_none()),
            (Self::Float(a), Self::Float(b)) => {
                let sum = a + b;
                let left = sum.is_infinite() && a.is_finite() && b.is_finite();
                (Self::Float(if left { f64::MAX.copysign(sum) } else { sum }), left)
            }
            _ => (self, false),
        }
    }
}

/// Numbers of different kinds do not compare, nor does NaN.
impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.partial_cmp(b),
            (Self::UInt(a), Self::UInt(b)) => a.partial_cmp(b),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saturated_sums_do_not_wrap_to_the_other_end() {
        for end in [
            Number::Int(i64::MAX),
            Number::Int(i64::MIN),
            Number::UInt(u64::MAX),
            Number::Float(f64::MAX),
            Number::Float(f64::MIN),
        ] {
            assert_eq!(end.add_sum(end), (end, true));
        }
        // A sum that happens to be at the end has not left the range.
        assert_eq!(Number::Int(i64::MIN).add_sum(Number::Int(1)), (Number::Int(i64::MIN + 1), false));
    }

    #[test]
    fn signed_and_unsigned_bytes_are_distinguished() {
        assert_eq!(Number::read(Datatype::Int8, &[0xff]), Some(Number::Int(-1)));
        assert_eq!(Number::read(Datatype::UInt8, &[0xff]), Some(Number::UInt(255)));
        assert_eq!(Number::read(Datatype::Int32, &[0xff]), None);
    }
}
