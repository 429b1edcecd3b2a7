//! Search conditions and their form parameters for CMR.

use isdb_region::{Region, Shape};
use isdb_schema::granule_name::{GranuleName, PRODUCT};
use isdb_schema::period::Period;

/// CMR accepts more points, but responds faster to fewer. Simplified polygons only grow.
const MAX_POLYGON_POINTS: usize = 200;

/// Search conditions. None and empty lists restrict nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The release of the product, 7 for `007`.
    pub release: Option<u16>,
    /// Boxes as west, south, east, north in degrees; none crosses the antimeridian. A granule matches if its footprint touches
    /// any of the boxes or polygons.
    pub boxes: Vec<[f64; 4]>,
    /// Polygons as rings of (longitude, latitude) in degrees, closed and counter-clockwise.
    pub polygons: Vec<Vec<[f64; 2]>>,
    /// First and last instant in CMR's notation; either may be absent: `2020-01-01T00:00:00Z,`.
    pub temporal: Option<String>,
    /// The reference ground track, 1 to 1387.
    pub rgt: Option<u16>,
    /// The cycle of 91 days, from 1.
    pub cycle: Option<u8>,
    /// The orbit region, 1 to 14.
    pub orbit_region: Option<u8>,
    /// Granules per page, at most 2000. Each comes with about 70 links, so CMR truncates very large pages.
    pub page_size: usize,
}

impl Default for Query {
    /// Every granule of every release, in pages of 500.
    fn default() -> Query {
        let (boxes, polygons) = (Vec::new(), Vec::new());
        let (release, temporal, rgt, cycle, orbit_region) = (None, None, None, None, None);
        Query { release, boxes, polygons, temporal, rgt, cycle, orbit_region, page_size: 500 }
    }
}

/// The parameters of a request, without the page size.
pub(crate) type Form = Vec<(&'static str, String)>;

impl Query {
    /// Creates a query for the granules of every release whose footprint touches `region` and that were measured within
    /// `period`.
    #[must_use]
    pub fn new(region: Option<&Region>, period: &Period) -> Query {
        let mut query =
            Query { temporal: (!period.is_everything()).then(|| period.to_iso_milliseconds()), ..Query::default() };
        for shape in region.map(|region| region.covering_shapes(MAX_POLYGON_POINTS)).unwrap_or_default() {
            match shape {
                Shape::Polygon(ring) => query.polygons.push(ring),
                Shape::Box(bounds) if bounds.west <= bounds.east => {
                    query.boxes.push([bounds.west, bounds.south, bounds.east, bounds.north]);
                }
                Shape::Box(bounds) => {
                    query.boxes.push([bounds.west, bounds.south, 180.0, bounds.north]);
                    query.boxes.push([-180.0, bounds.south, bounds.east, bounds.north]);
                }
            }
        }
        query
    }

    /// Returns the form parameters. CMR combines several shapes, and shapes of several kinds, by AND unless options say OR.
    pub(crate) fn form(&self) -> Form {
        let mut form: Form = vec![("short_name", PRODUCT.to_owned())];
        form.extend(self.release.map(|release| ("version", format!("{release:03}"))));
        form.extend(self.temporal.iter().map(|temporal| ("temporal", temporal.clone())));
        form.extend(self.boxes.iter().map(|corners| ("bounding_box[]", comma_separated(corners))));
        form.extend(self.polygons.iter().map(|ring| ("polygon[]", comma_separated(ring.as_flattened()))));
        for (count, option) in [
            (self.boxes.len(), "options[bounding_box][or]"),
            (self.polygons.len(), "options[polygon][or]"),
            (self.boxes.len().min(1) + self.polygons.len().min(1), "options[spatial][or]"),
        ] {
            if count > 1 {
                form.push((option, "true".to_owned()));
            }
        }
        if let Some(pattern) = self.name_pattern() {
            form.push(("readable_granule_name[]", pattern));
            form.push(("options[readable_granule_name][pattern]", "true".to_owned()));
        }
        form
    }

    /// Returns a pattern of granule names, if track, cycle or orbit region is set: CMR does not index them for these granules.
    fn name_pattern(&self) -> Option<String> {
        let is_needed = self.rgt.is_some() || self.cycle.is_some() || self.orbit_region.is_some();
        let rgt = self.rgt.map_or_else(|| "????".to_owned(), |rgt| format!("{rgt:04}"));
        let [cycle, region] = [self.cycle, self.orbit_region]
            .map(|part| part.map_or_else(|| "??".to_owned(), |part| format!("{part:02}")));
        is_needed.then(|| format!("{PRODUCT}_??????????????_{rgt}{cycle}{region}_*"))
    }

    /// Whether a granule of this name matches release, track, cycle and orbit region.
    pub(crate) fn matches_name(&self, name: &GranuleName) -> bool {
        self.release.is_none_or(|release| release == name.release)
            && self.rgt.is_none_or(|rgt| rgt == name.rgt)
            && self.cycle.is_none_or(|cycle| cycle == name.cycle)
            && self.orbit_region.is_none_or(|region| region == name.region)
    }
}

fn comma_separated(numbers: &[f64]) -> String {
    numbers.iter().map(f64::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value<'a>(form: &'a Form, key: &str) -> Option<&'a str> {
        form.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_str())
    }

    #[test]
    fn one_shape_needs_no_options_and_several_are_joined_by_or() {
        let mut query = Query { boxes: vec![[-70.5, -10.0, -60.0, 0.25]], ..Query::default() };
        let form = query.form();
        assert_eq!(form, [("short_name", "ATL08".to_owned()), ("bounding_box[]", "-70.5,-10,-60,0.25".to_owned())]);

        query.polygons = vec![vec![[10.0, 10.0], [30.0, 10.0], [30.0, 20.5], [10.0, 10.0]]];
        let form = query.form();
        assert_eq!(value(&form, "polygon[]"), Some("10,10,30,10,30,20.5,10,10"));
        assert_eq!(value(&form, "options[spatial][or]"), Some("true"));
        assert_eq!(value(&form, "options[polygon][or]"), None);

        query.boxes.push([1.0, 2.0, 3.0, 4.0]);
        assert_eq!(value(&query.form(), "options[bounding_box][or]"), Some("true"));
    }

    #[test]
    fn a_box_across_the_antimeridian_is_split_and_the_last_day_is_included() {
        let region = Region::parse("170,-20,-175,-10").unwrap();
        let query = Query::new(Some(&region), &Period::parse(Some("2020-01-01"), Some("2020-12-31")).unwrap());
        assert_eq!(query.boxes, [[170.0, -20.0, 180.0, -10.0], [-180.0, -20.0, -175.0, -10.0]]);
        assert_eq!(query.temporal.as_deref(), Some("2020-01-01T00:00:00.000Z,2020-12-31T23:59:59.999Z"));
        assert_eq!(Query::new(None, &Period::default()), Query::default());
    }

    #[test]
    fn track_cycle_and_orbit_region_become_a_name_pattern() {
        let query = Query { rgt: Some(87), orbit_region: Some(2), ..Query::default() };
        let form = query.form();
        assert_eq!(value(&form, "readable_granule_name[]"), Some("ATL08_??????????????_0087??02_*"));
        assert_eq!(value(&form, "options[readable_granule_name][pattern]"), Some("true"));
        let name = |text: &str| text.parse::<GranuleName>().unwrap();
        assert!(query.matches_name(&name("ATL08_20200821122613_00870802_004_01.h5")));
        assert!(!query.matches_name(&name("ATL08_20200821122613_00870803_004_01.h5")));
        assert!(!query.matches_name(&name("ATL08_20200821122613_00880802_004_01.h5")));
    }

    #[test]
    fn the_release_is_sent_with_three_digits() {
        let form = Query { release: Some(7), ..Query::default() }.form();
        assert_eq!(value(&form, "version"), Some("007"));
    }
}
