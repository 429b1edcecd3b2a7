//! Small circles by the cells of a grid of latitude and longitude: most positions are in no circle, and for those one look-up is all.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use crate::circle::Circle;
use crate::ellipsoid::Position;

/// A circle in more cells than this is not one of the grid.
const MOST_CELLS: u64 = 64;
/// Cells of the finest grid in a degree: 11 m.
const FINEST: f64 = 10_000.0;
/// Metres of a degree of latitude, roughly.
const METRES_OF_DEGREE: f64 = 111_000.0;

/// The circles in each cell.
#[derive(Debug, Default)]
pub(crate) struct CircleGrid {
    /// Cells in a degree.
    per_degree: f64,
    /// Where the numbers of the circles of a cell begin and end.
    cells: HashMap<u64, (usize, usize)>,
    numbers: Vec<usize>,
}

impl CircleGrid {
    /// Builds the grid, with cells as wide as most circles. Returns it with the numbers of the circles that are too large for it.
    pub(crate) fn new<'c>(circles: impl Iterator<Item = (usize, &'c Circle)>) -> (CircleGrid, Vec<usize>) {
        let circles: Vec<(usize, &Circle)> = circles.collect();
        let mut widths: Vec<f64> = circles.iter().map(|(_, circle)| 2.0 * circle.metres()).collect();
        let middle = widths.len() / 2;
        let width = match widths.is_empty() {
            true => METRES_OF_DEGREE,
            false => *widths.select_nth_unstable_by(middle, f64::total_cmp).1,
        };
        let grid = CircleGrid { per_degree: (METRES_OF_DEGREE / width).clamp(1.0, FINEST), ..CircleGrid::default() };
        let (mut entries, mut others) = (Vec::new(), Vec::new());
        for (number, circle) in circles {
            match grid.cells_of(circle) {
                Some(cells) => entries.extend(cells.into_iter().map(|cell| (cell, number))),
                None => others.push(number),
            }
        }
        entries.sort_unstable();
        entries.dedup();
        let numbers = entries.iter().map(|(_, number)| *number).collect();
        let mut cells: HashMap<u64, (usize, usize)> = HashMap::new();
        for (place, (cell, _)) in entries.iter().enumerate() {
            cells.entry(*cell).or_insert((place, place)).1 = place + 1;
        }
        (CircleGrid { cells, numbers, ..grid }, others)
    }

    /// Returns the numbers of the circles that can contain `position`.
    pub(crate) fn around(&self, position: &Position) -> &[usize] {
        if self.cells.is_empty() {
            return &[];
        }
        let cell = key(self.row(position.latitude()), self.column(position.longitude()));
        self.cells.get(&cell).and_then(|(begin, end)| self.numbers.get(*begin..*end)).unwrap_or_default()
    }

    /// Returns the cells that a circle touches; `None` for too many.
    fn cells_of(&self, circle: &Circle) -> Option<Vec<u64>> {
        let (south, north) = circle.latitudes();
        let rows = self.row(south)..=self.row(north);
        let columns: Vec<RangeInclusive<u64>> = circle
            .longitudes()?
            .into_iter()
            .map(|(west, east)| self.steps(west + 180.0)..=self.steps(east + 180.0))
            .collect();
        let wide: u64 = columns.iter().map(|range| range.end() - range.start() + 1).sum();
        if (rows.end() - rows.start() + 1) * wide > MOST_CELLS {
            return None;
        }
        Some(rows.flat_map(|row| columns.iter().cloned().flatten().map(move |column| key(row, column))).collect())
    }

    fn row(&self, latitude: f64) -> u64 {
        self.steps(latitude + 90.0)
    }

    /// Longitudes are -180 to 360 here; 180° is -180°.
    fn column(&self, longitude: f64) -> u64 {
        let longitude = if longitude >= 180.0 { longitude - 360.0 } else { longitude };
        self.steps(longitude + 180.0)
    }

    /// Whole cells in some degrees, which are not negative.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn steps(&self, degrees: f64) -> u64 {
        (degrees * self.per_degree) as u64
    }
}

fn key(row: u64, column: u64) -> u64 {
    row << 32 | column
}
