//! An R-tree of fragments, which finds those in a box without a look at the others.

use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};

use super::live::LiveFragment;
use crate::predicate::Ranges;
use crate::schema::layout::ArrayLayout;

/// The rectangles of fragments in the first two dimensions, with their positions.
#[derive(Debug)]
pub(super) struct FragmentIndex(RTree<GeomWithData<Rectangle<[f64; 2]>, usize>>);

impl FragmentIndex {
    pub(super) fn new(fragments: &[LiveFragment], layout: &ArrayLayout) -> Self {
        let side = |live: &LiveFragment, dimension: usize| {
            let axis = layout.dimensions.get(dimension)?.domain.axis();
            let (low, high) = live.domain.get(dimension)?;
            Some((axis.position(axis.key(low)?), axis.position(axis.key(high)?)))
        };
        let rectangle = |(position, live): (usize, &LiveFragment)| {
            // Without a known side it may be anywhere.
            let sides = [0, 1].map(|dimension| side(live, dimension).unwrap_or((f64::MIN, f64::MAX)));
            let corners = (sides.map(|(low, _)| low), sides.map(|(_, high)| high));
            GeomWithData::new(Rectangle::from_corners(corners.0, corners.1), position)
        };
        Self(RTree::bulk_load(fragments.iter().enumerate().map(rectangle).collect()))
    }

    /// Returns the positions of all fragments that may have cells within `ranges`, and perhaps of others, in no order.
    pub(super) fn candidates(&self, ranges: &Ranges, layout: &ArrayLayout) -> Vec<usize> {
        let sides = [0, 1].map(|dimension| {
            let hull = ranges.get(dimension).and_then(|intervals| intervals.hull().iter().next());
            let axis = layout.dimensions.get(dimension).map(|dimension| dimension.domain.axis());
            hull.zip(axis).map_or((f64::MIN, f64::MAX), |((low, high), axis)| (axis.position(low), axis.position(high)))
        });
        let envelope = AABB::from_corners(sides.map(|(low, _)| low), sides.map(|(_, high)| high));
        self.0.locate_in_envelope_intersecting(&envelope).map(|found| found.data).collect()
    }
}
