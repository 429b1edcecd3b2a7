//! Many regions, searched by position.

use std::ops::ControlFlow;

use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};

use crate::region::Region;

/// The offset of a position, in degrees north and east, that decides to which side of a shared edge it belongs.
const OFFSET: [f64; 2] = [1.7e-9, 1.3e-9];

/// Regions with an R-tree over their boxes.
#[derive(Debug)]
pub struct RegionIndex {
    regions: Vec<Region>,
    tree: RTree<Entry>,
}

type Entry = GeomWithData<Rectangle<[f64; 2]>, usize>;

impl RegionIndex {
    /// Builds the index; a region's number is its place among `regions`.
    #[must_use]
    pub fn new(regions: Vec<Region>) -> RegionIndex {
        let boxes = regions.iter().enumerate().flat_map(|(number, region)| {
            let boxes = region.boxes().into_iter();
            boxes.map(move |bounds| {
                let corners = [[bounds.west, bounds.south], [bounds.east, bounds.north]];
                GeomWithData::new(Rectangle::from_corners(corners[0], corners[1]), number)
            })
        });
        let tree = RTree::bulk_load(boxes.collect());
        RegionIndex { regions, tree }
    }

    /// Writes the numbers of all regions that contain a position to `found`, ascending. A position on an edge that regions share belongs to
    /// one of them: the one to the north-east of it, or else the first.
    pub fn containing(&self, latitude: f64, longitude: f64, found: &mut Vec<usize>) {
        found.clear();
        let visit = |entry: &Entry| {
            if self.regions.get(entry.data).is_some_and(|region| region.contains(latitude, longitude)) {
                found.push(entry.data);
            }
            ControlFlow::<()>::Continue(())
        };
        // The search never stops early.
        let _ = self.tree.locate_all_at_point_int(&[longitude, latitude], visit);
        // A region has several boxes.
        found.sort_unstable();
        found.dedup();
        if found.len() < 2 {
            return;
        }
        let (north, east) = (latitude + OFFSET[0], longitude + OFFSET[1]);
        let is_there = |number: &usize| self.regions.get(*number).is_some_and(|region| region.contains(north, east));
        match found.iter().any(is_there) {
            true => found.retain(is_there),
            false => found.truncate(1),
        }
    }

    /// Returns two regions that [overlap](Region::overlaps) and for which `matters` is true, the first found.
    #[must_use]
    pub fn overlapping(&self, matters: impl Fn(usize, usize) -> bool) -> Option<(usize, usize)> {
        self.regions.iter().enumerate().find_map(|(number, region)| {
            let mut near: Vec<usize> = Vec::new();
            for bounds in region.boxes() {
                let envelope = AABB::from_corners([bounds.west, bounds.south], [bounds.east, bounds.north]);
                near.extend(self.tree.locate_in_envelope_intersecting(&envelope).map(|entry| entry.data));
            }
            near.sort_unstable();
            near.dedup();
            let later = near.into_iter().filter(|other| *other > number && matters(number, *other));
            let mut overlaps =
                later.filter(|other| self.regions.get(*other).is_some_and(|other| region.overlaps(other)));
            overlaps.next().map(|other| (number, other))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn region(ring: &str) -> Region {
        Region::parse(&format!(r#"{{"type":"Polygon","coordinates":[{ring}]}}"#)).unwrap()
    }

    fn containing(index: &RegionIndex, latitude: f64, longitude: f64) -> Vec<usize> {
        let mut found = Vec::new();
        index.containing(latitude, longitude, &mut found);
        found
    }

    proptest! {
        /// Cells of a grid of parallelograms share all their edges.
        #[test]
        fn every_position_of_a_tiling_belongs_to_exactly_one_region(
            skew in -1.0_f64..1.0, across in any::<bool>(),
            row in 0_i32..=40, column in 0_i32..=40, off in prop_oneof![Just((0.0, 0.0)), (0.0_f64..0.5, 0.0_f64..0.5)],
        ) {
            let corner = |row: i32, column: i32| {
                let (y, x) = (f64::from(row), f64::from(column) + skew * f64::from(row));
                let x = if across { x + 178.0 } else { x };
                [if x > 180.0 { x - 360.0 } else { x }, y]
            };
            let cells = (0..4).flat_map(|row| (0..4).map(move |column| (row, column)));
            let regions: Vec<Region> = cells.map(|(row, column)| {
                let ring = [(row, column), (row, column + 1), (row + 1, column + 1), (row + 1, column), (row, column)];
                let points: Vec<String> = ring.iter().map(|(row, column)| corner(*row, *column)).map(|[x, y]| format!("[{x},{y}]")).collect();
                region(&format!("[{}]", points.join(",")))
            }).collect();
            let index = RegionIndex::new(regions);
            prop_assert_eq!(index.overlapping(|_, _| true), None);
            let [x, y] = corner(0, 0);
            let (y, x0) = (y + f64::from(row) / 10.0 + off.0 * 0.1, f64::from(column) / 10.0 + off.1 * 0.1);
            // Inside of the outer border, so that rounding cannot put the position outside of all.
            prop_assume!(y > 0.001 && y < 3.999 && x0 > 0.001 && x0 < 3.999);
            let x = x + x0 + skew * y;
            let x = if x > 180.0 { x - 360.0 } else { x };
            prop_assert_eq!(containing(&index, y, x).len(), 1, "{} {}", x, y);
        }
    }

    #[test]
    fn positions_on_shared_edges_and_corners_belong_to_one_region() {
        let index = RegionIndex::new(vec![
            region("[[0,0],[1,0],[1,1],[0,1],[0,0]]"),
            region("[[1,0],[2,0],[2,1],[1,1],[1,0]]"),
            region("[[0,1],[1,1],[1,2],[0,2],[0,1]]"),
        ]);
        assert_eq!(containing(&index, 0.5, 1.0), [1]);
        assert_eq!(containing(&index, 1.0, 0.5), [2]);
        assert_eq!(containing(&index, 1.0, 1.0), [0], "no region is to the north-east");
        assert_eq!(containing(&index, 0.0, 0.0), [0]);
        assert_eq!(containing(&index, 1.5, 1.5), [0_usize; 0]);
    }

    #[test]
    fn overlaps_are_found_and_edges_with_rounded_points_are_none() {
        let square = "[[0,0],[1,0],[1,1],[0,1],[0,0]]";
        for (other, overlaps) in [
            ("[[1,0],[2,0],[2,1],[1,1],[1,0]]", false),
            ("[[1.0000001,0],[2,0],[2,1],[0.9999999,1],[1.0000001,0]]", false),
            ("[[0.9,0.2],[2,0.2],[2,0.8],[0.9,0.8],[0.9,0.2]]", true),
            ("[[0.2,0.2],[0.4,0.2],[0.4,0.4],[0.2,0.2]]", true),
            ("[[5,5],[6,5],[6,6],[5,5]]", false),
            (square, true),
        ] {
            let index = RegionIndex::new(vec![region(square), region(other)]);
            assert_eq!(index.overlapping(|_, _| true).is_some(), overlaps, "{other}");
            assert_eq!(index.overlapping(|_, _| false), None);
        }
        // A hole is not part of the region.
        let ring = region("[[0,0],[9,0],[9,9],[0,9],[0,0]],[[3,3],[6,3],[6,6],[3,6],[3,3]]");
        assert!(!ring.overlaps(&region("[[3,3],[6,3],[6,6],[3,6],[3,3]]")));
        assert!(ring.overlaps(&region("[[3,3],[7,3],[7,6],[3,6],[3,3]]")));
    }
}
