//! What of a predicate an array can be asked for, and how two such parts combine under AND and OR.

use std::collections::BTreeMap;

use tiledb::{ArrayLayout, Condition};

use crate::interval::{Intervals, domain_keys};

/// More intervals than this on one dimension are asked for as one: each costs TileDB a walk of the tiles.
const MAX_INTERVALS: usize = 64;

/// A set of rows an array can be asked for: those within the ranges that meet the condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pushed {
    /// Keys wanted per dimension (position in the layout); a dimension that is not here is not restricted.
    ranges: BTreeMap<usize, Intervals>,
    condition: Option<Condition>,
    never: bool,
    exact: bool,
}

impl Pushed {
    /// Every row: the predicate is always TRUE.
    pub(crate) fn everything() -> Self {
        Self { ranges: BTreeMap::new(), condition: None, never: false, exact: true }
    }

    /// No row: the predicate is never TRUE.
    pub(crate) fn nothing() -> Self {
        Self { never: true, ..Self::everything() }
    }

    /// Every row, since nothing is known of the predicate.
    pub(crate) fn unknown() -> Self {
        Self::everything().inexact()
    }

    /// The rows that meet a condition on attributes.
    pub(crate) fn condition(condition: Condition) -> Self {
        Self { condition: Some(condition), ..Self::everything() }
    }

    /// The rows with these keys on one dimension.
    pub(crate) fn range(dimension: usize, keys: Intervals, layout: &ArrayLayout) -> Self {
        let mut range = Self::everything();
        range.restrict(dimension, keys, layout);
        range
    }

    /// The same rows, as a superset of what was meant.
    pub(crate) fn inexact(self) -> Self {
        Self { exact: self.never, ..self }
    }

    /// Whether no row can meet the predicate.
    pub(crate) fn is_never(&self) -> bool {
        self.never
    }

    /// Whether these are exactly the rows for which the predicate is TRUE.
    pub(crate) fn is_exact(&self) -> bool {
        self.exact
    }

    /// Whether asking for this reads as much as asking for everything.
    pub(crate) fn is_everything(&self) -> bool {
        !self.never && self.ranges.is_empty() && self.condition.is_none()
    }

    /// The ranges, by position of their dimension in the layout, and the condition.
    pub(crate) fn into_parts(self) -> (BTreeMap<usize, Intervals>, Option<Condition>) {
        (self.ranges, self.condition)
    }

    /// Rows of both.
    pub(crate) fn and(mut self, other: Self) -> Self {
        if self.never || other.never {
            return Self::nothing();
        }
        for (dimension, keys) in other.ranges {
            let shared = self.ranges.get(&dimension).map_or_else(|| keys.clone(), |mine| mine.intersect(&keys));
            self.never |= shared.is_empty();
            self.ranges.insert(dimension, shared);
        }
        if self.never {
            return Self::nothing();
        }
        self.condition = match (self.condition, other.condition) {
            (Some(mine), Some(theirs)) => Some(all_of(mine, theirs)),
            (mine, theirs) => mine.or(theirs),
        };
        self.exact &= other.exact;
        self
    }

    /// Rows of either. Ranges of several dimensions, or ranges and conditions, cannot be alternatives of each other in
    /// TileDB: what both sides restrict stays restricted.
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
            && self.ranges.keys().eq(other.ranges.keys());
        let mut either = Self::everything();
        either.exact = self.exact && other.exact && (same_box || same_line);
        for (dimension, keys) in self.ranges {
            if let Some(theirs) = other.ranges.get(&dimension) {
                either.restrict(dimension, keys.union(theirs), layout);
            }
        }
        if let (Some(mine), Some(theirs)) = (self.condition, other.condition) {
            either.condition = Some(any_of(mine, theirs));
        }
        either
    }

    /// Keeps what lies in the dimension's domain, says nothing where that is all of it.
    fn restrict(&mut self, dimension: usize, keys: Intervals, layout: &ArrayLayout) {
        let Some(domain) = layout.dimensions.get(dimension).map(|dimension| domain_keys(&dimension.domain)) else {
            self.exact = false;
            return;
        };
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

/// Both conditions, without nesting.
pub(crate) fn all_of(mine: Condition, theirs: Condition) -> Condition {
    let mut all = match mine {
        Condition::And(all) => all,
        other => vec![other],
    };
    match theirs {
        Condition::And(more) => all.extend(more),
        other => all.push(other),
    }
    Condition::And(all)
}

fn any_of(mine: Condition, theirs: Condition) -> Condition {
    let mut any = match mine {
        Condition::Or(any) => any,
        other => vec![other],
    };
    match theirs {
        Condition::Or(more) => any.extend(more),
        other => any.push(other),
    }
    Condition::Or(any)
}
