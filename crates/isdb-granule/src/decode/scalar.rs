//! A number in the widest type of its kind, and exact casts to other types.

/// An integer or a float of any stored width.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scalar {
    Int(i64),
    Float(f64),
}

/// The integer of the same value; `None` if `T` has none.
#[expect(clippy::cast_possible_truncation, reason = "the result is compared with the original")]
pub(crate) fn to_int<T: TryFrom<i64>>(value: Scalar) -> Option<T> {
    let int = match value {
        Scalar::Int(int) => int,
        // 2^63 and above would saturate to a different number that compares equal as a double
        Scalar::Float(float) => (float.abs() < 9.2e18).then_some(float as i64).filter(|&int| int as f64 == float)?,
    };
    T::try_from(int).ok()
}

/// The single of the same value; `None` if there is none.
#[expect(clippy::cast_possible_truncation, reason = "the result is compared with the original")]
pub(crate) fn to_single(value: Scalar) -> Option<f32> {
    let double = to_double(value)?;
    let single = double as f32;
    (f64::from(single) == double).then_some(single)
}

/// The double of the same value; `None` for integers beyond 2^53.
pub(crate) fn to_double(value: Scalar) -> Option<f64> {
    match value {
        Scalar::Int(int) => Some(int as f64).filter(|double| int.unsigned_abs() <= 1 << 53 && double.is_finite()),
        Scalar::Float(float) => Some(float),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cast_is_exact_or_fails(value: i64) {
            prop_assert_eq!(to_int::<i16>(Scalar::Int(value)).map(i64::from), i16::try_from(value).ok().map(i64::from));
            if let Some(double) = to_double(Scalar::Int(value)) {
                prop_assert_eq!(to_int::<i64>(Scalar::Float(double)), Some(value));
            }
            if let Some(single) = to_single(Scalar::Int(value)) {
                prop_assert_eq!(to_int::<i64>(Scalar::Float(single.into())), Some(value));
            }
        }
    }
}
