//! Boxes whose west exceeds their east. Such a box crosses the dateline, but more often two numbers were exchanged by
//! mistake, and the box covers most of the globe.

use crate::bounds::{Bounds, round};
use crate::region::Region;

/// A box across the dateline that is wider than this is probably a mistake: exchanging two numbers turns a box of up to 180°
/// into a wider one.
const MAX_WIDTH: f64 = 180.0;

/// A box of more than half the globe, because its west exceeds its east.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SwappedBox {
    /// Its width in degrees.
    pub width: f64,
    /// The box with west and east exchanged.
    pub exchanged: Bounds,
}

impl SwappedBox {
    /// Detects a suspicious box in the text `W,S,E,N`; `None` for any other text.
    #[must_use]
    pub fn detect(text: &str) -> Option<SwappedBox> {
        let numbers: Option<Vec<f64>> = text.split(',').map(|number| number.trim().parse().ok()).collect();
        let &[west, south, east, north] = numbers?.as_slice() else { return None };
        let width = round(360.0 - (west - east));
        // An invalid box is an error elsewhere.
        let exchanged = Region::from_bbox(east, south, west, north).ok()?.as_box()?;
        (west > east && width > MAX_WIDTH).then_some(SwappedBox { width, exchanged })
    }

    /// The warning about the box, and the hint with the box that was probably intended.
    #[must_use]
    pub fn warning(&self) -> (String, String) {
        let Bounds { west, south, east, north } = self.exchanged;
        (
            format!("the box crosses the dateline and is {}° wide, because west is greater than east", self.width),
            format!("the order is west,south,east,north; did you mean {west},{south},{east},{north}?"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchanged_west_and_east_is_detected() {
        let swapped = SwappedBox::detect("-60,-8,-62.5,-6").unwrap();
        assert_eq!(swapped.width, 357.5);
        assert_eq!(swapped.exchanged, Bounds { west: -62.5, south: -8.0, east: -60.0, north: -6.0 });
        let (text, hint) = swapped.warning();
        assert!(text.contains("357.5° wide") && hint.contains("-62.5,-8,-60,-6"), "{text} {hint}");
        assert_eq!(SwappedBox::detect("300, -8, 297.5, -6").unwrap().exchanged.west, -62.5);
    }

    #[test]
    fn plausible_boxes_and_other_texts_are_not_suspicious() {
        for text in [
            "-62.5,-8,-60,-6",
            "170,-20,-170,-10",
            "-180,-90,180,90",
            "10,-8,350,-6",
            "170,-20,190,-10",
            "1,2,3",
            "amazon.geojson",
            "-60,-8,-62.5,-95",
        ] {
            assert_eq!(SwappedBox::detect(text), None, "{text}");
        }
    }
}
