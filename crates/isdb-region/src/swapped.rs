//! Boxes whose west lies east of their east. Over the dateline that is right; most often two numbers were exchanged, and the box
//! is nearly the whole globe.

use crate::bounds::Bounds;
use crate::region::Region;

/// Beyond this width a box over the dateline is taken for a mistake: exchanged by mistake, a box of up to 180° gets so wide.
const HALF: f64 = 180.0;

/// A box that goes around more than half the globe since its west is greater than its east.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Swapped {
    /// How wide it is, in degrees.
    pub width: f64,
    /// The box with west and east exchanged.
    pub meant: Bounds,
}

impl Swapped {
    /// The doubt about the box `W,S,E,N` that `text` writes out; none for any other text.
    #[must_use]
    pub fn of(text: &str) -> Option<Swapped> {
        let numbers: Option<Vec<f64>> = text.split(',').map(|number| number.trim().parse().ok()).collect();
        let &[west, south, east, north] = numbers?.as_slice() else { return None };
        let width = crate::bounds::round(360.0 - (west - east));
        // What is no box is an error elsewhere.
        let meant = Region::bbox(east, south, west, north).ok()?.as_box()?;
        (west > east && width > HALF).then_some(Swapped { width, meant })
    }

    /// What is odd about the box, and the box that may be meant.
    #[must_use]
    pub fn told(&self) -> (String, String) {
        let Bounds { west, south, east, north } = self.meant;
        (
            format!("the box crosses the dateline and is {}° wide, since west is greater than east", self.width),
            format!("the order is west,south,east,north: is {west},{south},{east},{north} meant?"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchanged_west_and_east_is_noticed_with_the_width_and_the_box_that_may_be_meant() {
        let swapped = Swapped::of("-60,-8,-62.5,-6").unwrap();
        assert_eq!(swapped.width, 357.5);
        assert_eq!(swapped.meant, Bounds { west: -62.5, south: -8.0, east: -60.0, north: -6.0 });
        let (text, hint) = swapped.told();
        assert!(text.contains("357.5° wide") && hint.contains("-62.5,-8,-60,-6"), "{text} {hint}");
        assert_eq!(Swapped::of("300, -8, 297.5, -6").unwrap().meant.west, -62.5);
    }

    #[test]
    fn boxes_that_are_likely_meant_are_not_doubted() {
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
            assert_eq!(Swapped::of(text), None, "{text}");
        }
    }
}
