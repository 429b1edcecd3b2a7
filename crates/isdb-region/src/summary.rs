//! A region in one short line.

use crate::bounds::Bounds;
use crate::part::Part;
use crate::region::Region;
use crate::text;

/// A text that is no longer, in characters, is its own summary.
const SHORT: usize = 120;

impl Region {
    /// The region as one GeoJSON geometry, boxes as polygons.
    #[must_use]
    pub fn to_geojson(&self) -> serde_json::Value {
        // What is written here is always JSON.
        serde_json::from_str(&text::geojson(&self.parts)).unwrap_or_default()
    }

    /// The region as text if that is short, else how many polygons and points it has, and the box around it:
    /// `2 polygons of 1234 points within -66.5,-8,-60,-4.5`.
    #[must_use]
    pub fn summary(&self) -> String {
        let text = self.to_text();
        if text.len() <= SHORT {
            return text;
        }
        let points = |part: &Part| match part {
            Part::Box(_) => 4,
            Part::Polygon(rings) => rings.iter().map(|ring| ring.points().len()).sum::<usize>(),
        };
        let points: usize = self.parts.iter().map(points).sum();
        let polygons = if self.parts.len() == 1 { "polygon" } else { "polygons" };
        let around = self.around();
        let degrees = [around.west, around.south, around.east, around.north];
        let [west, south, east, north] = degrees.map(|degrees| (degrees * 1e4).round() / 1e4);
        format!("{} {polygons} of {points} points within {west},{south},{east},{north}", self.parts.len())
    }

    /// The box around all parts; around the whole Earth for parts on both sides of the dateline.
    fn around(&self) -> Bounds {
        let pieces = self.parts.iter().flat_map(|part| part.bounds().pieces());
        pieces.reduce(|around, piece| around.hull(&piece)).unwrap_or(Bounds::EVERYTHING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_region_is_one_line_and_a_short_one_its_own_text() {
        let rectangle = Region::parse("-66,-8,-60,-4.5").unwrap();
        assert_eq!(rectangle.summary(), "-66,-8,-60,-4.5");
        assert_eq!(Region::geojson(&rectangle.to_geojson().to_string()).unwrap(), rectangle);
        let points: Vec<String> =
            (0..50).map(|i| f64::from(i) * 0.12).map(|a| format!("[{},{}]", 10.0 * a.cos(), a.sin())).collect();
        let ring = format!(r#"{{"type":"Polygon","coordinates":[[{},{}]]}}"#, points.join(","), points[0]);
        let region = Region::parse(&ring).unwrap();
        assert_eq!(region.summary(), "1 polygon of 50 points within -9.9977,-0.9995,10,0.9999");
        let both = region.union(&Region::parse("20,0,30,5").unwrap());
        assert_eq!(both.summary(), "2 polygons of 54 points within -9.9977,-0.9995,30,5");
    }
}
