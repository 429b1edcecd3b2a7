//! The part of the globe that a picture shows: an equirectangular map, whose degrees of longitude are shortened by the cosine of its middle
//! latitude.

use crate::program::map::sums::PointSums;

/// The most columns and rows of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MapSize {
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// The part of the globe, and its pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Frame {
    /// The western edge, from -180; the eastern edge is beyond 180 across the dateline.
    pub(crate) west: f64,
    pub(crate) north: f64,
    /// Degrees of a pixel.
    pub(crate) pixel: (f64, f64),
    pub(crate) size: MapSize,
}

/// A map is at most this many times as wide as high, and the other way round: a single track is a line.
const MOST_ASPECT: f64 = 3.0;
/// The part of the extent that is added on each side.
const MARGIN: f64 = 0.03;
/// Degrees that a map shows at least: a kilometre.
const LEAST_DEGREES: f64 = 0.01;
/// Of a map at a pole, the shortening that is used at most: its middle is at 88.9 degrees or less.
const LEAST_COSINE: f64 = 0.02;

impl Frame {
    /// Returns the frame around all points, in at most `most` pixels; None without a point.
    pub(crate) fn around(sums: &PointSums, most: MapSize) -> Option<Frame> {
        let cut = widest_gap(sums);
        let (mut west, mut east) = (f64::INFINITY, f64::NEG_INFINITY);
        let (mut south, mut north) = (f64::INFINITY, f64::NEG_INFINITY);
        for cell in sums.cells() {
            let from_cut = (cell.west - cut).rem_euclid(360.0);
            (west, east) = (west.min(from_cut), east.max(from_cut + cell.size));
            (south, north) = (south.min(cell.north - cell.size), north.max(cell.north));
        }
        if west > east {
            return None;
        }
        Some(Frame::new((west + cut, east + cut), (south, north), most))
    }

    /// Returns the frame around these longitudes and latitudes.
    pub(crate) fn new((west, east): (f64, f64), (south, north): (f64, f64), most: MapSize) -> Frame {
        let cosine = f64::midpoint(south, north).to_radians().cos().max(LEAST_COSINE);
        let (width, height) = ((east - west).max(LEAST_DEGREES / cosine), (north - south).max(LEAST_DEGREES));
        let height = height.max(width * cosine / MOST_ASPECT) * (1.0 + 2.0 * MARGIN);
        let width = (width * (1.0 + 2.0 * MARGIN)).max(height / cosine / MOST_ASPECT).min(360.0);
        let middle = f64::midpoint(south, north);
        let north = (middle + height / 2.0).min(90.0);
        let height = height.min(north + 90.0);
        let degrees = (width * cosine / f64::from(most.width)).max(height / f64::from(most.height));
        let pixel = (degrees / cosine, degrees);
        let west = f64::midpoint(west, east) - width / 2.0;
        let west = if width >= 360.0 { -180.0 } else { (west + 180.0).rem_euclid(360.0) - 180.0 };
        let pixels = |extent: f64, pixel: f64, most: u32| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is at most a u32")]
            ((extent / pixel - 1e-9).ceil().clamp(1.0, f64::from(most)) as u32)
        };
        let size = MapSize { width: pixels(width, pixel.0, most.width), height: pixels(height, pixel.1, most.height) };
        Frame { west, north, pixel, size }
    }

    /// Column and row of a position with fractions; outside, they are below 0 or beyond the size.
    pub(crate) fn place(&self, longitude: f64, latitude: f64) -> (f64, f64) {
        ((longitude - self.west).rem_euclid(360.0) / self.pixel.0, (self.north - latitude) / self.pixel.1)
    }

    /// The degrees of its four edges: west, south, east, north.
    pub(crate) fn edges(&self) -> [f64; 4] {
        let (width, height) = (f64::from(self.size.width), f64::from(self.size.height));
        [self.west, self.north - height * self.pixel.1, self.west + width * self.pixel.0, self.north]
    }
}

/// Returns the longitude in the middle of the widest part of the globe without points, in steps of a degree.
fn widest_gap(sums: &PointSums) -> f64 {
    let mut has_points = [false; 360];
    for cell in sums.cells() {
        let mut degree = cell.west;
        while degree < cell.west + cell.size {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 359")]
            let bin = (degree + 180.0).rem_euclid(360.0).floor() as usize;
            if let Some(bin) = has_points.get_mut(bin) {
                *bin = true;
            }
            degree += 1.0;
        }
    }
    let Some(first) = has_points.iter().position(|bin| *bin) else { return -180.0 };
    // Gaps between points, counted from the first degree with points once around the globe.
    let (mut widest, mut length) = ((0, 0), 0);
    for step in 1..=360 {
        let bin = (first + step) % 360;
        if has_points.get(bin).copied().unwrap_or(false) {
            if length > widest.1 {
                widest = (first + step - length, length);
            }
            length = 0;
        } else {
            length += 1;
        }
    }
    let (begin, length) = widest;
    let middle = u32::try_from(2 * begin + length).unwrap_or(0);
    f64::from(middle) / 2.0 - 180.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: MapSize = MapSize { width: 1000, height: 750 };

    fn around(points: &[(f64, f64)]) -> Frame {
        let mut sums = PointSums::default();
        for (longitude, latitude) in points {
            sums.add(*longitude, *latitude, 1.0);
        }
        Frame::around(&sums, SIZE).unwrap()
    }

    #[test]
    fn all_points_are_in_the_frame_across_the_dateline_too() {
        for points in [
            &[(-62.0, -9.0), (-58.0, -3.0)][..],
            &[(177.5, -18.0), (-178.0, -16.0)],
            &[(-179.5, 66.0), (179.5, 70.0), (0.5, 68.0)],
            &[(10.0, 50.0)],
            &[(-180.0, -88.0), (90.0, 88.0), (0.0, 0.0), (-90.0, 10.0)],
            &[(5.0, 89.9), (95.0, 89.0)],
        ] {
            let frame = around(points);
            for (longitude, latitude) in points {
                let (column, row) = frame.place(*longitude, *latitude);
                let size = (f64::from(frame.size.width), f64::from(frame.size.height));
                assert!((0.0..size.0).contains(&column) && (0.0..size.1).contains(&row), "{frame:?} {column} {row}");
            }
            assert!(frame.size.width <= SIZE.width && frame.size.height <= SIZE.height, "{frame:?}");
        }
        let [west, _, east, _] = around(&[(177.5, -18.0), (-178.0, -16.0)]).edges();
        assert!((170.0..177.5).contains(&west) && (182.0..190.0).contains(&east), "{west} {east}");
        assert_eq!(Frame::around(&PointSums::default(), SIZE), None);
    }

    #[test]
    fn degrees_of_longitude_are_shortened_and_a_track_keeps_some_width() {
        let square = around(&[(10.0, 60.0), (12.0, 61.0)]);
        assert!((square.pixel.0 / square.pixel.1 - 1.0 / 60.5_f64.to_radians().cos()).abs() < 1e-3);
        let track = around(&[(10.0, 40.0), (10.01, 60.0)]);
        assert!(track.size.width >= track.size.height / 4, "{track:?}");
    }
}
