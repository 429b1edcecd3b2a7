//! One part of a region: a box, or a polygon with holes.

use crate::bounds::Bounds;
use crate::ring::Ring;

/// One piece of a region.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub(crate) enum Part {
    Box(Bounds),
    /// The outer ring, then the holes.
    Polygon(Vec<Ring>),
}

impl Part {
    pub(crate) fn as_box(&self) -> Option<Bounds> {
        match self {
            Part::Box(bounds) => Some(*bounds),
            Part::Polygon(_) => None,
        }
    }

    /// The box around it.
    pub(crate) fn bounds(&self) -> Bounds {
        match self {
            Part::Box(bounds) => *bounds,
            Part::Polygon(rings) => rings.first().map_or(Bounds::EVERYTHING, Ring::bounds),
        }
    }
}
