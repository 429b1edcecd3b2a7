//! The mean, or the number of points, of each pixel of a picture.

use crate::program::map::frame::Frame;
use crate::program::map::sums::{CellSum, PointSums};

/// What the colour of a pixel shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PixelValue {
    /// The mean of the values of its points.
    Means,
    /// The number of its points.
    Counts,
}

/// The pixels of a frame.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) frame: Frame,
    /// Row by row from the north; NaN without a point.
    values: Vec<f64>,
}

impl Picture {
    /// Adds the cells up to pixels. A cell that is larger than a pixel fills all those in it.
    pub(crate) fn new(sums: &PointSums, frame: Frame, shown: PixelValue) -> Picture {
        let (width, height) = (frame.size.width as usize, frame.size.height as usize);
        let mut pixels = vec![CellSum::default(); width * height];
        for cell in sums.cells() {
            let (left, top) = frame.place(cell.west, cell.north);
            let (columns, rows) = (cell.size / frame.pixel.0, cell.size / frame.pixel.1);
            let columns = whole_pixels(left, columns, width);
            for row in whole_pixels(top, rows, height) {
                for column in columns.clone() {
                    if let Some(pixel) = pixels.get_mut(row * width + column) {
                        pixel.sum += cell.sum.sum;
                        pixel.count += cell.sum.count;
                    }
                }
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "numbers of points")]
        let value = |pixel: CellSum| match (pixel.count, shown) {
            (0, _) => f64::NAN,
            (count, PixelValue::Means) => pixel.sum / count as f64,
            (count, PixelValue::Counts) => count as f64,
        };
        Picture { frame, values: pixels.into_iter().map(value).collect() }
    }

    /// Distributes a number for each box of west, south, east and north over the pixels of a frame: a pixel has the sum of the boxes whose middle is in
    /// it, or the number of the box that its middle is in.
    pub(crate) fn from_boxes(frame: Frame, boxes: impl Iterator<Item = ([f64; 4], f64)>) -> Picture {
        let (width, height) = (frame.size.width as usize, frame.size.height as usize);
        let mut values = vec![f64::NAN; width * height];
        for ([west, south, east, north], number) in boxes {
            let (left, top) = ((west - frame.west) / frame.pixel.0, (frame.north - north) / frame.pixel.1);
            let (columns, rows) = ((east - west) / frame.pixel.0, (north - south) / frame.pixel.1);
            let columns = whole_pixels(left, columns, width);
            for row in whole_pixels(top, rows, height) {
                for column in columns.clone() {
                    if let Some(value) = values.get_mut(row * width + column) {
                        *value = if value.is_nan() { number } else { *value + number };
                    }
                }
            }
        }
        Picture { frame, values }
    }

    /// The value of a pixel; None without a point.
    pub(crate) fn get(&self, column: u32, row: u32) -> Option<f64> {
        if column >= self.frame.size.width {
            return None;
        }
        let at = row as usize * self.frame.size.width as usize + column as usize;
        self.values.get(at).copied().filter(|value| !value.is_nan())
    }

    /// The values of the pixels with points.
    pub(crate) fn values(&self) -> impl Iterator<Item = f64> {
        self.values.iter().copied().filter(|value| !value.is_nan())
    }

    /// The pixels with points: column, row and value.
    pub(crate) fn pixels(&self) -> impl Iterator<Item = (u32, u32, f64)> {
        let size = self.frame.size;
        let places = (0..size.height).flat_map(move |row| (0..size.width).map(move |column| (column, row)));
        places
            .zip(&self.values)
            .filter(|(_, value)| !value.is_nan())
            .map(|((column, row), value)| (column, row, *value))
    }
}

/// The pixels whose middle is in a cell that begins at `from`, and at least the one with the middle of the cell.
fn whole_pixels(from: f64, length: f64, end: usize) -> std::ops::Range<usize> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is limited by the size of the picture"
    )]
    let limited = |pixel: f64| pixel.clamp(0.0, f64::from(u32::try_from(end).unwrap_or(u32::MAX))) as usize;
    if length <= 1.0 {
        let middle = (from + length / 2.0).floor();
        return limited(middle)..limited(middle + 1.0);
    }
    limited((from - 0.5).ceil())..limited((from + length - 0.5).ceil())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::map::frame::MapSize;

    #[test]
    fn a_pixel_has_the_mean_of_its_points_and_an_empty_one_nothing() {
        let mut sums = PointSums::default();
        for (longitude, latitude, value) in
            [(10.1, 49.9, 2.0), (10.2, 49.8, 4.0), (13.9, 49.9, 7.0), (10.5, 46.2, -1.0)]
        {
            sums.add(longitude, latitude, value);
        }
        let frame = Frame { west: 10.0, north: 50.0, pixel: (1.0, 1.0), size: MapSize { width: 4, height: 4 } };
        let means = Picture::new(&sums, frame, PixelValue::Means);
        let places = [(0, 0), (3, 0), (0, 3), (1, 1), (4, 0), (0, 4)];
        assert_eq!(
            places.map(|(column, row)| means.get(column, row)),
            [Some(3.0), Some(7.0), Some(-1.0), None, None, None]
        );
        let counts = Picture::new(&sums, frame, PixelValue::Counts);
        assert_eq!(counts.pixels().collect::<Vec<_>>(), [(0, 0, 2.0), (3, 0, 1.0), (0, 3, 1.0)]);
    }

    #[test]
    fn a_cell_larger_than_pixels_fills_them() {
        assert_eq!(whole_pixels(1.6, 3.0, 10), 2..5);
        assert_eq!(whole_pixels(-1.0, 3.0, 10), 0..2);
        assert_eq!(whole_pixels(8.4, 3.0, 10), 8..10);
        assert_eq!(whole_pixels(2.9, 0.05, 10), 2..3);
        assert_eq!(whole_pixels(12.0, 0.05, 10), 10..10);
    }
}
