//! The meridians and parallels of a map, at round degrees.

use crate::program::map::frame::Frame;

/// Distances of lines in degrees.
const STEPS: [f64; 18] =
    [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 45.0, 90.0];
/// Pixels between two meridians at least, as many as a label of nine letters, and between two parallels.
const LEAST_COLUMNS: f64 = 110.0;
const LEAST_ROWS: f64 = 60.0;

/// A line, at its pixel.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) pixel: u32,
    pub(super) label: String,
}

/// The meridians of a frame from west to east.
pub(super) fn meridians(frame: &Frame) -> Vec<Line> {
    let [west, _, east, _] = frame.edges();
    lines(west, east, LEAST_COLUMNS * frame.pixel.0, |longitude| (longitude - west) / frame.pixel.0, longitude_label)
}

/// The parallels of a frame from south to north.
pub(super) fn parallels(frame: &Frame) -> Vec<Line> {
    let [_, south, _, north] = frame.edges();
    lines(
        south,
        north,
        LEAST_ROWS * frame.pixel.1,
        |latitude| (north - latitude) / frame.pixel.1,
        |latitude, step| label(latitude, step, ["N", "S"]),
    )
}

/// The south-western and north-eastern corner of a frame.
pub(super) fn edge_labels(frame: &Frame) -> String {
    let [west, south, east, north] = frame.edges();
    let corner = |latitude: f64, longitude: f64| {
        format!("{} {}", label(latitude, 0.01, ["N", "S"]), longitude_label(longitude, 0.01))
    };
    format!("{} to {}", corner(south, west), corner(north, east))
}

fn lines(from: f64, to: f64, least: f64, place: impl Fn(f64) -> f64, label: impl Fn(f64, f64) -> String) -> Vec<Line> {
    let step = STEPS.into_iter().find(|step| *step >= least).unwrap_or(90.0);
    let mut lines = Vec::new();
    let mut number = (from / step).ceil();
    while number * step <= to {
        let degrees = number * step;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is inside the picture")]
        let pixel = place(degrees).max(0.0) as u32;
        lines.push(Line { pixel, label: label(degrees, step) });
        number += 1.0;
    }
    lines
}

/// Beyond 180 degrees east, longitudes are west.
fn longitude_label(longitude: f64, step: f64) -> String {
    let longitude = if longitude > 180.0 { longitude - 360.0 } else { longitude };
    if longitude.abs() == 180.0 { "180°".to_owned() } else { label(longitude, step, ["E", "W"]) }
}

/// Writes degrees with as many places as their step needs.
fn label(degrees: f64, step: f64, [positive, negative]: [&str; 2]) -> String {
    let places = STEPS.into_iter().zip([4, 3, 3, 3, 2, 2, 2, 1, 1, 1]).find(|(known, _)| *known == step);
    let size = format!("{:.*}", places.map_or(0, |(_, places)| places), degrees.abs());
    match degrees {
        _ if size.chars().all(|digit| matches!(digit, '0' | '.')) => format!("{size}°"),
        0.0.. => format!("{size}°{positive}"),
        _ => format!("{size}°{negative}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::map::frame::MapSize;

    #[test]
    fn lines_are_at_round_degrees_across_the_dateline() {
        let size = MapSize { width: 1000, height: 500 };
        let frame = Frame::new((176.0, 184.0), (-1.0, 3.0), size);
        let labels = |lines: Vec<Line>| lines.into_iter().map(|line| line.label).collect::<Vec<_>>().join(" ");
        assert_eq!(labels(meridians(&frame)), "176°E 177°E 178°E 179°E 180° 179°W 178°W 177°W 176°W");
        assert_eq!(labels(parallels(&frame)), "1°S 0° 1°N 2°N 3°N");
        let small = Frame::new((10.0, 10.02), (50.0, 50.01), size);
        assert!(labels(meridians(&small)).starts_with("10.000°E 10.005°E"), "{}", labels(meridians(&small)));
    }
}
