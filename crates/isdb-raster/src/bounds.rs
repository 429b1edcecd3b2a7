//! The part of the globe around a raster.

use crate::grid::RasterGrid;

/// Places in one direction at which the raster is looked at.
const STEPS: u32 = 32;

/// Degrees that neighbouring places differ at most by, and the range of what was added.
#[derive(Clone, Copy)]
struct Range {
    low: f64,
    high: f64,
    step: f64,
}

impl Range {
    fn new() -> Range {
        Range { low: f64::INFINITY, high: f64::NEG_INFINITY, step: 0.0 }
    }

    fn add(&mut self, degrees: f64) {
        self.low = self.low.min(degrees);
        self.high = self.high.max(degrees);
    }

    /// Edges are curves in degrees, which reach beyond the places by less than the distance between two of them.
    fn widened(self) -> (f64, f64) {
        (self.low - self.step, self.high + self.step)
    }
}

impl RasterGrid {
    /// Returns a box that contains all positions inside the raster, as west, south, east and north in degrees; west is more than east across
    /// the dateline. None if it would be the whole globe, or a part of the raster is not on the globe.
    #[must_use]
    pub fn bounds(&self) -> Option<[f64; 4]> {
        let (width, height) = (f64::from(self.width()), f64::from(self.height()));
        let place = |column: u32, row: u32| {
            let part = |step: u32, size: f64| f64::from(step) / f64::from(STEPS) * size;
            self.position((part(column, width), part(row, height)))
        };
        let middle = place(STEPS / 2, STEPS / 2)?.1;
        let (mut latitudes, mut longitudes) = (Range::new(), Range::new());
        let mut above: Vec<(f64, f64)> = Vec::new();
        for row in 0..=STEPS {
            let places: Option<Vec<(f64, f64)>> = (0..=STEPS).map(|column| place(column, row)).collect();
            let places: Vec<_> =
                places?.into_iter().map(|(latitude, longitude)| (latitude, turned(longitude - middle))).collect();
            let beside = places.iter().zip(places.iter().skip(1));
            for (one, other) in beside.chain(above.iter().zip(&places)) {
                latitudes.step = latitudes.step.max((one.0 - other.0).abs());
                longitudes.step = longitudes.step.max(turned(one.1 - other.1).abs());
            }
            for (latitude, longitude) in &places {
                latitudes.add(*latitude);
                longitudes.add(*longitude);
            }
            above = places;
        }
        let (south, north) = latitudes.widened();
        let (mut south, mut north) = (south.max(-90.0), north.min(90.0));
        let (west, east) = longitudes.widened();
        let poles = [-90.0, 90.0].map(|pole| self.pixel(pole, middle).is_some());
        if poles[0] {
            south = -90.0;
        }
        if poles[1] {
            north = 90.0;
        }
        let all_longitudes = east - west > 300.0 || poles[0] || poles[1];
        let (west, east) =
            if all_longitudes { (-180.0, 180.0) } else { (turned(west + middle), turned(east + middle)) };
        let is_globe = all_longitudes && south <= -90.0 && north >= 90.0;
        (!is_globe).then_some([west, south, east, north])
    }
}

/// Returns the longitude from -180 to 180.
fn turned(longitude: f64) -> f64 {
    (longitude + 180.0).rem_euclid(360.0) - 180.0
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use isdb_testing::TestRaster;
    use proptest::prelude::*;

    use crate::Raster;

    proptest! {
        #[test]
        fn every_position_of_a_raster_is_in_its_box(
            (epsg, origin) in prop::sample::select(vec![
                ((32601_u16, false), (300_000.0, 7_000_000.0)),
                ((32760, false), (700_000.0, 4_000_000.0)),
                ((3413, false), (-900_000.0, 800_000.0)),
                ((3413, false), (200_000.0, 1_900_000.0)),
                ((3031, false), (-2_500_000.0, 2_500_000.0)),
                ((6933, false), (17_000_000.0, 500_000.0)),
                ((3035, false), (4_000_000.0, 5_000_000.0)),
            ]),
            pixel in 1_000.0..60_000.0_f64,
            parts in prop::collection::vec((0.0..1.0_f64, 0.0..1.0_f64), 20),
        ) {
            let raster = TestRaster { epsg, origin, ..TestRaster::degrees(20, 0.0, 0.0, pixel, vec![0.0; 400]) };
            let raster = Raster::from_bytes(Path::new("a.tif"), raster.to_bytes()).unwrap();
            let grid = raster.grid();
            let Some([west, south, east, north]) = grid.bounds() else { return Ok(()) };
            for (column, row) in parts {
                let Some((latitude, longitude)) = grid.position((column * 20.0, row * 20.0)) else { continue };
                // Where the map is not one to one, the position may be in another place of it.
                if grid.pixel(latitude, longitude).is_none() {
                    continue;
                }
                prop_assert!((south..=north).contains(&latitude), "{latitude} {south} {north}");
                let inside = if west <= east { (west..=east).contains(&longitude) } else { longitude >= west || longitude <= east };
                prop_assert!(inside, "{longitude} {west} {east}");
            }
        }
    }

    #[test]
    fn a_small_raster_has_a_small_box_and_a_global_one_none() {
        let bounds =
            |raster: TestRaster| Raster::from_bytes(Path::new("a.tif"), raster.to_bytes()).unwrap().grid().bounds();
        let [west, south, east, north] = bounds(TestRaster::degrees(10, 179.5, 10.0, 0.1, vec![0.0; 100])).unwrap();
        assert!((179.0..179.5).contains(&west) && (-179.5..-179.0).contains(&east), "{west} {east}");
        assert!((8.9..9.0).contains(&south) && (10.0..10.1).contains(&north), "{south} {north}");
        assert_eq!(bounds(TestRaster::degrees(36, -180.0, 90.0, 10.0, vec![0.0; 36 * 18])), None);
    }
}
