//! Literals of ranges and conditions, and their exact conversion to a column's type.

use std::fmt;

use arrow::temporal_conversions::timestamp_ns_to_datetime;

use crate::schema::physical::PhysicalType;

/// A value of a range or condition.
///
/// A read converts the literal to the column's type, and refuses it if the conversion is not exact: an `Int` can be compared
/// with a `Float64` column, and vice versa, if no digit is lost. Booleans are 0 and 1; timestamps compare with `TimestampNs`
/// only.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    UInt(u64),
    /// A float. NaN is refused, because it equals nothing.
    Float(f64),
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    TimestampNs(i64),
    /// Text.
    Text(String),
}

/// As SQL writes it, except that timestamps have no quotes. The format is stable: plans show it, and tests compare it.
impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => write!(f, "{value}"),
            Self::UInt(value) => write!(f, "{value}"),
            // Adding zero prints −0.0, a bound that includes both zeros, as 0.
            Self::Float(value) => write!(f, "{}", value + 0.0),
            Self::TimestampNs(value) => match timestamp_ns_to_datetime(*value) {
                Some(time) => write!(f, "{}", time.format("%Y-%m-%dT%H:%M:%S%.f")),
                None => write!(f, "{value}"),
            },
            Self::Text(value) => write!(f, "'{}'", value.replace('\'', "''")),
        }
    }
}

impl Literal {
    /// Returns the value's bytes as TileDB stores them; `None` if `physical` cannot represent it exactly.
    pub(crate) fn to_bytes(&self, physical: PhysicalType) -> Option<Vec<u8>> {
        Some(match physical {
            PhysicalType::Int8 => i8::try_from(self.integer()?).ok()?.to_ne_bytes().to_vec(),
            PhysicalType::Int16 => i16::try_from(self.integer()?).ok()?.to_ne_bytes().to_vec(),
            PhysicalType::Int32 => i32::try_from(self.integer()?).ok()?.to_ne_bytes().to_vec(),
            PhysicalType::Int64 => i64::try_from(self.integer()?).ok()?.to_ne_bytes().to_vec(),
            PhysicalType::UInt8 => u8::try_from(self.integer()?).ok()?.to_ne_bytes().to_vec(),
            PhysicalType::UInt16 => u16::try_from(self.integer()?).ok()?.to_ne_bytes().to_vec(),
            PhysicalType::UInt32 => u32::try_from(self.integer()?).ok()?.to_ne_bytes().to_vec(),
            PhysicalType::UInt64 => u64::try_from(self.integer()?).ok()?.to_ne_bytes().to_vec(),
            PhysicalType::Bool => u8::try_from(self.integer()?).ok().filter(|bit| *bit < 2)?.to_ne_bytes().to_vec(),
            PhysicalType::Float64 => self.float()?.to_ne_bytes().to_vec(),
            PhysicalType::Float32 => narrow(self.float()?)?.to_ne_bytes().to_vec(),
            PhysicalType::TimestampNs => match self {
                Self::TimestampNs(value) => value.to_ne_bytes().to_vec(),
                _ => return None,
            },
            PhysicalType::Text => match self {
                Self::Text(text) => text.as_bytes().to_vec(),
                _ => return None,
            },
        })
    }

    /// Returns the value if it is an integer; `None` for floats beyond ±2⁶⁴, which no integer type can represent.
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

    /// Returns the value as a float, if the conversion is exact; `None` for NaN.
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
    fn values_that_would_be_rounded_are_refused() {
        assert_eq!(Literal::Int(128).to_bytes(PhysicalType::Int8), None);
        assert_eq!(Literal::Int(-1).to_bytes(PhysicalType::UInt64), None);
        assert_eq!(Literal::Float(0.1).to_bytes(PhysicalType::Float32), None);
        assert_eq!(Literal::Float(1.5).to_bytes(PhysicalType::Int32), None);
        assert_eq!(Literal::Int((1 << 53) + 1).to_bytes(PhysicalType::Float64), None);
        assert_eq!(Literal::Float(f64::NAN).to_bytes(PhysicalType::Float64), None);
        assert_eq!(Literal::Int(2).to_bytes(PhysicalType::Bool), None);
        assert_eq!(Literal::Int(0).to_bytes(PhysicalType::TimestampNs), None);
    }

    #[test]
    fn exact_values_are_converted_to_the_type_of_the_column() {
        assert_eq!(Literal::Float(3.0).to_bytes(PhysicalType::Int16), Some(3_i16.to_ne_bytes().to_vec()));
        assert_eq!(Literal::Int(-7).to_bytes(PhysicalType::Float32), Some((-7.0_f32).to_ne_bytes().to_vec()));
        assert_eq!(Literal::UInt(u64::MAX).to_bytes(PhysicalType::UInt64), Some(u64::MAX.to_ne_bytes().to_vec()));
        assert_eq!(
            Literal::Float(f64::INFINITY).to_bytes(PhysicalType::Float32),
            Some(f32::INFINITY.to_ne_bytes().to_vec())
        );
        assert_eq!(Literal::Text(String::new()).to_bytes(PhysicalType::Text), Some(Vec::new()));
    }
}
