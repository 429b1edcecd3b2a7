//! A picture in a terminal: half blocks, whose two pixels have a colour each, or characters.

use std::fmt::Write as _;
use std::io::IsTerminal;

use crate::program::map::colours::{Colours, Rgb};
use crate::program::map::frame::MapSize;
use crate::program::map::graticule::edge_labels;
use crate::program::map::picture::Picture;

/// Characters from the lowest value to the highest.
const RAMP: [char; 9] = ['.', ':', '-', '=', '+', '*', '#', '%', '@'];
/// Columns and lines of a map that is not printed on a terminal.
const PLAIN_SIZE: (u16, u16) = (80, 24);
/// Columns of a map at most: wider ones are slow to print.
const MOST_COLUMNS: u16 = 160;

/// The colours that the output can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Palette {
    /// 24-bit colours.
    True,
    /// The 256 colours of xterm.
    Indexed,
    /// None: characters.
    Characters,
}

/// The palette of standard output, and the pixels that fit on it.
pub(crate) fn screen() -> (Palette, MapSize) {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let is_terminal = std::io::stdout().is_terminal();
    let palette = palette(is_terminal, &variable("NO_COLOR"), &variable("COLORTERM"), &variable("TERM"));
    let size = if is_terminal { terminal_size::terminal_size() } else { None };
    let (columns, lines) = size.map_or(PLAIN_SIZE, |(width, height)| (width.0, height.0));
    // Lines for the labels, the scale and the next prompt.
    let (columns, lines) = (columns.clamp(20, MOST_COLUMNS), lines.saturating_sub(5).max(8));
    (palette, MapSize { width: u32::from(columns), height: 2 * u32::from(lines) })
}

fn palette(is_terminal: bool, no_color: &str, color_term: &str, term: &str) -> Palette {
    if !is_terminal || !no_color.is_empty() || term == "dumb" || term.is_empty() {
        return Palette::Characters;
    }
    match color_term {
        "truecolor" | "24bit" => Palette::True,
        _ if term.contains("256color") => Palette::Indexed,
        _ => Palette::Characters,
    }
}

/// Writes a picture as lines of text: each has two rows of pixels. Its edges in degrees and its scale follow.
pub(crate) fn print_map(picture: &Picture, colours: &Colours, palette: Palette, title: &str) -> String {
    let size = picture.frame.size;
    let mut text = String::new();
    for row in (0..size.height).step_by(2) {
        let mut line = String::new();
        for column in 0..size.width {
            let (upper, lower) = (picture.get(column, row), picture.get(column, row + 1));
            match palette {
                Palette::Characters => line.push(character([upper, lower], colours)),
                _ => push_block(
                    &mut line,
                    [upper, lower].map(|value| value.map(|value| colours.of_value(value))),
                    palette,
                ),
            }
        }
        text += line.trim_end();
        text.push('\n');
    }
    let (low, high) = colours.labels();
    let scale: String = match palette {
        Palette::Characters => RAMP.iter().collect(),
        _ => (0..20).fold(String::new(), |mut scale, step| {
            push_block(&mut scale, [Some(colours.at(f64::from(step) / 19.0)); 2], palette);
            scale
        }),
    };
    let _ = write!(text, "{}\n{title}: {low} {scale} {high}\n", edge_labels(&picture.frame));
    text
}

/// The character of the mean of two pixels.
fn character(pixels: [Option<f64>; 2], colours: &Colours) -> char {
    let values: Vec<f64> = pixels.into_iter().flatten().collect();
    if values.is_empty() {
        return ' ';
    }
    #[expect(clippy::cast_precision_loss, reason = "one or two")]
    let part = colours.part(values.iter().sum::<f64>() / values.len() as f64);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to the last character")]
    let step = (part * RAMP.len() as f64).min((RAMP.len() - 1) as f64) as usize;
    RAMP.get(step).copied().unwrap_or(' ')
}

/// Adds a character whose upper and lower half have these colours.
fn push_block(line: &mut String, halves: [Option<Rgb>; 2], palette: Palette) {
    let code = |colour: Rgb, is_back: bool| {
        let layer = if is_back { 48 } else { 38 };
        match palette {
            Palette::True => format!("{layer};2;{};{};{}", colour[0], colour[1], colour[2]),
            _ => format!("{layer};5;{}", nearest_index(colour)),
        }
    };
    let _ = match halves {
        [None, None] => write!(line, " "),
        [Some(upper), None] => write!(line, "\x1b[{}m▀\x1b[0m", code(upper, false)),
        [None, Some(lower)] => write!(line, "\x1b[{}m▄\x1b[0m", code(lower, false)),
        [Some(upper), Some(lower)] => write!(line, "\x1b[{};{}m▀\x1b[0m", code(upper, false), code(lower, true)),
    };
}

/// The number of the nearest colour of xterm's cube, whose levels are 0, 95, 135, 175, 215 and 255.
fn nearest_index(colour: Rgb) -> u32 {
    let level = |part: u8| match part {
        0..48 => 0,
        48..115 => 1,
        _ => (u32::from(part) - 35) / 40,
    };
    let [red, green, blue] = colour.map(level);
    16 + 36 * red + 6 * green + blue
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::map::frame::Frame;
    use crate::program::map::picture::PixelValue;
    use crate::program::map::sums::PointSums;

    #[test]
    fn colours_need_a_terminal_that_shows_them() {
        assert_eq!(palette(true, "", "truecolor", "xterm-256color"), Palette::True);
        assert_eq!(palette(true, "", "", "screen-256color"), Palette::Indexed);
        assert_eq!(palette(true, "", "", "vt100"), Palette::Characters);
        assert_eq!(palette(true, "1", "truecolor", "xterm"), Palette::Characters);
        assert_eq!(palette(false, "", "truecolor", "xterm-256color"), Palette::Characters);
    }

    #[test]
    fn two_rows_of_pixels_are_a_line_of_characters_or_blocks() {
        let mut sums = PointSums::default();
        for (longitude, latitude, value) in [(0.1, 3.9, 0.0), (1.1, 3.9, 10.0), (2.1, 1.5, 10.0)] {
            sums.add(longitude, latitude, value);
        }
        let frame = Frame { west: 0.0, north: 4.0, pixel: (1.0, 1.0), size: MapSize { width: 4, height: 4 } };
        let picture = Picture::new(&sums, frame, PixelValue::Means);
        let colours = Colours::new(&picture, None);
        let plain = print_map(&picture, &colours, Palette::Characters, "height");
        assert_eq!(plain, ".@\n  @\n0.00° 0.00° to 4.00°N 4.00°E\nheight: 0 .:-=+*#%@ 10\n");
        let coloured = print_map(&picture, &colours, Palette::True, "height");
        assert!(
            coloured.starts_with("\x1b[38;2;68;1;84m▀\x1b[0m\x1b[38;2;253;231;37m▀\x1b[0m\n  \x1b[38;2;253;231;37m▀"),
            "{coloured:?}"
        );
    }

    #[test]
    fn the_nearest_of_the_256_colours_is_used() {
        assert_eq!([[0, 0, 0], [255, 255, 255], [95, 135, 175], [253, 231, 37]].map(nearest_index), [16, 231, 67, 220]);
    }
}
