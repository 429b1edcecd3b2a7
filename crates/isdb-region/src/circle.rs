//! Circles on the ellipsoid: all positions within a distance of a centre.

use crate::ellipsoid::{FLATTENING, POLAR_RADIUS, Position, SMALLEST_RADIUS};

/// Distances from straight lines are exact to this many metres.
const ROUNDING: f64 = 1e-6;
/// Degrees that are added to the ranges of a circle for rounding: a tenth of a millimetre.
const MARGIN: f64 = 1e-9;
/// Radians from a pole, six centimetres, within which the cosine of a latitude is little but rounding error.
const AT_POLE: f64 = 1e-8;
/// Upper limit of that error further away.
const COSINE_ERROR: f64 = 1e-7;

/// The positions within a distance of a centre, along the WGS 84 ellipsoid.
///
/// Straight lines through the Earth decide about all positions but those within micrometres of the border of a small circle, so that a
/// test costs a few multiplications.
#[derive(Clone, Debug, PartialEq)]
pub struct Circle {
    centre: Position,
    metres: f64,
    /// The centre in space.
    in_space: [f64; 3],
    /// Square of the length of a straight line up to which a position is inside.
    inside: f64,
    /// Square of the length of a straight line beyond which a position is outside.
    outside: f64,
}

impl Circle {
    /// The circle; it contains nothing if `metres` is negative or NaN.
    #[must_use]
    pub fn new(centre: Position, metres: f64) -> Circle {
        // A line along the ellipsoid is bent at most as an arc of the smallest radius, and so its ends are at least as far apart as
        // those of the arc of the same length (Schur's theorem).
        let half_turn = std::f64::consts::PI * SMALLEST_RADIUS;
        let chord = 2.0 * SMALLEST_RADIUS * (metres.min(half_turn) / (2.0 * SMALLEST_RADIUS)).sin() - ROUNDING;
        let inside = if chord > 0.0 { chord * chord } else { -1.0 };
        let outside = if metres >= 0.0 { (metres + ROUNDING) * (metres + ROUNDING) } else { -1.0 };
        Circle { centre, metres, in_space: centre.in_space(), inside, outside }
    }

    /// The centre.
    #[must_use]
    pub fn centre(&self) -> Position {
        self.centre
    }

    /// The greatest distance from the centre.
    #[must_use]
    pub fn metres(&self) -> f64 {
        self.metres
    }

    /// Whether `position`, at `in_space`, is at most the circle's distance from the centre: the same as comparing their
    /// [`distance`](Position::distance).
    #[must_use]
    pub fn contains(&self, position: &Position, in_space: &[f64; 3]) -> bool {
        let straight: f64 = self.in_space.iter().zip(in_space).map(|(a, b)| (a - b) * (a - b)).sum();
        if straight > self.outside {
            return false;
        }
        straight <= self.inside || self.centre.distance(position) <= self.metres
    }

    /// The lowest and the highest latitude of the circle.
    #[must_use]
    pub fn latitudes(&self) -> (f64, f64) {
        let (reduced, angle) = self.on_sphere();
        let end = |reduced: f64| match reduced.abs() < std::f64::consts::FRAC_PI_2 {
            true => (reduced.tan() / (1.0 - FLATTENING)).atan().to_degrees(),
            false => 90.0_f64.copysign(reduced),
        };
        ((end(reduced - angle) - MARGIN).max(-90.0), (end(reduced + angle) + MARGIN).min(90.0))
    }

    /// Ranges of longitude, from -180 to 180, that together contain the circle; `None` if it goes around a pole.
    #[must_use]
    pub fn longitudes(&self) -> Option<Vec<(f64, f64)>> {
        let (reduced, angle) = self.on_sphere();
        if reduced.abs() + angle >= std::f64::consts::FRAC_PI_2 - AT_POLE {
            return None;
        }
        let sine = angle.sin() / reduced.cos() * (1.0 + COSINE_ERROR);
        let width = sine.min(1.0).asin().to_degrees() + MARGIN;
        let longitude = self.centre.longitude();
        let centre = if longitude > 180.0 { longitude - 360.0 } else { longitude };
        let (west, east) = (centre - width, centre + width);
        if east - west >= 360.0 {
            return None;
        }
        let mut ranges = vec![(west.max(-180.0), east.min(180.0))];
        if west <= -180.0 {
            ranges.push((west + 360.0, 180.0));
        }
        if east >= 180.0 {
            ranges.push((-180.0, east - 360.0));
        }
        Some(ranges)
    }

    /// The reduced latitude of the centre and an angle, in radians. Lines along the ellipsoid correspond to great circles of a
    /// sphere with reduced latitudes. A circle of that angle around the centre on the sphere contains the circle, because the
    /// lines are at least the polar radius times their angle long, and differ at most as much in longitude.
    fn on_sphere(&self) -> (f64, f64) {
        let reduced = ((1.0 - FLATTENING) * self.centre.latitude().to_radians().tan()).atan();
        (reduced, (self.metres.max(0.0) / POLAR_RADIUS).min(std::f64::consts::PI))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn position(latitude: f64, longitude: f64) -> Position {
        Position::new(latitude, longitude).unwrap()
    }

    fn latitude() -> impl Strategy<Value = f64> {
        prop_oneof![3 => -90.0..=90.0, 1 => 88.0..=90.0, 1 => Just(-90.0), 1 => -0.01..0.01]
    }

    fn longitude() -> impl Strategy<Value = f64> {
        prop_oneof![3 => -180.0..=180.0, 1 => 179.9..=180.0, 1 => Just(-180.0), 1 => 180.0..360.0]
    }

    /// A position some way from `from`: near, at any distance, or opposite.
    fn moved(from: Position, (north, east): (f64, f64)) -> Position {
        let latitude = (from.latitude() + north).clamp(-90.0, 90.0);
        position(latitude, (from.longitude() + east + 540.0).rem_euclid(360.0) - 180.0)
    }

    proptest! {
        #[test]
        fn a_circle_contains_what_is_at_most_its_distance_away_and_its_ranges_contain_the_circle(
            latitude in latitude(), longitude in longitude(),
            step in prop_oneof![
                (-0.02_f64..0.02, -0.05_f64..0.05),
                (-180.0_f64..180.0, -180.0_f64..180.0),
                (-1.0_f64..1.0, 170.0_f64..190.0),
            ],
            share in prop_oneof![Just(1.0), 0.9_f64..1.1, 0.0_f64..3.0],
        ) {
            let centre = position(latitude, longitude);
            let other = moved(centre, step);
            let distance = centre.distance(&other);
            let circle = Circle::new(centre, distance * share);
            let inside = circle.contains(&other, &other.in_space());
            prop_assert_eq!(inside, distance <= distance * share);
            if inside {
                let (south, north) = circle.latitudes();
                prop_assert!(south <= other.latitude() && other.latitude() <= north);
                let ranges = circle.longitudes();
                let is_within = |(west, east): &(f64, f64)| *west <= other.longitude() && other.longitude() <= *east;
                prop_assert!(ranges.is_none_or(|ranges| ranges.iter().any(is_within)));
            }
        }
    }

    #[test]
    fn the_ranges_of_a_circle_are_tight() {
        let circle = Circle::new(position(61.0, 25.5), 1_000.0);
        let (south, north) = circle.latitudes();
        assert!((north - south) * 111_400.0 < 2_000.0 * 1.02, "{south} {north}");
        let ranges = circle.longitudes().unwrap();
        assert!(ranges.len() == 1 && (ranges[0].1 - ranges[0].0) * 54_100.0 < 2_000.0 * 1.02, "{ranges:?}");
    }

    #[test]
    fn a_circle_across_the_dateline_has_two_ranges_and_one_around_a_pole_has_none() {
        let across = Circle::new(position(10.0, 179.995), 2_000.0).longitudes().unwrap();
        assert_eq!(across.len(), 2);
        assert!(across.iter().any(|(west, east)| *east == 180.0 && *west > 179.0));
        assert!(across.iter().any(|(west, east)| *west == -180.0 && *east < -179.0));
        assert_eq!(Circle::new(position(89.999, 10.0), 2_000.0).longitudes(), None);
        assert_eq!(Circle::new(position(-90.0, 0.0), 0.0).longitudes(), None);
    }

    #[test]
    fn a_circle_of_negative_or_invalid_size_contains_nothing() {
        let centre = position(1.0, 2.0);
        for metres in [-1.0, f64::NAN] {
            assert!(!Circle::new(centre, metres).contains(&centre, &centre.in_space()), "{metres}");
        }
        assert!(Circle::new(centre, 0.0).contains(&centre, &centre.in_space()));
        let opposite = position(-1.0, -178.0);
        assert!(Circle::new(centre, f64::INFINITY).contains(&opposite, &opposite.in_space()));
    }
}
