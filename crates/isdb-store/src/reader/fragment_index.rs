//! An R-tree of the live fragments, which finds those in a box without a look at the others.

use std::sync::Arc;

use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};

use crate::fragment::{Bounds, FragmentRecord};

/// The boxes of fragments, latitude first.
pub(super) struct FragmentIndex(RTree<GeomWithData<Rectangle<[f64; 2]>, Arc<FragmentRecord>>>);

impl FragmentIndex {
    pub(super) fn new<'f>(fragments: impl Iterator<Item = &'f Arc<FragmentRecord>>) -> FragmentIndex {
        let entry = |fragment: &Arc<FragmentRecord>| {
            let (low, high) = corners(&fragment.bounds);
            GeomWithData::new(Rectangle::from_corners(low, high), Arc::clone(fragment))
        };
        FragmentIndex(RTree::bulk_load(fragments.map(entry).collect()))
    }

    /// The fragments whose bounds overlap `bounds`.
    pub(super) fn within(&self, bounds: &Bounds) -> Vec<Arc<FragmentRecord>> {
        let (low, high) = corners(bounds);
        let found = self.0.locate_in_envelope_intersecting(&AABB::from_corners(low, high));
        let found = found.map(|entry| &entry.data).filter(|fragment| fragment.bounds.overlaps_in_time(bounds));
        found.map(Arc::clone).collect()
    }
}

fn corners(bounds: &Bounds) -> ([f64; 2], [f64; 2]) {
    ([bounds.latitude.0, bounds.longitude.0], [bounds.latitude.1, bounds.longitude.1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fragment::record::tests::record;
    use crate::id::Id;

    #[test]
    fn fragments_that_touch_the_box_in_space_and_time_are_found_and_no_others() {
        let at = |id: i64, latitude: (f64, f64), longitude: (f64, f64), time: (i64, i64)| {
            Arc::new(FragmentRecord { bounds: Bounds { latitude, longitude, time }, ..record(Id(id), 1) })
        };
        let fragments = [
            at(1, (0.0, 1.0), (0.0, 1.0), (0, 10)),
            at(2, (1.0, 1.0), (1.0, 1.0), (10, 10)),
            at(3, (1.1, 2.0), (0.0, 1.0), (0, 10)),
            at(4, (0.0, 1.0), (0.0, 1.0), (11, 20)),
            at(5, (-90.0, 90.0), (-180.0, 180.0), (0, 100)),
        ];
        let index = FragmentIndex::new(fragments.iter());
        let found = index.within(&Bounds { latitude: (0.5, 1.0), longitude: (0.5, 1.0), time: (10, 10) });
        let mut ids: Vec<i64> = found.iter().map(|fragment| fragment.id.0).collect();
        ids.sort_unstable();
        assert_eq!(ids, [1, 2, 5]);
    }
}
