//! A box between two meridians and two parallels, and the checks and rounding of its degrees.

use crate::error::PROJECTED;

/// A box in degrees. Longitudes range from -180 to 180; `east` below `west` means that the box crosses the dateline.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Bounds {
    /// The western meridian.
    pub west: f64,
    /// The southern parallel.
    pub south: f64,
    /// The eastern meridian.
    pub east: f64,
    /// The northern parallel.
    pub north: f64,
}

impl Bounds {
    /// The whole Earth.
    pub const EVERYTHING: Bounds = Bounds { west: -180.0, south: -90.0, east: 180.0, north: 90.0 };

    /// The box with its longitudes from -180 to 180, or the reason why it is invalid.
    pub(crate) fn new(west: f64, south: f64, east: f64, north: f64) -> Result<Bounds, String> {
        for (name, longitude, latitude) in [("south-west", west, south), ("north-east", east, north)] {
            check(longitude, latitude).map_err(|problem| format!("{name} corner: {problem}"))?;
        }
        let (south, north) = (round(south), round(north));
        if south > north {
            return Err(format!("south {south} is above north {north}; the order is west,south,east,north"));
        }
        if south == north || round(west) == round(east) {
            return Err("it has no area".to_owned());
        }
        if east - west >= 360.0 {
            return Ok(Bounds { west: -180.0, south, east: 180.0, north });
        }
        let (west, east) = (wrap(west), wrap(east));
        if (west, east) == (180.0, -180.0) {
            return Err("it has no area: 180 and -180 are the same meridian".to_owned());
        }
        if (west, east) == (-180.0, 180.0) {
            return Ok(Bounds { west, south, east, north });
        }
        // Of the dateline's two longitudes, take the one that keeps the box in one piece.
        let west = if west == 180.0 { -180.0 } else { west };
        let east = if east == -180.0 { 180.0 } else { east };
        if west == east {
            return Err("it has no area".to_owned());
        }
        Ok(Bounds { west, south, east, north })
    }

    /// The box as one or two pieces that do not cross the dateline.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = Bounds> + use<> {
        let whole = *self;
        let (first, second) = if self.east < self.west {
            (Bounds { east: 180.0, ..whole }, Some(Bounds { west: -180.0, ..whole }))
        } else {
            (whole, None)
        };
        std::iter::once(first).chain(second)
    }

    /// Whether every position of `other` is in this box.
    pub(crate) fn covers(&self, other: &Bounds) -> bool {
        let within = |piece: Bounds| {
            self.pieces().any(|own| {
                own.west <= piece.west && own.south <= piece.south && own.east >= piece.east && own.north >= piece.north
            })
        };
        other.pieces().all(within)
    }

    /// The four corners, counter-clockwise from the south-west. The eastern longitude exceeds 180 if the box crosses
    /// the dateline.
    pub(crate) fn corners(&self) -> [[f64; 2]; 4] {
        let east = if self.east < self.west { self.east + 360.0 } else { self.east };
        [[self.west, self.south], [east, self.south], [east, self.north], [self.west, self.north]]
    }

    /// The smallest box around both boxes, neither of which may cross the dateline.
    pub(crate) fn hull(&self, other: &Bounds) -> Bounds {
        Bounds {
            west: self.west.min(other.west),
            south: self.south.min(other.south),
            east: self.east.max(other.east),
            north: self.north.max(other.north),
        }
    }

    /// The area in square degrees of a box that does not cross the dateline.
    pub(crate) fn area(&self) -> f64 {
        (self.east - self.west) * (self.north - self.south)
    }
}

/// Checks that a position is on the globe. Longitudes may range from -180 to 360.
pub(crate) fn check(longitude: f64, latitude: f64) -> Result<(), String> {
    if !longitude.is_finite() || !latitude.is_finite() {
        return Err("a coordinate is not a number".to_owned());
    }
    if latitude.abs() > 360.0 || longitude.abs() > 720.0 {
        return Err(format!("invalid position {longitude}, {latitude} in degrees; {PROJECTED}"));
    }
    if !(-90.0..=90.0).contains(&latitude) {
        let swapped = (-90.0..=90.0).contains(&longitude);
        let hint = if swapped { "; longitude comes before latitude" } else { "" };
        return Err(format!("invalid latitude {latitude}{hint}"));
    }
    if !(-180.0..=360.0).contains(&longitude) {
        return Err(format!("invalid longitude {longitude}"));
    }
    Ok(())
}

/// Maps a longitude from -180 to 360 to the range from -180 to 180.
pub(crate) fn wrap(longitude: f64) -> f64 {
    round(if longitude > 180.0 { longitude - 360.0 } else { longitude })
}

/// Rounds to 10⁻¹² degrees, a tenth of a micrometre, so that the number survives being written as a decimal and read again.
pub(crate) fn round(degrees: f64) -> f64 {
    // Adding zero turns -0 into 0.
    (degrees * 1e12).round() / 1e12 + 0.0
}
