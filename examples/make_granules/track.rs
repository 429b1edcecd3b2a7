//! Tracks of granules: alternately over the Amazon and boreal Canada.

use isdb_schema::granule_name::GranuleName;

use crate::noise::between;

/// UTC seconds of the ATLAS epoch, 2018-01-01.
const ATLAS_EPOCH: i64 = 1_514_764_800;
const SECONDS_PER_DAY: f64 = 86_400.0;
/// Days until a reference ground track is flown again, in the next cycle.
const DAYS_PER_CYCLE: f64 = 91.0;
/// Kilometres from one pass to the next, across the track.
const PASS_OFFSET: f64 = 0.03;
/// Kilometres of one degree of latitude.
const KM_PER_DEGREE: f64 = 111.2;
/// Kilometres per second along the ground.
const GROUND_SPEED: f64 = 6.9;
/// Degrees of longitude per degree of latitude on the way north, away from the poles.
const SLANT: f64 = -0.16;

/// One pass over land.
pub(crate) struct Track {
    pub(crate) name: GranuleName,
    pub(crate) seed: u64,
    /// Seconds since the ATLAS epoch at the first segment.
    pub(crate) start: f64,
    /// 0 backward, 1 forward.
    pub(crate) sc_orient: i8,
    latitude: f64,
    longitude: f64,
    ascending: bool,
    /// Kilometres to the east of the first pass.
    offset: f64,
}

/// The pass of a granule.
#[derive(Clone, Copy)]
pub(crate) struct Flight {
    /// Number of the track.
    pub(crate) index: u64,
    /// 0 for the first pass over the track.
    pub(crate) pass: u64,
    /// Days from one track to the next.
    pub(crate) every: f64,
}

/// The position and time of a segment's centre.
#[derive(Clone, Copy)]
pub(crate) struct Position {
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
    /// Seconds since the ATLAS epoch.
    pub(crate) time: f64,
    /// Distance along the track, in segments.
    pub(crate) along: u32,
}

impl Track {
    /// Creates the track of `flight`, one of many for the same `seed`. Clouds and photons differ from pass to pass; ground and
    /// forest do not.
    pub(crate) fn new(seed: u64, flight: Flight, release: u16) -> Self {
        let Flight { index, pass, every } = flight;
        let pick = |low: f64, high: f64, what: u64| between(low, high, &[seed, index, what]);
        let (latitude, longitude, region) = match index % 2 {
            0 => (pick(-8.0, -3.0, 0), pick(-66.0, -58.0, 1), 10),
            _ => (pick(50.0, 56.0, 0), pick(-108.0, -92.0, 1), 3),
        };
        let days = (index as f64 + pick(0.0, 1.0, 2)) * every % 1500.0 + 365.0 + pass as f64 * DAYS_PER_CYCLE;
        let start = (days * SECONDS_PER_DAY).floor();
        let rgt = u16::try_from((seed * 131 + index * 97) % 1387 + 1).unwrap_or(1);
        let cycle = u8::try_from(index % 20 + 3 + pass).unwrap_or(3);
        #[expect(clippy::cast_possible_truncation, reason = "whole seconds of a few years")]
        let name = GranuleName {
            start: ATLAS_EPOCH + start as i64,
            rgt,
            cycle,
            region,
            release,
            revision: 1,
            processed: false,
            subsetted: false,
        };
        // The spacecraft turns about twice a year.
        let sc_orient = i8::from(days % 365.0 < 180.0);
        let (ascending, offset) = (pick(0.0, 1.0, 3) < 0.5, pass as f64 * PASS_OFFSET);
        Self { name, seed: seed + 1000 * pass, start, sc_orient, latitude, longitude, ascending, offset }
    }

    /// Returns the position of segment `along` of beam 0 to 5: three pairs 3.3 km apart, 90 m within a pair.
    pub(crate) fn position(&self, beam: u8, along: u32) -> Position {
        let north = if self.ascending { 1.0 } else { -1.0 };
        let km = f64::from(along) * 0.1;
        let latitude = self.latitude + north * km / KM_PER_DEGREE;
        let across = (f64::from(beam / 2) - 1.0) * 3.3 + (f64::from(beam % 2) - 0.5) * 0.09 + self.offset;
        let drift = north * SLANT * (latitude - self.latitude);
        let longitude = self.longitude + drift + across / (KM_PER_DEGREE * latitude.to_radians().cos());
        Position { latitude, longitude, time: self.start + km / GROUND_SPEED, along }
    }

    /// Whether the beam is one of the strong ones.
    pub(crate) fn is_strong(&self, beam: u8) -> bool {
        beam.is_multiple_of(2) == (self.sc_orient == 0)
    }
}

impl Position {
    /// Returns the day of the year, 0 to 365.
    pub(crate) fn day_of_year(self) -> f64 {
        (self.time / SECONDS_PER_DAY) % 365.25
    }

    /// Returns the height of the sun above the horizon and its direction from north, in degrees.
    pub(crate) fn sun(self) -> (f64, f64) {
        let declination = (-23.44 * ((self.day_of_year() + 10.0) / 365.25 * 360.0).to_radians().cos()).to_radians();
        let hour = ((self.time / SECONDS_PER_DAY).fract() * 360.0 - 180.0 + self.longitude).to_radians();
        let latitude = self.latitude.to_radians();
        let up = latitude.sin() * declination.sin() + latitude.cos() * declination.cos() * hour.cos();
        let east = -declination.cos() * hour.sin();
        let north = latitude.cos() * declination.sin() - latitude.sin() * declination.cos() * hour.cos();
        (up.asin().to_degrees(), east.atan2(north).to_degrees())
    }
}
