//! The colours of values: viridis, between the 2nd and the 98th percentile of the pixels, so that a few wrong heights do not make the rest one
//! colour.

use std::str::FromStr;

use colorgrad::{Color, Gradient, GradientBuilder, LinearGradient};

use crate::program::map::picture::Picture;

/// The part of the pixels that is beyond each end of a scale.
const BEYOND: f64 = 0.02;
/// Colours of a scale.
const STEPS: usize = 256;

/// Red, green and blue.
pub(crate) type Rgb = [u8; 3];

/// [viridis](https://bids.github.io/colormap) at each tenth.
const VIRIDIS: [Rgb; 11] = [
    [68, 1, 84],
    [72, 36, 117],
    [65, 68, 135],
    [53, 95, 141],
    [42, 120, 142],
    [33, 145, 140],
    [34, 168, 132],
    [68, 191, 112],
    [122, 209, 81],
    [189, 223, 38],
    [253, 231, 37],
];

/// The values at the ends of a scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ValueRange {
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl FromStr for ValueRange {
    type Err = String;

    fn from_str(text: &str) -> Result<ValueRange, String> {
        let numbers: Option<Vec<f64>> = text.split(',').map(|number| number.trim().parse().ok()).collect();
        match numbers.as_deref() {
            Some([low, high]) if low < high && low.is_finite() && high.is_finite() => {
                Ok(ValueRange { low: *low, high: *high })
            }
            _ => Err(format!("expected two numbers, LOW,HIGH, such as 0,40, found {text}")),
        }
    }
}

/// A scale of colours.
pub(crate) struct Colours {
    pub(crate) range: ValueRange,
    /// Whether there are values below and above the scale.
    pub(crate) is_exceeded: (bool, bool),
    steps: Vec<Rgb>,
}

impl Colours {
    /// Creates the scale of a picture: `range`, or that of most of its pixels.
    pub(crate) fn new(picture: &Picture, range: Option<ValueRange>) -> Colours {
        let mut values: Vec<f64> = picture.values().collect();
        values.sort_unstable_by(f64::total_cmp);
        let range = range.unwrap_or_else(|| percentiles(&values));
        let is_below = values.first().is_some_and(|least| *least < range.low);
        let is_above = values.last().is_some_and(|most| *most > range.high);
        Colours { range, is_exceeded: (is_below, is_above), steps: viridis() }
    }

    /// The colour of a value.
    pub(crate) fn of_value(&self, value: f64) -> Rgb {
        self.at(self.part(value))
    }

    /// The colour of a part of the scale from 0 to 1.
    pub(crate) fn at(&self, part: f64) -> Rgb {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is limited to the steps")]
        let step = (part * 256.0).clamp(0.0, 255.0) as usize;
        self.steps.get(step).copied().unwrap_or_default()
    }

    /// Where a value is on the scale, from 0 to 1.
    pub(crate) fn part(&self, value: f64) -> f64 {
        ((value - self.range.low) / (self.range.high - self.range.low)).clamp(0.0, 1.0)
    }

    /// The numbers at the ends, with a sign if there are values beyond.
    pub(crate) fn labels(&self) -> (String, String) {
        let spread = self.range.high - self.range.low;
        let (below, above) = self.is_exceeded;
        let shown = |value: f64, sign: &str| format!("{sign}{}", number(value, spread));
        (shown(self.range.low, if below { "< " } else { "" }), shown(self.range.high, if above { "> " } else { "" }))
    }
}

/// Returns the colours of viridis. The preset of the library has fewer colours, and not at equal distances.
fn viridis() -> Vec<Rgb> {
    let colours = VIRIDIS.map(|[red, green, blue]| Color::from_rgba8(red, green, blue, 255));
    // Eleven colours are always a gradient.
    let Ok(gradient) = GradientBuilder::new().colors(&colours).build::<LinearGradient>() else { return Vec::new() };
    let steps = gradient.colors(STEPS).map(|colour| {
        let [red, green, blue, _] = colour.to_rgba8();
        [red, green, blue]
    });
    steps.collect()
}

/// The range of most of some sorted values.
fn percentiles(values: &[f64]) -> ValueRange {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place among the values"
    )]
    let at = |part: f64| values.get((part * (values.len().saturating_sub(1)) as f64).round() as usize).copied();
    let (low, high) = (at(BEYOND).unwrap_or(0.0), at(1.0 - BEYOND).unwrap_or(1.0));
    if low < high {
        return ValueRange { low, high };
    }
    // All are the same, or nearly all.
    let (least, most) = (values.first().copied().unwrap_or(low), values.last().copied().unwrap_or(high));
    if least < most { ValueRange { low: least, high: most } } else { ValueRange { low: low - 0.5, high: low + 0.5 } }
}

/// Writes a number with as many digits as distinguish a hundredth of `spread`.
pub(crate) fn number(value: f64, spread: f64) -> String {
    let magnitude = value.abs().max(spread);
    if magnitude >= 1e7 || (magnitude > 0.0 && magnitude < 1e-4) {
        return format!("{value:.2e}");
    }
    let places = if spread > 0.0 { (2.0 - spread.log10()).ceil().clamp(0.0, 8.0) } else { 2.0 };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 8")]
    let text = format!("{value:.*}", places as usize);
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    // A value that is rounded to 0 has no sign.
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_extremes_do_not_stretch_the_scale() {
        let values: Vec<f64> = (0..1000).map(f64::from).chain([1e30]).collect();
        assert_eq!(percentiles(&values), ValueRange { low: 20.0, high: 980.0 });
        assert_eq!(percentiles(&[3.0, 3.0]), ValueRange { low: 2.5, high: 3.5 });
        let nearly: Vec<f64> = std::iter::repeat_n(1.0, 200).chain([4.0]).collect();
        assert_eq!(percentiles(&nearly), ValueRange { low: 1.0, high: 4.0 });
    }

    #[test]
    fn numbers_have_the_digits_that_matter() {
        let texts = [(2.123_456, 30.0), (-0.001, 30.0), (1234.5, 900.0), (0.00012, 0.0005), (5e8, 1e8), (3.0, 1.0)];
        assert_eq!(texts.map(|(value, spread)| number(value, spread)), ["2.1", "0", "1234", "0.00012", "5.00e8", "3"]);
    }

    #[test]
    fn colours_are_those_of_viridis() {
        let colours =
            Colours { range: ValueRange { low: 0.0, high: 40.0 }, is_exceeded: (false, false), steps: viridis() };
        assert_eq!([-5.0, 0.0, 50.0].map(|value| colours.of_value(value)), [[68, 1, 84], [68, 1, 84], [253, 231, 37]]);
        let middle = colours.of_value(20.0);
        assert!(middle[0].abs_diff(33) < 3 && middle[1].abs_diff(145) < 3 && middle[2].abs_diff(140) < 3, "{middle:?}");
    }

    #[test]
    fn a_range_is_two_ascending_numbers() {
        assert_eq!("-5, 40".parse(), Ok(ValueRange { low: -5.0, high: 40.0 }));
        for text in ["5", "40,5", "a,b", "1,2,3", "0,inf"] {
            let problem = text.parse::<ValueRange>().unwrap_err();
            assert!(problem.starts_with("expected two numbers, LOW,HIGH") && problem.ends_with(text), "{problem}");
        }
    }
}
