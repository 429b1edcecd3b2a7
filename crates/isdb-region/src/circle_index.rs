//! Many circles, searched by position.

use std::ops::ControlFlow;

use rstar::RTree;
use rstar::primitives::{GeomWithData, Rectangle};

use crate::circle::Circle;
use crate::circle_grid::CircleGrid;
use crate::ellipsoid::Position;

/// Straight lines are computed to this many metres.
const ROUNDING: f64 = 1e-6;

/// Circles in two indexes: most are small and in a grid; large ones, and those around a pole, have an R-tree over their boxes in space, in which
/// neither the dateline nor the poles are special. With the tree alone a join with 20,000 plots took 27 times as long as a scan.
#[derive(Debug)]
pub struct CircleIndex {
    circles: Vec<Option<Circle>>,
    grid: CircleGrid,
    tree: RTree<GeomWithData<Rectangle<[f64; 3]>, usize>>,
}

impl CircleIndex {
    /// Builds the index; `None` keeps a number for a circle that contains nothing.
    #[must_use]
    pub fn new(circles: Vec<Option<Circle>>) -> CircleIndex {
        let reaching = |number: usize| circles.get(number)?.as_ref().filter(|circle| circle.metres() >= 0.0);
        let (grid, others) = CircleGrid::new((0..circles.len()).filter_map(|number| Some((number, reaching(number)?))));
        let boxes = others.into_iter().filter_map(|number| {
            let circle = reaching(number)?;
            let reach = circle.metres() + ROUNDING;
            let centre = circle.centre().in_space();
            let corners = [centre.map(|axis| axis - reach), centre.map(|axis| axis + reach)];
            Some(GeomWithData::new(Rectangle::from_corners(corners[0], corners[1]), number))
        });
        let tree = RTree::bulk_load(boxes.collect());
        CircleIndex { circles, grid, tree }
    }

    /// Calls `found` with the number of every circle that contains `position`, in no order.
    pub fn for_each_around(&self, position: &Position, mut found: impl FnMut(usize)) {
        let near = self.grid.around(position);
        if near.is_empty() && self.tree.size() == 0 {
            return;
        }
        let in_space = position.in_space();
        let contains = |number: usize| {
            let circle = self.circles.get(number).and_then(Option::as_ref);
            circle.is_some_and(|circle| circle.contains(position, &in_space))
        };
        near.iter().copied().filter(|number| contains(*number)).for_each(&mut found);
        let visit = |entry: &GeomWithData<Rectangle<[f64; 3]>, usize>| {
            if contains(entry.data) {
                found(entry.data);
            }
            ControlFlow::<()>::Continue(())
        };
        // The search never stops early.
        let _ = self.tree.locate_all_at_point_int(&in_space, visit);
    }

    /// At most `count` ranges of latitude that contain all circles.
    #[must_use]
    pub fn latitudes(&self, count: usize) -> Vec<(f64, f64)> {
        merge(self.reaching().map(Circle::latitudes).collect(), count)
    }

    /// At most `count` ranges of longitude, from -180 to 180, that contain all circles; `None` if one goes around a pole.
    #[must_use]
    pub fn longitudes(&self, count: usize) -> Option<Vec<(f64, f64)>> {
        let mut all = Vec::new();
        for circle in self.reaching() {
            all.extend(circle.longitudes()?);
        }
        Some(merge(all, count))
    }

    fn reaching(&self) -> impl Iterator<Item = &Circle> {
        self.circles.iter().flatten().filter(|circle| circle.metres() >= 0.0)
    }
}

/// Joins ranges that overlap, then those with the narrowest gaps between them until at most `count` are left.
fn merge(mut ranges: Vec<(f64, f64)>, count: usize) -> Vec<(f64, f64)> {
    ranges.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut joined: Vec<(f64, f64)> = Vec::new();
    for (low, high) in ranges {
        match joined.last_mut() {
            Some(last) if low <= last.1 => last.1 = last.1.max(high),
            _ => joined.push((low, high)),
        }
    }
    if joined.len() <= count {
        return joined;
    }
    let mut gaps: Vec<f64> = joined.iter().zip(joined.iter().skip(1)).map(|(a, b)| b.0 - a.1).collect();
    gaps.sort_by(|a, b| b.total_cmp(a));
    let narrowest = gaps.get(count.saturating_sub(1)).copied().unwrap_or_default();
    let mut wide: Vec<(f64, f64)> = Vec::with_capacity(count);
    for (low, high) in joined {
        match wide.last_mut() {
            Some(last) if low - last.1 <= narrowest => last.1 = high,
            _ => wide.push((low, high)),
        }
    }
    wide
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn position(latitude: f64, longitude: f64) -> Position {
        Position::new(latitude, longitude).unwrap()
    }

    fn place() -> impl Strategy<Value = Position> {
        let latitude = prop_oneof![-90.0..=90.0, 60.0..60.1, 89.9..=90.0];
        let longitude = prop_oneof![-180.0..=180.0, 25.0..25.2, 179.9..=180.0, -180.0..-179.9];
        (latitude, longitude).prop_map(|(latitude, longitude)| position(latitude, longitude))
    }

    proptest! {
        #[test]
        fn the_index_finds_the_circles_that_a_search_of_all_finds_and_its_ranges_contain_them(
            centres in prop::collection::vec((place(), prop_oneof![0.0..20_000.0, Just(-1.0), Just(2.1e7)]), 0..20),
            places in prop::collection::vec(place(), 1..20),
            count in 1_usize..4,
        ) {
            let circles: Vec<_> = centres.iter().map(|(centre, metres)| Some(Circle::new(*centre, *metres))).collect();
            let index = CircleIndex::new(circles.iter().cloned().chain([None]).collect());
            let (latitudes, longitudes) = (index.latitudes(count), index.longitudes(count));
            prop_assert!(latitudes.len() <= count && longitudes.iter().all(|ranges| ranges.len() <= count));
            for place in places {
                let mut found = Vec::new();
                index.for_each_around(&place, |number| found.push(number));
                found.sort_unstable();
                let inside = |circle: &Option<Circle>| circle.as_ref().is_some_and(|circle| circle.contains(&place, &place.in_space()));
                let expected: Vec<_> = (0..circles.len()).filter(|number| inside(&circles[*number])).collect();
                prop_assert_eq!(&found, &expected);
                let within = |ranges: &[(f64, f64)], degree: f64| ranges.iter().any(|(low, high)| *low <= degree && degree <= *high);
                if !found.is_empty() {
                    prop_assert!(within(&latitudes, place.latitude()));
                    prop_assert!(longitudes.as_ref().is_none_or(|ranges| within(ranges, place.longitude())));
                }
            }
        }
    }

    #[test]
    fn the_narrowest_gaps_are_closed_first() {
        let ranges = vec![(10.0, 11.0), (0.0, 1.0), (1.5, 2.0), (10.5, 12.0), (20.0, 21.0)];
        assert_eq!(merge(ranges.clone(), 4), [(0.0, 1.0), (1.5, 2.0), (10.0, 12.0), (20.0, 21.0)]);
        assert_eq!(merge(ranges.clone(), 3), [(0.0, 2.0), (10.0, 12.0), (20.0, 21.0)]);
        assert_eq!(merge(ranges, 1), [(0.0, 21.0)]);
        assert!(merge(Vec::new(), 3).is_empty());
    }
}
