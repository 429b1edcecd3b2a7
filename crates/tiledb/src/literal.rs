//! Values of ranges and conditions, and their exact conversion to a column's physical type.

use std::fmt;

use crate::column::Physical;

/// A value of a range or condition. It is converted exactly to the column's physical type when bound: an `Int` may meet a
/// `Float64` column (and the reverse) where no digit is lost; Booleans are 0 and 1; time meets `TimestampNs` only.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    UInt(u64),
    /// A float; NaN is equal to nothing and therefore refused.
    Float(f64),
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    TimestampNs(i64),
    /// Text.
    Text(String),
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => write!(f, "{value}"),
            Self::UInt(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
            Self::TimestampNs(value) => write!(f, "{value} ns"),
            Self::Text(value) => write!(f, "'{value}'"),
        }
    }
}

impl Literal {
    /// The value's bytes as the library stores them, or `None` if `physical` cannot hold it exactly.
    pub(crate) fn to_bytes(&self, physical: Physical) -> Option<Vec<u8>> {
        Some(match physical {
            Physical::Int8 => i8::try_from(self.integer()?).ok()?.to_ne_bytes().to_vec(),
            Physical::Int16 => i16::try_from(self.integer()?).ok()?.to_ne_bytes().to_vec(),
            Physical::Int32 => i32::try_from(self.integer()?).ok()?.to_ne_bytes().to_vec(),
            Physical::Int64 => i64::try_from(self.integer()?).ok()?.to_ne_bytes().to_vec(),
            Physical::UInt8 => u8::try_from(self.integer()?).ok()?.to_ne_bytes().to_vec(),
            Physical::UInt16 => u16::try_from(self.integer()?).ok()?.to_ne_bytes().to_vec(),
            Physical::UInt32 => u32::try_from(self.integer()?).ok()?.to_ne_bytes().to_vec(),
            Physical::UInt64 => u64::try_from(self.integer()?).ok()?.to_ne_bytes().to_vec(),
            Physical::Bool => u8::try_from(self.integer()?).ok().filter(|bit| *bit < 2)?.to_ne_bytes().to_vec(),
            Physical::Float64 => self.float()?.to_ne_bytes().to_vec(),
            Physical::Float32 => narrow(self.float()?)?.to_ne_bytes().to_vec(),
            Physical::TimestampNs => match self {
                Self::TimestampNs(value) => value.to_ne_bytes().to_vec(),
                _ => return None,
            },
            Physical::Text => match self {
                Self::Text(text) => text.as_bytes().to_vec(),
                _ => return None,
            },
        })
    }

    /// The value as an integer, if it is one. 128 bits hold every `i64`, `u64` and every float that matters here.
    pub(crate) fn integer(&self) -> Option<i128> {
        const LIMIT: f64 = 18_446_744_073_709_551_616.0;
        match self {
            Self::Int(value) => Some(i128::from(*value)),
            Self::UInt(value) => Some(i128::from(*value)),
            #[expect(clippy::cast_possible_truncation, reason = "an integral float of at most 64 bits loses nothing")]
            Self::Float(value) => (value.fract() == 0.0 && value.abs() <= LIMIT).then_some(*value as i128),
            Self::TimestampNs(_) | Self::Text(_) => None,
        }
    }

    /// The value as a float, if it loses nothing and is a number.
    pub(crate) fn float(&self) -> Option<f64> {
        let exact = |wide: i128| {
            let float = wide as f64;
            (Self::Float(float).integer() == Some(wide)).then_some(float)
        };
        match self {
            Self::Int(_) | Self::UInt(_) => exact(self.integer()?),
            Self::Float(value) => (!value.is_nan()).then_some(*value),
            Self::TimestampNs(_) | Self::Text(_) => None,
        }
    }
}

fn narrow(value: f64) -> Option<f32> {
    #[expect(clippy::cast_possible_truncation, reason = "the conversion back decides")]
    let narrow = value as f32;
    (f64::from(narrow) == value).then_some(narrow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_would_be_rounded_is_refused() {
        assert_eq!(Literal::Int(128).to_bytes(Physical::Int8), None);
        assert_eq!(Literal::Int(-1).to_bytes(Physical::UInt64), None);
        assert_eq!(Literal::Float(0.1).to_bytes(Physical::Float32), None);
        assert_eq!(Literal::Float(1.5).to_bytes(Physical::Int32), None);
        assert_eq!(Literal::Int((1 << 53) + 1).to_bytes(Physical::Float64), None);
        assert_eq!(Literal::Float(f64::NAN).to_bytes(Physical::Float64), None);
        assert_eq!(Literal::Int(2).to_bytes(Physical::Bool), None);
        assert_eq!(Literal::Int(0).to_bytes(Physical::TimestampNs), None);
    }

    #[test]
    fn a_value_that_fits_is_stored_as_the_column_stores_it() {
        assert_eq!(Literal::Float(3.0).to_bytes(Physical::Int16), Some(3_i16.to_ne_bytes().to_vec()));
        assert_eq!(Literal::Int(-7).to_bytes(Physical::Float32), Some((-7.0_f32).to_ne_bytes().to_vec()));
        assert_eq!(Literal::UInt(u64::MAX).to_bytes(Physical::UInt64), Some(u64::MAX.to_ne_bytes().to_vec()));
        assert_eq!(
            Literal::Float(f64::INFINITY).to_bytes(Physical::Float32),
            Some(f32::INFINITY.to_ne_bytes().to_vec())
        );
        assert_eq!(Literal::Text(String::new()).to_bytes(Physical::Text), Some(Vec::new()));
    }
}
