//! One short line about a region.

use crate::bounds::Bounds;
use crate::part::RegionPart;
use crate::region::Region;

/// A text of at most this many characters is its own summary.
const MAX_TEXT: usize = 120;

impl Region {
    /// The region as text if that is short, otherwise the numbers of its polygons and points and the box around it:
    /// `2 polygons of 1234 points within -66.5,-8,-60,-4.5`.
    #[must_use]
    pub fn summary(&self) -> String {
        let text = self.to_text();
        if text.len() <= MAX_TEXT {
            return text;
        }
        let points = |part: &RegionPart| match part {
            RegionPart::Box(_) => 4,
            RegionPart::Polygon(rings) => rings.iter().map(|ring| ring.points().len()).sum::<usize>(),
        };
        let points: usize = self.parts.iter().map(points).sum();
        let polygons = if self.parts.len() == 1 { "polygon" } else { "polygons" };
        let around = self.around();
        let degrees = [around.west, around.south, around.east, around.north];
        let [west, south, east, north] = degrees.map(|degrees| (degrees * 1e4).round() / 1e4);
        format!("{} {polygons} of {points} points within {west},{south},{east},{north}", self.parts.len())
    }

    /// The box around all parts; all longitudes for parts on both sides of the dateline.
    fn around(&self) -> Bounds {
        let pieces = self.parts.iter().flat_map(|part| part.bounds().pieces());
        pieces.reduce(|around, piece| around.hull(&piece)).unwrap_or(Bounds::EVERYTHING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_region_is_summarised_and_a_short_one_is_its_own_text() {
        let rectangle = Region::parse("-66,-8,-60,-4.5").unwrap();
        assert_eq!(rectangle.summary(), "-66,-8,-60,-4.5");
        assert_eq!(Region::from_geojson(&rectangle.to_geojson().to_string()).unwrap(), rectangle);
        let points: Vec<String> =
            (0..50).map(|i| f64::from(i) * 0.12).map(|a| format!("[{},{}]", 10.0 * a.cos(), a.sin())).collect();
        let ring = format!(r#"{{"type":"Polygon","coordinates":[[{},{}]]}}"#, points.join(","), points[0]);
        let region = Region::parse(&ring).unwrap();
        assert_eq!(region.summary(), "1 polygon of 50 points within -9.9977,-0.9995,10,0.9999");
        let both = region.union(&Region::parse("20,0,30,5").unwrap());
        assert_eq!(both.summary(), "2 polygons of 54 points within -9.9977,-0.9995,30,5");
    }
}
