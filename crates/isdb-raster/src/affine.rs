//! Affine transformations between pixels and coordinates.

/// `x = x[0] · column + x[1] · row + x[2]`, and the same for y.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Affine {
    pub(crate) x: [f64; 3],
    pub(crate) y: [f64; 3],
}

impl Affine {
    /// Returns the coordinates of a place in pixels.
    pub(crate) fn coordinates(&self, (column, row): (f64, f64)) -> (f64, f64) {
        let one = |[a, b, c]: [f64; 3]| a * column + b * row + c;
        (one(self.x), one(self.y))
    }

    /// Returns the place in pixels of coordinates.
    pub(crate) fn pixels(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let ([a, b, c], [d, e, f]) = (self.x, self.y);
        let (x, y) = (x - c, y - f);
        if self.is_upright() {
            // One division, so that the corners of pixels are exact where they can be.
            return (x / a, y / e);
        }
        let area = self.area();
        ((e * x - b * y) / area, (a * y - d * x) / area)
    }

    /// Returns the transformation whose origin is moved by a part of a pixel.
    pub(crate) fn moved(self, columns: f64, rows: f64) -> Affine {
        let moved = |[a, b, c]: [f64; 3]| [a, b, c + a * columns + b * rows];
        Affine { x: moved(self.x), y: moved(self.y) }
    }

    /// Whether columns run along x and rows along y.
    pub(crate) fn is_upright(&self) -> bool {
        self.x[1] == 0.0 && self.y[0] == 0.0
    }

    /// Whether pixels have an area, so that coordinates have a place in pixels.
    pub(crate) fn is_valid(&self) -> bool {
        let numbers = self.x.into_iter().chain(self.y);
        numbers.chain([1.0 / self.area()]).all(f64::is_finite)
    }

    /// The area of a pixel; negative if rows run to the south.
    fn area(&self) -> f64 {
        self.x[0] * self.y[1] - self.x[1] * self.y[0]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn coordinates_lead_back_to_the_pixel(
            [a, b, d, e] in prop::array::uniform4(-100.0..100.0_f64),
            [c, f] in prop::array::uniform2(-1e6..1e6_f64),
            pixel in (0.0..10_000.0_f64, 0.0..10_000.0_f64),
        ) {
            let affine = Affine { x: [a, b, c], y: [d, e, f] };
            prop_assume!((a * e - b * d).abs() > 1.0);
            let (column, row) = affine.pixels(affine.coordinates(pixel));
            prop_assert!((column - pixel.0).abs() < 1e-3 && (row - pixel.1).abs() < 1e-3, "{column} {row}");
        }
    }

    #[test]
    fn pixels_without_an_area_are_invalid() {
        for affine in [
            Affine { x: [1.0, 2.0, 0.0], y: [2.0, 4.0, 0.0] },
            Affine { x: [0.0, 0.0, 5.0], y: [0.0, -1.0, 0.0] },
            Affine { x: [f64::NAN, 0.0, 5.0], y: [0.0, -1.0, 0.0] },
        ] {
            assert!(!affine.is_valid(), "{affine:?}");
        }
        assert!(Affine { x: [0.1, 0.0, 5.0], y: [0.0, -0.1, 0.0] }.is_valid());
    }
}
