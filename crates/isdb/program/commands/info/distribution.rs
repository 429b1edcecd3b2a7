//! Where and when a database has segments: a small map, and a histogram by month, from what its commits record.

use std::collections::BTreeMap;

use crate::ChunkDensity;

use crate::program::map::{Colours, Frame, MapSize, Palette, Picture, print_map};

/// Columns and lines of the map at most.
const MOST_COLUMNS: f64 = 72.0;
const MOST_LINES: f64 = 18.0;
/// The degrees of a character's width, from the finest; a line of characters has twice as many degrees of latitude. A chunk is 2.8125 by
/// 1.40625 degrees.
const PIXELS: [f64; 4] = [0.703_125, 1.406_25, 2.812_5, 5.625];
/// A map of fewer chunks would be a single block.
const LEAST_CHUNKS: usize = 4;
/// Characters of the longest bar.
const LONGEST_BAR: u32 = 40;
/// More months than this are printed by year.
const MOST_MONTHS: usize = 24;
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Returns the map of `density`; empty if it would show nothing that the extent does not.
pub(super) fn map(density: &[ChunkDensity], palette: Palette) -> String {
    if density.len() < LEAST_CHUNKS {
        return String::new();
    }
    let edge = |of: fn(&[f64; 4]) -> f64, choose: fn(f64, f64) -> f64| {
        density.iter().map(|chunk| of(&chunk.bounds)).reduce(choose).unwrap_or(0.0)
    };
    let (west, east) = (edge(|bounds| bounds[0], f64::min), edge(|bounds| bounds[2], f64::max));
    let (south, north) = (edge(|bounds| bounds[1], f64::min), edge(|bounds| bounds[3], f64::max));
    let fits = |pixel: &f64| (east - west) / pixel <= MOST_COLUMNS && (north - south) / pixel <= 2.0 * MOST_LINES;
    let pixel = PIXELS.into_iter().find(fits).unwrap_or(5.625);
    // Characters begin at multiples of their degrees, so that each has whole chunks, or is a part of one.
    let west = (west / pixel).floor() * pixel;
    let north = (north / (2.0 * pixel)).ceil() * 2.0 * pixel;
    let cells = |degrees: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 72")]
        let cells = (degrees / pixel).ceil() as u32;
        cells
    };
    let frame = Frame {
        west,
        north,
        pixel: (pixel, pixel),
        size: MapSize { width: cells(east - west), height: cells(north - south).next_multiple_of(2) },
    };
    #[expect(clippy::cast_precision_loss, reason = "numbers of segments")]
    let boxes = density.iter().map(|chunk| (chunk.bounds, chunk.segments as f64));
    let picture = Picture::from_boxes(frame, boxes);
    let colours = Colours::new(&picture, None);
    print_map(&picture, &colours, palette, "segments")
}

/// Returns a histogram of the segments by month, or by year and month if there are many.
pub(super) fn histogram(months: &BTreeMap<String, u64>) -> String {
    let most = months.values().copied().max().unwrap_or(0);
    if months.len() <= MOST_MONTHS {
        let widest = months.values().map(|segments| segments.to_string().len()).max().unwrap_or(0);
        let lines = months.iter().map(|(month, segments)| {
            let length = (segments * u64::from(LONGEST_BAR)).div_ceil(most.max(1));
            let bar = "█".repeat(usize::try_from(length).unwrap_or(0));
            format!("{month}  {segments:>widest$}  {bar}\n")
        });
        return lines.collect();
    }
    let mut years: BTreeMap<&str, [u64; 12]> = BTreeMap::new();
    for (month, segments) in months {
        let Some((year, month)) = month.split_once('-') else { continue };
        let place = month.parse::<usize>().ok().and_then(|month| month.checked_sub(1));
        if let Some(count) = place.and_then(|place| years.entry(year).or_default().get_mut(place)) {
            *count += segments;
        }
    }
    let mut text = "      J F M A M J J A S O N D\n".to_owned();
    for (year, months) in years {
        let levels: Vec<String> = months.iter().map(|segments| level(*segments, most).to_string()).collect();
        text += &format!("{year}  {}  {}\n", levels.join(" "), months.iter().sum::<u64>());
    }
    text
}

/// The block whose height shows a number of segments.
fn level(segments: u64, most: u64) -> char {
    if segments == 0 {
        return ' ';
    }
    let step = (segments * LEVELS.len() as u64).div_ceil(most.max(1)).saturating_sub(1);
    usize::try_from(step).ok().and_then(|step| LEVELS.get(step)).copied().unwrap_or('█')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_months_have_bars_and_many_a_line_for_each_year() {
        let few = BTreeMap::from([("2019-01".to_owned(), 400), ("2019-03".to_owned(), 1)]);
        let bars = histogram(&few);
        assert_eq!(bars, format!("2019-01  400  {}\n2019-03    1  █\n", "█".repeat(40)));
        let many = (0..36).map(|month| (format!("{}-{:02}", 2019 + month / 12, month % 12 + 1), month + 1)).collect();
        let years = histogram(&many);
        assert_eq!(years.lines().count(), 4);
        assert!(years.lines().nth(1).unwrap().starts_with("2019  ▁ ▁ ▁ ▁ ▂"), "{years}");
        assert!(years.lines().nth(3).unwrap().ends_with("█  366"), "{years}");
    }
}
