//! The part of a predicate that an array can answer, and its combination under And and Or.

use crate::predicate::interval::Intervals;
use crate::predicate::ranges::Ranges;
use crate::predicate::tree::Predicate;
use crate::schema::layout::ArrayLayout;

/// More intervals than this on one dimension are merged into one, because TileDB searches all tiles for each interval.
const MAX_INTERVALS: usize = 64;

/// The cells within `ranges` that satisfy `condition`: all cells for which a predicate is true, and perhaps others.
#[derive(Debug, Clone, PartialEq)]
pub struct Pushdown {
    ranges: Ranges,
    condition: Option<Predicate>,
    never: bool,
    exact: bool,
}

impl Pushdown {
    /// All cells: the predicate is always true.
    pub(crate) fn everything() -> Self {
        Self { ranges: Ranges::new(), condition: None, never: false, exact: true }
    }

    /// No cell: the predicate is never true.
    pub(crate) fn nothing() -> Self {
        Self { never: true, ..Self::everything() }
    }

    /// All cells, because the array cannot evaluate the predicate.
    pub(crate) fn unsupported() -> Self {
        Self::everything().inexact()
    }

    /// The cells that satisfy a condition on attributes.
    pub(crate) fn condition(condition: Predicate) -> Self {
        Self { condition: Some(condition), ..Self::everything() }
    }

    /// The cells with these keys on one dimension.
    pub(crate) fn range(dimension: usize, keys: Intervals, layout: &ArrayLayout) -> Self {
        let mut range = Self::everything();
        range.restrict(dimension, keys, layout);
        range
    }

    /// The same cells, marked as a superset of those for which the predicate is true.
    pub(crate) fn inexact(self) -> Self {
        Self { exact: self.never, ..self }
    }

    /// Whether the predicate is true for no cell.
    pub fn is_never(&self) -> bool {
        self.never
    }

    /// Whether these are exactly the cells for which the predicate is true, so that the caller need not evaluate it again.
    pub fn is_exact(&self) -> bool {
        self.exact
    }

    /// Whether nothing is restricted.
    pub fn is_everything(&self) -> bool {
        !self.never && self.ranges.is_empty() && self.condition.is_none()
    }

    /// The ranges and the condition to read.
    pub fn into_parts(self) -> (Ranges, Option<Predicate>) {
        (self.ranges, self.condition)
    }

    /// The cells in both.
    pub fn and(mut self, other: Self) -> Self {
        if self.never || other.never {
            return Self::nothing();
        }
        for (dimension, keys) in other.ranges.iter() {
            let shared = self.ranges.get(dimension).map_or_else(|| keys.clone(), |own| own.intersect(keys));
            self.never |= shared.is_empty();
            self.ranges.insert(dimension, shared);
        }
        if self.never {
            return Self::nothing();
        }
        self.condition = match (self.condition, other.condition) {
            (Some(own), Some(others)) => Some(Predicate::all([own, others])),
            (own, others) => own.or(others),
        };
        self.exact &= other.exact;
        self
    }

    /// The cells in either. TileDB has no union of ranges on several dimensions, or of ranges and conditions, so a
    /// restriction remains only where both sides have one.
    pub(crate) fn or(self, other: Self, layout: &ArrayLayout) -> Self {
        if self.never {
            return other;
        }
        if other.never {
            return self;
        }
        let same_box = self.ranges == other.ranges;
        let same_line = self.condition.is_none()
            && other.condition.is_none()
            && self.ranges.len() == 1
            && self.ranges.dimensions().eq(other.ranges.dimensions());
        let mut either = Self::everything();
        either.exact = self.exact && other.exact && (same_box || same_line);
        for (dimension, keys) in self.ranges.iter() {
            if let Some(others) = other.ranges.get(dimension) {
                either.restrict(dimension, keys.union(others), layout);
            }
        }
        if let (Some(own), Some(others)) = (self.condition, other.condition) {
            either.condition = Some(Predicate::any([own, others]));
        }
        either
    }

    /// Clips `keys` to the dimension's domain, and restricts the dimension to them unless they cover all of it.
    fn restrict(&mut self, dimension: usize, keys: Intervals, layout: &ArrayLayout) {
        let Some(domain) = layout.dimensions.get(dimension).map(|dimension| dimension.domain) else {
            self.exact = false;
            return;
        };
        let domain = domain.keys();
        let mut keys = keys.intersect(&Intervals::new(domain.0, domain.1));
        if keys.is_empty() {
            *self = Self::nothing();
            return;
        }
        if keys.len() > MAX_INTERVALS {
            keys = keys.hull();
            self.exact = false;
        }
        if !keys.covers(domain.0, domain.1) {
            self.ranges.insert(dimension, keys);
        }
    }
}
