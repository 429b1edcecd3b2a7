//! Pictures of the points of a statement: a PNG with a colour bar, or coloured blocks in a terminal.
//!
//! `sums` collects the points in cells as they arrive, so that memory does not depend on their number; `frame` is the part of the
//! globe that the picture shows, `picture` the mean of each of its pixels, `colours` the scale of values. `image` draws them with a
//! `graticule` on a `canvas`, whose texts have the letters of `font`; `terminal` prints them.

mod canvas;
mod colours;
mod font;
mod frame;
mod graticule;
mod image;
mod picture;
mod sums;
mod terminal;

pub(crate) use colours::{Colours, ValueRange};
pub(crate) use frame::{Frame, MapSize};
pub(crate) use image::{MapImage, write_png};
pub(crate) use picture::{Picture, PixelValue};
pub(crate) use sums::PointSums;
pub(crate) use terminal::{Palette, print_map, screen};
