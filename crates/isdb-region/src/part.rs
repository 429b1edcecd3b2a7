//! One part of a region: a box, or a polygon with holes.

use crate::bounds::Bounds;
use crate::ring::Ring;

/// One of the areas whose union is a region.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub(crate) enum RegionPart {
    Box(Bounds),
    /// The outer ring, then the holes.
    Polygon(Vec<Ring>),
}

impl RegionPart {
    pub(crate) fn as_box(&self) -> Option<Bounds> {
        match self {
            RegionPart::Box(bounds) => Some(*bounds),
            RegionPart::Polygon(_) => None,
        }
    }

    /// The box around it.
    pub(crate) fn bounds(&self) -> Bounds {
        match self {
            RegionPart::Box(bounds) => *bounds,
            RegionPart::Polygon(rings) => rings.first().map_or(Bounds::EVERYTHING, Ring::bounds),
        }
    }
}
