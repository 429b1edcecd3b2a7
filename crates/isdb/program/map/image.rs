//! A picture as PNG: the map with its degrees, a colour bar, and the name of the value.

use std::io::{BufWriter, Write};

use png::{BitDepth, ColorType, Encoder, EncodingError};

use crate::program::map::canvas::{Canvas, TEXT_HEIGHT, text_width};
use crate::program::map::colours::{Colours, Rgb};
use crate::program::map::frame::Frame;
use crate::program::map::graticule;
use crate::program::map::picture::Picture;

const TEXT: Rgb = [60, 60, 60];
/// The bright end of the scale would be hard to see on white.
const GROUND: Rgb = [238, 238, 238];
const LINE: Rgb = [255, 255, 255];
const EDGE: Rgb = [150, 150, 150];

/// Pixels around the map: for the title above, for degrees below, and beside texts.
const ABOVE: u32 = 34;
const BELOW: u32 = 34;
const BESIDE_TEXT: u32 = 8;
const BESIDE_BAR: u32 = 22;
const BAR_WIDTH: u32 = 18;
/// The least height of a map, so that the colour bar has a place.
const LEAST_HEIGHT: u32 = 120;

/// A drawn map.
pub(crate) struct MapImage {
    canvas: Canvas,
    frame: Frame,
    /// Pixels to the left of the map.
    left: u32,
}

impl MapImage {
    /// Draws a picture; `title` names its values.
    pub(crate) fn draw(picture: &Picture, colours: &Colours, title: &str) -> MapImage {
        let frame = picture.frame;
        let (width, height) = (frame.size.width, frame.size.height);
        let (meridians, parallels) = (graticule::meridians(&frame), graticule::parallels(&frame));
        let (low, high) = colours.labels();
        // The outermost labels of meridians reach beyond the map.
        let left = widest(&parallels).max(widest(&meridians) / 2) + 2 * BESIDE_TEXT;
        let right = BESIDE_BAR + BAR_WIDTH + text_width(&low).max(text_width(&high)) + 2 * BESIDE_TEXT;
        let total = left + (width + right.max(widest(&meridians) / 2)).max(text_width(title) + BESIDE_TEXT);
        let mut canvas = Canvas::new(total, ABOVE + height.max(LEAST_HEIGHT) + BELOW);
        canvas.write(title, (left, (ABOVE - TEXT_HEIGHT) / 2), TEXT);
        canvas.fill((left, ABOVE), (width, height), GROUND);
        for line in meridians {
            canvas.fill((left + line.pixel, ABOVE), (1, height), LINE);
            let begin = (left + line.pixel).saturating_sub(text_width(&line.label) / 2);
            canvas.write(&line.label, (begin, ABOVE + height + 10), TEXT);
        }
        for line in parallels {
            canvas.fill((left, ABOVE + line.pixel), (width, 1), LINE);
            let begin = (left - BESIDE_TEXT).saturating_sub(text_width(&line.label));
            canvas.write(&line.label, (begin, (ABOVE + line.pixel).saturating_sub(TEXT_HEIGHT / 2)), TEXT);
        }
        draw_points(&mut canvas, left, picture, colours);
        canvas.border((left, ABOVE), (width, height), EDGE);

        let (bar, bar_height) = (left + width + BESIDE_BAR, height.clamp(LEAST_HEIGHT, 300));
        for row in 0..bar_height {
            let colour = colours.at(1.0 - f64::from(row) / f64::from(bar_height - 1));
            canvas.fill((bar, ABOVE + row), (BAR_WIDTH, 1), colour);
        }
        canvas.border((bar, ABOVE), (BAR_WIDTH, bar_height), EDGE);
        let beside = bar + BAR_WIDTH + BESIDE_TEXT;
        canvas.write(&high, (beside, ABOVE), TEXT);
        canvas.write(&low, (beside, ABOVE + bar_height - TEXT_HEIGHT), TEXT);
        MapImage { canvas, frame, left }
    }

    /// The content of its world file: the size of a pixel in degrees, and the centre of the first.
    pub(crate) fn world_file(&self) -> String {
        let (x, y) = self.frame.pixel;
        let west = self.frame.west + (0.5 - f64::from(self.left)) * x;
        let north = self.frame.north - (0.5 - f64::from(ABOVE)) * y;
        format!("{x:?}\n0.0\n0.0\n{:?}\n{west:?}\n{north:?}\n", -y)
    }
}

fn widest(lines: &[graticule::Line]) -> u32 {
    lines.iter().map(|line| text_width(&line.label)).max().unwrap_or(0)
}

/// Writes an image with `texts`, which describe it.
pub(crate) fn write_png(sink: impl Write, image: &MapImage, texts: Vec<(String, String)>) -> Result<(), EncodingError> {
    let mut encoder = Encoder::new(BufWriter::new(sink), image.canvas.width, image.canvas.height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    for (key, text) in texts {
        encoder.add_itxt_chunk(key, text)?;
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&image.canvas.bytes)?;
    writer.finish()
}

/// Few points are drawn as larger dots, so that they can be seen.
fn draw_points(canvas: &mut Canvas, left: u32, picture: &Picture, colours: &Colours) {
    let dot = match picture.values().count() {
        0..=1_500 => 5,
        1_501..=60_000 => 3,
        _ => 1,
    };
    let size = picture.frame.size;
    for (column, row, value) in picture.pixels() {
        // A dot stays on the map.
        let begin = column.saturating_sub(dot / 2).min(size.width.saturating_sub(dot));
        let top = row.saturating_sub(dot / 2).min(size.height.saturating_sub(dot));
        canvas.fill((left + begin, ABOVE + top), (dot.min(size.width), dot.min(size.height)), colours.of_value(value));
    }
}
