//! Positions and distances on the WGS 84 ellipsoid.

use std::sync::LazyLock;

use geographiclib_rs::{Geodesic, InverseGeodesic};

/// Half of the equator's diameter, metres.
const EQUATORIAL_RADIUS: f64 = 6_378_137.0;
/// The share by which the poles are nearer to the centre.
pub(crate) const FLATTENING: f64 = 1.0 / 298.257_223_563;
/// Half of the distance between the poles, metres.
pub(crate) const POLAR_RADIUS: f64 = EQUATORIAL_RADIUS * (1.0 - FLATTENING);
/// The smallest radius of curvature, metres: that of a meridian at the equator.
pub(crate) const SMALLEST_RADIUS: f64 = EQUATORIAL_RADIUS * (1.0 - FLATTENING) * (1.0 - FLATTENING);

/// The coefficients of the series that distances are computed with.
pub(crate) static WGS84: LazyLock<Geodesic> = LazyLock::new(Geodesic::wgs84);

/// A position in degrees of latitude (-90 to 90) and longitude (-180 to 360) on the WGS 84 ellipsoid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    latitude: f64,
    longitude: f64,
}

impl Position {
    /// The position; `None` for degrees outside the globe and for NaN.
    #[must_use]
    pub fn new(latitude: f64, longitude: f64) -> Option<Position> {
        let is_valid = (-90.0..=90.0).contains(&latitude) && (-180.0..=360.0).contains(&longitude);
        is_valid.then_some(Position { latitude, longitude })
    }

    /// Degrees north.
    #[must_use]
    pub fn latitude(&self) -> f64 {
        self.latitude
    }

    /// Degrees east.
    #[must_use]
    pub fn longitude(&self) -> f64 {
        self.longitude
    }

    /// The length of the shortest line to `other` along the ellipsoid, in metres, by Karney's algorithm: its error is some
    /// nanometres.
    #[must_use]
    pub fn distance(&self, other: &Position) -> f64 {
        WGS84.inverse(self.latitude, self.longitude, other.latitude, other.longitude)
    }

    /// The position in space, metres from the centre of the Earth: towards 0° E on the equator, 90° E, and the north pole. No
    /// line along the ellipsoid is shorter than the straight one between two of these.
    #[must_use]
    pub fn in_space(&self) -> [f64; 3] {
        let (sin_latitude, cos_latitude) = self.latitude.to_radians().sin_cos();
        let (sin_longitude, cos_longitude) = self.longitude.to_radians().sin_cos();
        let eccentricity = FLATTENING * (2.0 - FLATTENING);
        let radius = EQUATORIAL_RADIUS / (1.0 - eccentricity * sin_latitude * sin_latitude).sqrt();
        [
            radius * cos_latitude * cos_longitude,
            radius * cos_latitude * sin_longitude,
            radius * (1.0 - eccentricity) * sin_latitude,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distance(a: (f64, f64), b: (f64, f64)) -> f64 {
        Position::new(a.0, a.1).unwrap().distance(&Position::new(b.0, b.1).unwrap())
    }

    #[test]
    fn distances_are_those_of_karneys_test_set_and_of_meridians() {
        // The first lines of GeodTest.dat, which was computed in high precision.
        for (a, b, metres) in [
            ((36.530042355041, 0.0), (-48.164_270_779_097_77, 5.762_344_694_676_51), 9_398_502.043_455_7),
            (
                (52.784_592_479_45, 0.0),
                (-17.596_610_549_823_5, 2.2),
                distance((52.784_592_479_45, 360.0), (-17.596_610_549_823_5, 2.2)),
            ),
            ((0.0, 0.0), (0.0, 1.0), 111_319.490_793_273_57),
            ((-90.0, 0.0), (90.0, 0.0), 20_003_931.458_625_5),
            ((61.0, 179.99), (61.0, -179.99), distance((61.0, 0.0), (61.0, 0.02))),
        ] {
            let found = distance(a, b);
            assert!((found - metres).abs() < 1e-3, "{a:?} {b:?}: {found}");
        }
    }

    #[test]
    fn a_position_outside_the_globe_is_refused() {
        for (latitude, longitude) in [(90.1, 0.0), (0.0, 360.5), (f64::NAN, 0.0), (0.0, f64::NAN), (-91.0, 5.0)] {
            assert_eq!(Position::new(latitude, longitude), None, "{latitude} {longitude}");
        }
    }

    #[test]
    fn straight_lines_are_never_longer_than_lines_along_the_ellipsoid() {
        let straight = |a: (f64, f64), b: (f64, f64)| {
            let [a, b] = [a, b].map(|(latitude, longitude)| Position::new(latitude, longitude).unwrap().in_space());
            a.iter().zip(&b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
        };
        let near = ((61.0, 25.5), (61.003, 25.504));
        let (along, across) = (distance(near.0, near.1), straight(near.0, near.1));
        assert!(across <= along && along - across < 1e-5, "{along} {across}");
        assert!((straight((0.0, 0.0), (0.0, 180.0)) - 2.0 * EQUATORIAL_RADIUS).abs() < 1e-6);
        assert!((straight((90.0, 0.0), (-90.0, 0.0)) - 2.0 * POLAR_RADIUS).abs() < 1e-6);
    }
}
