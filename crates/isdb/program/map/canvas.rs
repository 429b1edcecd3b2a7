//! Pixels that are drawn on: rectangles, dots and texts.

use crate::program::map::colours::Rgb;
use crate::program::map::font;

/// Pixels of the canvas for a pixel of a letter.
const SCALE: u32 = 2;
/// Pixels from a letter to the next.
const ADVANCE: u32 = (font::COLUMNS + 1) * SCALE;
/// Height of a letter without what is below the line.
pub(super) const TEXT_HEIGHT: u32 = 7 * SCALE;

/// An image in red, green and blue.
pub(super) struct Canvas {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Row by row, three bytes for each pixel.
    pub(super) bytes: Vec<u8>,
}

impl Canvas {
    /// Creates a white canvas.
    pub(super) fn new(width: u32, height: u32) -> Canvas {
        Canvas { width, height, bytes: vec![255; 3 * width as usize * height as usize] }
    }

    /// Colours a pixel; nothing beyond the edge.
    pub(super) fn set(&mut self, column: u32, row: u32, colour: Rgb) {
        if column >= self.width || row >= self.height {
            return;
        }
        let at = 3 * (row as usize * self.width as usize + column as usize);
        if let Some(pixel) = self.bytes.get_mut(at..at + 3) {
            pixel.copy_from_slice(&colour);
        }
    }

    /// Fills a rectangle.
    pub(super) fn fill(&mut self, (left, top): (u32, u32), (width, height): (u32, u32), colour: Rgb) {
        for row in top..top.saturating_add(height).min(self.height) {
            for column in left..left.saturating_add(width).min(self.width) {
                self.set(column, row, colour);
            }
        }
    }

    /// Draws the border around a rectangle, one pixel outside of it.
    pub(super) fn border(&mut self, (left, top): (u32, u32), (width, height): (u32, u32), colour: Rgb) {
        let (left, top) = (left.saturating_sub(1), top.saturating_sub(1));
        self.fill((left, top), (width + 2, 1), colour);
        self.fill((left, top + height + 1), (width + 2, 1), colour);
        self.fill((left, top), (1, height + 2), colour);
        self.fill((left + width + 1, top), (1, height + 2), colour);
    }

    /// Writes a text whose first letter has this upper left corner.
    pub(super) fn write(&mut self, text: &str, (left, top): (u32, u32), colour: Rgb) {
        for (number, letter) in (0_u32..).zip(text.chars()) {
            for column in 0..font::COLUMNS {
                for row in 0..font::ROWS {
                    if font::is_set(letter, column, row) {
                        let corner = (left + number * ADVANCE + column * SCALE, top + row * SCALE);
                        self.fill(corner, (SCALE, SCALE), colour);
                    }
                }
            }
        }
    }
}

/// The width of a text in pixels.
pub(super) fn text_width(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(0) * ADVANCE
}
