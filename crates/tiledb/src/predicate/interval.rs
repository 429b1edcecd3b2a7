//! Sets of closed intervals on one dimension, stored as integer keys in the order of Arrow's comparisons.

use crate::literal::Literal;
use crate::schema::layout::Domain;

/// The key of `-0.0`; the key of `0.0` is the next one.
const NEGATIVE_ZERO: i64 = -1;
const POSITIVE_ZERO: i64 = 0;

/// The conversion between the values of one dimension and their keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// Doubles in their total order: the next key is the next double.
    Float64,
    /// Integers, which are their own keys.
    Int64,
    /// Nanoseconds since 1970, which are their own keys.
    TimestampNs,
}

impl Domain {
    /// The axis of this dimension.
    pub fn axis(self) -> Axis {
        match self {
            Self::Float32 { .. } | Self::Float64 { .. } => Axis::Float64,
            Self::Int64 { .. } => Axis::Int64,
            Self::TimestampNs { .. } => Axis::TimestampNs,
        }
    }

    /// The keys of the lowest and the highest coordinate.
    pub fn keys(self) -> (i64, i64) {
        let (low, high) = match self {
            Self::Float32 { low, high, .. } => (float_key(low.into()), float_key(high.into())),
            Self::Float64 { low, high, .. } => (float_key(low), float_key(high)),
            Self::Int64 { low, high, .. } | Self::TimestampNs { low, high, .. } => (low, high),
        };
        widen_zero(self.axis(), low, high)
    }
}

impl Axis {
    /// The key of a value; `None` for NaN, and for values that the dimension's type cannot represent exactly.
    pub fn key(self, value: &Literal) -> Option<i64> {
        match (self, value) {
            (Self::Float64, value) => value.float().map(float_key),
            (Self::Int64, value) => i64::try_from(value.integer()?).ok(),
            (Self::TimestampNs, Literal::TimestampNs(value)) => Some(*value),
            (Self::TimestampNs, _) => None,
        }
    }

    /// The value of a key.
    pub fn value(self, key: i64) -> Literal {
        match self {
            Self::Float64 => Literal::Float(key_float(key)),
            Self::Int64 => Literal::Int(key),
            Self::TimestampNs => Literal::TimestampNs(key),
        }
    }

    /// The position of a key on a linear scale, to divide a dimension evenly.
    #[expect(clippy::cast_precision_loss, reason = "positions are approximate")]
    pub fn position(self, key: i64) -> f64 {
        match self {
            Self::Float64 => key_float(key),
            Self::Int64 | Self::TimestampNs => key as f64,
        }
    }

    /// The key at a position on the linear scale.
    #[expect(clippy::cast_possible_truncation, reason = "positions are approximate, and the conversion saturates")]
    pub fn key_at(self, position: f64) -> i64 {
        match self {
            Self::Float64 => float_key(position),
            Self::Int64 | Self::TimestampNs => position as i64,
        }
    }

    /// The last key of the first part when an interval is cut at `key`. Both zeros stay in one part, because TileDB treats
    /// them as equal.
    pub fn cut(self, key: i64) -> i64 {
        if self == Self::Float64 && key == NEGATIVE_ZERO { POSITIVE_ZERO } else { key }
    }
}

/// Maps doubles to integers in the doubles' total order.
fn float_key(value: f64) -> i64 {
    flip(value.to_bits().cast_signed())
}

fn key_float(key: i64) -> f64 {
    f64::from_bits(flip(key).cast_unsigned())
}

/// Flips all bits but the sign of negative values; its own inverse.
fn flip(bits: i64) -> i64 {
    if bits < 0 { bits ^ i64::MAX } else { bits }
}

/// Includes both zeros where an interval ends at one of them: −0.0 and 0.0 are equal in TileDB, but not in Arrow's total order.
fn widen_zero(axis: Axis, low: i64, high: i64) -> (i64, i64) {
    if axis != Axis::Float64 {
        return (low, high);
    }
    (if low == POSITIVE_ZERO { NEGATIVE_ZERO } else { low }, if high == NEGATIVE_ZERO { POSITIVE_ZERO } else { high })
}

/// Closed intervals of keys, ascending and separated by at least one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intervals(Vec<(i64, i64)>);

impl Intervals {
    /// One interval, or none when `low` is above `high`.
    pub fn new(low: i64, high: i64) -> Self {
        Self::from_unsorted(vec![(low, high)])
    }

    /// The empty set.
    pub fn none() -> Self {
        Self(Vec::new())
    }

    /// The union of intervals in any order; those with the low key above the high one are empty.
    pub fn from_unsorted(mut intervals: Vec<(i64, i64)>) -> Self {
        intervals.retain(|(low, high)| low <= high);
        intervals.sort_unstable();
        let mut merged: Vec<(i64, i64)> = Vec::with_capacity(intervals.len());
        for (low, high) in intervals {
            match merged.last_mut() {
                Some(last) if low <= last.1.saturating_add(1) => last.1 = last.1.max(high),
                _ => merged.push((low, high)),
            }
        }
        Self(merged)
    }

    /// The union of intervals in any order, with both zeros wherever an interval ends at one of them.
    pub fn with_both_zeros(axis: Axis, intervals: Vec<(i64, i64)>) -> Self {
        Self::from_unsorted(intervals.into_iter().map(|(low, high)| widen_zero(axis, low, high)).collect())
    }

    /// Returns the set with both zeros wherever an interval ends at one of them, and whether that changed it.
    pub fn with_whole_zeros(self, axis: Axis) -> (Self, bool) {
        let widened = Self::with_both_zeros(axis, self.0.clone());
        let changed = widened != self;
        (widened, changed)
    }

    /// Keys of both sets.
    pub fn intersect(&self, other: &Self) -> Self {
        let mut shared = Vec::new();
        let (mut left, mut right) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let (Some(&&(a, b)), Some(&&(c, d))) = (left.peek(), right.peek()) {
            shared.push((a.max(c), b.min(d)));
            if b < d {
                left.next()
            } else {
                right.next()
            };
        }
        Self::from_unsorted(shared)
    }

    /// Keys of either set.
    pub fn union(&self, other: &Self) -> Self {
        Self::from_unsorted(self.0.iter().chain(&other.0).copied().collect())
    }

    /// The single interval from the lowest to the highest key.
    pub fn hull(&self) -> Self {
        match (self.0.first(), self.0.last()) {
            (Some(first), Some(last)) => Self(vec![(first.0, last.1)]),
            _ => Self::none(),
        }
    }

    /// Whether every key from `low` to `high` is in the set.
    pub fn covers(&self, low: i64, high: i64) -> bool {
        self.0.iter().any(|interval| interval.0 <= low && high <= interval.1)
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of intervals.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The intervals, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (i64, i64)> + '_ {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set() -> impl Strategy<Value = Intervals> {
        proptest::collection::vec((-20i64..20, -20i64..20), 0..5).prop_map(Intervals::from_unsorted)
    }

    fn contains(set: &Intervals, key: i64) -> bool {
        set.covers(key, key)
    }

    proptest! {
        #[test]
        fn set_operations_contain_the_keys_of_their_operands(a in set(), b in set(), key in -25i64..25) {
            prop_assert_eq!(contains(&a.intersect(&b), key), contains(&a, key) && contains(&b, key));
            prop_assert_eq!(contains(&a.union(&b), key), contains(&a, key) || contains(&b, key));
            prop_assert!(!contains(&a, key) || contains(&a.hull(), key));
        }

        #[test]
        fn intervals_never_touch(a in set(), b in set()) {
            let ends: Vec<_> = a.union(&b).iter().collect();
            prop_assert!(ends.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
        }

        #[test]
        fn keys_of_doubles_are_in_their_total_order(a in any::<f64>(), b in any::<f64>()) {
            prop_assert_eq!(float_key(a).cmp(&float_key(b)), a.total_cmp(&b));
            prop_assert_eq!(key_float(float_key(a)).to_bits(), a.to_bits());
        }
    }

    #[test]
    fn the_next_key_is_the_next_double() {
        for value in [1.0, -1.0, 5e-324, -0.1, 1e300] {
            assert_eq!(key_float(float_key(value) + 1), f64::next_up(value));
        }
        assert_eq!((float_key(-0.0), float_key(0.0)), (NEGATIVE_ZERO, POSITIVE_ZERO));
    }

    #[test]
    fn an_interval_that_ends_at_one_zero_includes_the_other() {
        let (widened, changed) = Intervals::new(float_key(0.0), float_key(1.0)).with_whole_zeros(Axis::Float64);
        assert!(changed && contains(&widened, NEGATIVE_ZERO));
        let (same, changed) = Intervals::new(0, 7).with_whole_zeros(Axis::Int64);
        assert!(!changed && same == Intervals::new(0, 7));
    }
}
