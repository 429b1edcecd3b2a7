//! Coordinate systems: positions on WGS 84 to the coordinates of a map, and back.

use proj4rs::Proj;
use proj4rs::transform::transform;

/// Longitude and latitude on WGS 84.
const WGS_84: &str = "+proj=longlat +datum=WGS84 +no_defs";

/// Ellipsoids of systems that are within a metre or two of WGS 84, if their definition gives no shift.
const GLOBAL_ELLIPSOIDS: [&str; 2] = ["+ellps=GRS80", "+ellps=WGS84"];

/// A coordinate system with a code of EPSG.
#[derive(Debug)]
pub(crate) struct Crs {
    code: u16,
    system: Proj,
    wgs_84: Proj,
    /// Whether coordinates are longitude and latitude in degrees.
    is_geographic: bool,
    /// Whether coordinates are positions without any conversion.
    is_wgs_84: bool,
}

impl Crs {
    /// Creates the system with a code of EPSG.
    ///
    /// # Errors
    /// The reason, if positions on WGS 84 cannot be converted to it.
    pub(crate) fn from_epsg(code: u16) -> Result<Crs, String> {
        let definition = crs_definitions::from_code(code).ok_or("isdb has no definition of this code")?.proj4;
        if needs_a_shift_grid(definition) {
            return Err("the shift from WGS 84 needs a grid of its datum, which isdb does not have".to_owned());
        }
        if has_no_datum(definition) {
            return Err("the shift from WGS 84 to its datum is not defined".to_owned());
        }
        let parse = |definition| Proj::from_proj_string(definition).map_err(|error| error.to_string());
        let (system, wgs_84) = (parse(definition)?, parse(WGS_84)?);
        if system.is_geocent() {
            return Err("its coordinates are geocentric".to_owned());
        }
        let is_geographic = system.is_latlong();
        // Datums without a shift, such as NAD83 and ETRS89, leave positions as they are.
        let no_shift = ["+datum=WGS84", "+datum=NAD83", "+towgs84=0,0,0,0,0,0,0"];
        let is_plain = !definition.contains("+pm=") && no_shift.iter().any(|shift| definition.contains(shift));
        let is_wgs_84 = is_geographic && (is_plain || GLOBAL_ELLIPSOIDS.iter().any(|known| definition.contains(known)));
        Ok(Crs { code, system, wgs_84, is_geographic, is_wgs_84 })
    }

    pub(crate) fn name(&self) -> String {
        format!("EPSG:{}", self.code)
    }

    pub(crate) fn is_geographic(&self) -> bool {
        self.is_geographic
    }

    /// Returns the coordinates of a position; None where the projection has none.
    pub(crate) fn project(&self, latitude: f64, longitude: f64) -> Option<(f64, f64)> {
        if !(-90.0..=90.0).contains(&latitude) || !(-360.0..=360.0).contains(&longitude) {
            return None;
        }
        if self.is_wgs_84 {
            return Some((longitude, latitude));
        }
        let mut point = (longitude.to_radians(), latitude.to_radians(), 0.0);
        transform(&self.wgs_84, &self.system, &mut point).ok()?;
        let (x, y) = if self.is_geographic { (point.0.to_degrees(), point.1.to_degrees()) } else { (point.0, point.1) };
        (x.is_finite() && y.is_finite()).then_some((x, y))
    }

    /// Returns latitude and longitude of coordinates; None where they are not on the map of the globe.
    pub(crate) fn unproject(&self, (x, y): (f64, f64)) -> Option<(f64, f64)> {
        let (latitude, longitude) = if self.is_wgs_84 {
            (y, x)
        } else {
            let (x, y) = if self.is_geographic { (x.to_radians(), y.to_radians()) } else { (x, y) };
            let mut point = (x, y, 0.0);
            transform(&self.system, &self.wgs_84, &mut point).ok()?;
            (point.1.to_degrees(), point.0.to_degrees())
        };
        (-90.0..=90.0).contains(&latitude).then_some(())?;
        let longitude = if (-180.0..=180.0).contains(&longitude) {
            longitude
        } else {
            (longitude + 180.0).rem_euclid(360.0) - 180.0
        };
        longitude.is_finite().then_some((latitude, longitude))
    }
}

/// Whether the definition of a datum is a grid of shifts, without which positions are wrong by up to 200 m.
fn needs_a_shift_grid(definition: &str) -> bool {
    definition.contains("+datum=NAD27")
        || (definition.contains("+nadgrids=") && !definition.contains("+nadgrids=@null"))
}

/// Whether a definition has an ellipsoid of a country and no shift from WGS 84.
fn has_no_datum(definition: &str) -> bool {
    let has = |parameter: &str| definition.contains(parameter);
    !has("+datum=") && !has("+towgs84=") && !has("+nadgrids=") && !GLOBAL_ELLIPSOIDS.iter().any(|known| has(known))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn coordinates_lead_back_to_the_position(
            code in prop::sample::select(vec![4326_u16, 4258, 4269, 6933, 3857, 32633, 32733, 3035, 3413, 3031, 5070, 2154, 27700, 28992]),
            east in -0.4..0.4_f64,
            north in -0.4..0.4_f64,
        ) {
            let crs = Crs::from_epsg(code).unwrap();
            let (latitude, longitude) = match code {
                32633 | 3035 => (50.0, 15.0),
                32733 => (-30.0, 15.0),
                3413 => (75.0, -45.0),
                3031 => (-75.0, 0.0),
                5070 => (40.0, -100.0),
                2154 => (46.0, 3.0),
                27700 => (54.0, -2.0),
                28992 => (52.0, 5.0),
                _ => (12.0, 179.8),
            };
            let (latitude, longitude) = (latitude + north, longitude + east);
            let at = crs.unproject(crs.project(latitude, longitude).unwrap()).unwrap();
            let turned = (at.1 - longitude + 180.0).rem_euclid(360.0) - 180.0;
            prop_assert!((at.0 - latitude).abs() < 1e-7 && turned.abs() < 1e-7, "{code}: {at:?}");
        }
    }

    #[test]
    fn systems_without_a_known_shift_are_refused() {
        let problem = |code| Crs::from_epsg(code).unwrap_err();
        assert!(problem(26717).contains("grid of its datum"), "{}", problem(26717));
        assert!(problem(4267).contains("grid of its datum"));
        assert!(problem(9999).contains("no definition"));
        // NAD27 of Quebec: an ellipsoid of 1866 alone.
        assert!(problem(2008).contains("is not defined"), "{}", problem(2008));
        // GDA2020 has the ellipsoid GRS80, and differs from WGS 84 by two metres.
        assert!(Crs::from_epsg(7844).is_ok());
    }

    #[test]
    fn a_position_outside_the_globe_has_no_coordinates() {
        let crs = Crs::from_epsg(32633).unwrap();
        assert_eq!(crs.project(91.0, 15.0), None);
        assert_eq!(crs.project(f64::NAN, 15.0), None);
        // The other side of the globe is beyond the reach of a transverse Mercator projection.
        assert_eq!(Crs::from_epsg(4326).unwrap().project(10.0, 200.0), Some((200.0, 10.0)));
    }
}
