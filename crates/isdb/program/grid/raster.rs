//! The cells with segments, and the part of the map that contains them.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, UInt64Type};
use arrow::error::ArrowError;

/// The column with the number of segments, after those of the cell and of the value.
const SEGMENTS: usize = 3;

/// The cells with segments, from north to south and from west to east.
#[derive(Debug, Default)]
pub(crate) struct Raster {
    cells: Vec<Cell>,
    /// The bands of all cells, one cell after another.
    values: Vec<f32>,
    bands: usize,
    /// Segments that are not on the map.
    beyond: u64,
}

/// A cell on the map, and where its bands are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cell {
    row: i64,
    column: i64,
    at: usize,
}

/// A part of the map in cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// The first column and row.
    pub(crate) column: i64,
    pub(crate) row: i64,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Raster {
    /// Places the rows of a [`GridStatement`](crate::program::grid::GridStatement) by cell.
    pub(crate) fn new(batches: &[RecordBatch], bands: usize) -> Result<Raster, ArrowError> {
        let mut raster = Raster { bands, ..Raster::default() };
        for batch in batches {
            let places = [0, 1].map(|index| cast(batch.column(index), &DataType::Int64));
            let [columns, rows] = places;
            let (columns, rows) = (columns?, rows?);
            let (columns, rows) = (columns.as_primitive::<Int64Type>(), rows.as_primitive::<Int64Type>());
            let first = raster.values.len();
            raster.values.resize(first + batch.num_rows() * bands, f32::NAN);
            for band in 0..bands {
                let values = cast(batch.column(band + 2), &DataType::Float64)?;
                for (row, value) in values.as_primitive::<Float64Type>().iter().enumerate() {
                    if let (Some(value), Some(cell)) = (value, raster.values.get_mut(first + row * bands + band)) {
                        #[expect(clippy::cast_possible_truncation, reason = "a band has single precision")]
                        (*cell = value as f32);
                    }
                }
            }
            for row in 0..batch.num_rows() {
                let at = first + row * bands;
                if rows.is_valid(row) && columns.is_valid(row) {
                    raster.cells.push(Cell { row: rows.value(row), column: columns.value(row), at });
                } else {
                    let segments = cast(batch.column(SEGMENTS), &DataType::UInt64)?;
                    raster.beyond += segments.as_primitive::<UInt64Type>().value(row);
                }
            }
        }
        raster.cells.sort_unstable();
        Ok(raster)
    }

    /// The smallest part of the map with all cells; `None` without a cell.
    pub(crate) fn extent(&self) -> Option<Extent> {
        let columns = || self.cells.iter().map(|cell| cell.column);
        let (first, last) = (self.cells.first()?, self.cells.last()?);
        let (west, east) = (columns().min()?, columns().max()?);
        let width = u32::try_from(east - west + 1).ok()?;
        Some(Extent { column: west, row: first.row, width, height: u32::try_from(last.row - first.row + 1).ok()? })
    }

    /// The number of segments that are not on the map.
    pub(crate) fn beyond(&self) -> u64 {
        self.beyond
    }

    /// The number of cells with segments.
    pub(crate) fn len(&self) -> usize {
        self.cells.len()
    }

    /// The bands of `height` rows of the map from `row`: for each cell the value, which is NaN where there is none, and counts, which are
    /// 0 there.
    pub(crate) fn rows(&self, extent: Extent, row: i64, height: usize) -> Vec<f32> {
        let width = extent.width as usize;
        let mut empty = vec![0.0; self.bands];
        if let Some(value) = empty.first_mut() {
            *value = f32::NAN;
        }
        let mut rows = empty.repeat(width * height);
        let from = self.cells.partition_point(|cell| cell.row < row);
        let end = row + i64::try_from(height).unwrap_or(i64::MAX);
        for cell in self.cells.iter().skip(from).take_while(|cell| cell.row < end) {
            let place = usize::try_from((cell.row - row) * i64::from(extent.width) + cell.column - extent.column);
            let Ok(place) = place else { continue };
            let bands = self.values.get(cell.at..cell.at + self.bands);
            if let (Some(target), Some(bands)) = (rows.get_mut(place * self.bands..(place + 1) * self.bands), bands) {
                target.copy_from_slice(bands);
            }
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float64Array, Int64Array};

    use super::*;

    #[test]
    fn cells_are_where_they_belong_and_the_others_have_no_value_and_no_segment() {
        let columns: [(&str, ArrayRef); 4] = [
            ("cell_column", Arc::new(Int64Array::from(vec![12, 10, 11, 3]))),
            ("cell_row", Arc::new(Int64Array::from(vec![Some(5), Some(7), Some(5), None]))),
            ("value", Arc::new(Float64Array::from(vec![Some(1.5), None, Some(3.0), Some(8.0)]))),
            ("n_segments", Arc::new(Int64Array::from(vec![4, 2, 9, 70]))),
        ];
        let raster = Raster::new(&[RecordBatch::try_from_iter(columns).unwrap()], 2).unwrap();
        let extent = raster.extent().unwrap();
        assert_eq!(extent, Extent { column: 10, row: 5, width: 3, height: 3 });
        let shown = |row, height| format!("{:?}", raster.rows(extent, row, height));
        assert_eq!(shown(5, 1), "[NaN, 0.0, 3.0, 9.0, 1.5, 4.0]");
        assert_eq!(shown(6, 2), "[NaN, 0.0, NaN, 0.0, NaN, 0.0, NaN, 2.0, NaN, 0.0, NaN, 0.0]");
        assert_eq!(raster.beyond(), 70, "a row of the map is missing beyond its edge");
        assert_eq!(Raster::new(&[], 2).unwrap().extent(), None);
    }
}
