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

    /// Adds sums as libtiledb does: what leaves the type's range stays at its end.
    pub(crate) fn add_sum(self, other: Self) -> Self {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Self::Int(a.saturating_add(b)),
            (Self::UInt(a), Self::UInt(b)) => Self::UInt(a.saturating_add(b)),
            (Self::Float(a), Self::Float(b)) => {
                let sum = a + b;
                Self::Float(if sum.is_infinite() && a.is_finite() && b.is_finite() {
                    f64::MAX.copysign(sum)
                } else {
                    sum
                })
            }
            _ => self,
        }
    }

    /// Whether a sum has left its type's range; libtiledb stops there.
    pub(crate) fn is_at_end(self) -> bool {
        match self {
            Self::Int(value) => value == i64::MAX || value == i64::MIN,
            Self::UInt(value) => value == u64::MAX,
            Self::Float(value) => value.abs() == f64::MAX,
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
        assert_eq!(Number::Int(i64::MAX).add_sum(Number::Int(1)), Number::Int(i64::MAX));
        assert_eq!(Number::UInt(u64::MAX).add_sum(Number::UInt(1)), Number::UInt(u64::MAX));
        assert_eq!(Number::Float(f64::MAX).add_sum(Number::Float(f64::MAX)), Number::Float(f64::MAX));
        assert_eq!(Number::Float(f64::MIN).add_sum(Number::Float(f64::MIN)), Number::Float(f64::MIN));
        assert!(Number::Int(i64::MAX).is_at_end() && !Number::Int(0).is_at_end());
    }

    #[test]
    fn signed_and_unsigned_bytes_are_told_apart() {
        assert_eq!(Number::read(Datatype::Int8, &[0xff]), Some(Number::Int(-1)));
        assert_eq!(Number::read(Datatype::UInt8, &[0xff]), Some(Number::UInt(255)));
        assert_eq!(Number::read(Datatype::Int32, &[0xff]), None);
    }
}
