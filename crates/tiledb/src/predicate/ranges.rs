//! Ranges of dimensions: as a caller writes them, and as sets of intervals per dimension.

use std::collections::BTreeMap;

use crate::literal::Literal;
use crate::predicate::interval::Intervals;
use crate::schema::layout::ArrayLayout;

/// A closed range of one dimension. It is clipped to the domain, and empty if `low` is above `high`.
#[derive(Clone, Debug, PartialEq)]
pub struct DimensionRange {
    /// The dimension.
    pub dimension: String,
    /// The lowest coordinate.
    pub low: Literal,
    /// The highest coordinate.
    pub high: Literal,
}

/// Intervals of keys per dimension. A dimension without intervals is not restricted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ranges(BTreeMap<usize, Intervals>);

impl Ranges {
    /// No restriction.
    pub fn new() -> Self {
        Self::default()
    }

    /// The intervals of a dimension, by its index in the layout; `None` if it is not restricted.
    pub fn get(&self, dimension: usize) -> Option<&Intervals> {
        self.0.get(&dimension)
    }

    /// Restricts a dimension to `intervals`, replacing an earlier restriction.
    pub fn insert(&mut self, dimension: usize, intervals: Intervals) {
        self.0.insert(dimension, intervals);
    }

    /// The restricted dimensions and their intervals, in the layout's order.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Intervals)> {
        self.0.iter().map(|(dimension, intervals)| (*dimension, intervals))
    }

    /// The restricted dimensions, in the layout's order.
    pub fn dimensions(&self) -> impl Iterator<Item = usize> {
        self.0.keys().copied()
    }

    /// Whether no dimension is restricted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many dimensions are restricted.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the ranges with the names and values of the layout's dimensions, clipped to their domains.
    pub fn to_dimension_ranges(&self, layout: &ArrayLayout) -> Vec<DimensionRange> {
        let mut ranges = Vec::new();
        for (index, intervals) in &self.0 {
            let Some(dimension) = layout.dimensions.get(*index) else { continue };
            let (axis, domain) = (dimension.domain.axis(), dimension.domain.keys());
            ranges.extend(intervals.iter().map(|(low, high)| DimensionRange {
                dimension: dimension.name.clone(),
                low: axis.value(low.max(domain.0)),
                high: axis.value(high.min(domain.1)),
            }));
        }
        ranges
    }
}

impl FromIterator<(usize, Intervals)> for Ranges {
    fn from_iter<I: IntoIterator<Item = (usize, Intervals)>>(ranges: I) -> Self {
        Self(ranges.into_iter().collect())
    }
}
