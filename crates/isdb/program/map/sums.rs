//! Sums of the points in cells. The cells begin smaller than a segment, and become larger when there are too many, so that one pass over any number
//! of points needs bounded memory and no extent.

use std::collections::HashMap;

/// Cells that are kept at most: more than the pixels of a picture. They need 52 MB, and twice that while they are joined.
const MOST_CELLS: usize = 1 << 20;
/// Columns of the first cells around the globe: 60 cm at the equator.
const FIRST_COLUMNS: u32 = 1 << 26;

/// The sums of the points so far.
#[derive(Debug)]
pub(crate) struct PointSums {
    /// Columns of cells around the globe, a power of two.
    columns: u32,
    /// By column from the dateline to the east, and row from the north pole.
    cells: HashMap<(u32, u32), CellSum>,
    most_cells: usize,
    points: u64,
}

/// The points of a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct CellSum {
    /// The sum of their values.
    pub(crate) sum: f64,
    /// Their number.
    pub(crate) count: u64,
}

/// A cell with points.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MapCell {
    pub(crate) west: f64,
    pub(crate) north: f64,
    /// Width and height in degrees.
    pub(crate) size: f64,
    pub(crate) sum: CellSum,
}

impl Default for PointSums {
    fn default() -> PointSums {
        PointSums { columns: FIRST_COLUMNS, cells: HashMap::new(), most_cells: MOST_CELLS, points: 0 }
    }
}

impl PointSums {
    /// Adds a point on the globe.
    pub(crate) fn add(&mut self, longitude: f64, latitude: f64, value: f64) {
        let east = (longitude + 180.0).rem_euclid(360.0);
        let south = (90.0 - latitude).clamp(0.0, 180.0);
        let number = |degrees: f64| {
            let number = (degrees / 360.0 * f64::from(self.columns)).floor();
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is below the number of columns"
            )]
            (number.min(f64::from(self.columns - 1)) as u32)
        };
        let key = (number(east), number(south));
        let cell = self.cells.entry(key).or_default();
        cell.sum += value;
        cell.count += 1;
        self.points += 1;
        while self.cells.len() > self.most_cells {
            self.double();
        }
    }

    /// The number of points.
    pub(crate) fn points(&self) -> u64 {
        self.points
    }

    /// The cells with points, in no particular order.
    pub(crate) fn cells(&self) -> impl Iterator<Item = MapCell> {
        let size = 360.0 / f64::from(self.columns);
        self.cells.iter().map(move |((column, row), sum)| MapCell {
            west: f64::from(*column) * size - 180.0,
            north: 90.0 - f64::from(*row) * size,
            size,
            sum: *sum,
        })
    }

    /// Joins each four cells.
    fn double(&mut self) {
        let mut joined: HashMap<(u32, u32), CellSum> = HashMap::with_capacity(self.cells.len() / 2);
        for ((column, row), sum) in self.cells.drain() {
            let cell = joined.entry((column / 2, row / 2)).or_default();
            cell.sum += sum.sum;
            cell.count += sum.count;
        }
        self.cells = joined;
        self.columns /= 2;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_point_is_lost_when_cells_become_larger(
            points in prop::collection::vec((-180.0..=180.0_f64, -90.0..=90.0_f64, -50.0..50.0_f64), 1..300),
        ) {
            let mut sums = PointSums { most_cells: 20, ..PointSums::default() };
            for (longitude, latitude, value) in &points {
                sums.add(*longitude, *latitude, *value);
            }
            let cells: Vec<MapCell> = sums.cells().collect();
            prop_assert!(cells.len() <= 20);
            prop_assert_eq!(sums.points(), points.len() as u64);
            prop_assert_eq!(cells.iter().map(|cell| cell.sum.count).sum::<u64>(), points.len() as u64);
            let total: f64 = points.iter().map(|point| point.2).sum();
            prop_assert!((cells.iter().map(|cell| cell.sum.sum).sum::<f64>() - total).abs() < 1e-6);
            for (longitude, latitude, _) in points {
                let longitude = if longitude == 180.0 { -180.0 } else { longitude };
                let is_around = |cell: &MapCell| {
                    (cell.west..=cell.west + cell.size).contains(&longitude)
                        && (cell.north - cell.size..=cell.north).contains(&latitude)
                };
                prop_assert!(cells.iter().any(is_around), "{longitude} {latitude}");
            }
        }
    }
}
