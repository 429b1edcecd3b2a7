//! A GeoTIFF from which values at positions are read.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::cache::ChunkCache;
use crate::chunk::Chunk;
use crate::directory::Directory;
use crate::error::RasterError;
use crate::geo_tags::GeoTags;
use crate::grid::{RasterGrid, whole};
use crate::input::Input;
use crate::layout::Layout;

/// How a value is computed from pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Method {
    /// The value of the pixel that contains the position.
    #[default]
    Nearest,
    /// The mean of the four pixels around the position, weighted by distance. As in GDAL, the value is None where the pixel that contains the
    /// position has no data, and other pixels without data, or beyond the edge, have no weight.
    Bilinear,
}

/// A GeoTIFF that is open for reading. Several threads can sample it.
pub struct Raster {
    input: Input,
    directory: Directory,
    layout: Layout,
    grid: RasterGrid,
    cache: Mutex<ChunkCache>,
}

impl fmt::Debug for Raster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (width, height) = (self.layout.width, self.layout.height);
        write!(f, "{}: {width} × {height} pixels, {}", self.input.path().display(), self.grid.crs())
    }
}

/// A pixel of which a row of the result needs the value.
struct Read {
    chunk: u32,
    /// Where the pixel is in the chunk.
    at: u32,
    row: u32,
    weight: f64,
    /// Whether the pixel contains the position.
    is_around: bool,
}

/// The sum of the pixels of a row of the result.
#[derive(Clone, Copy, Default)]
struct WeightedSum {
    sum: f64,
    weight: f64,
    /// Whether the pixel that contains the position has data.
    has_data: bool,
}

impl Raster {
    /// Opens the GeoTIFF at `path`: reads its first directory, and no pixels.
    ///
    /// # Errors
    /// [`RasterError`], if it is not a GeoTIFF, is not placed on the earth, or is stored in a form that cannot be read.
    pub fn open(path: &Path) -> Result<Raster, RasterError> {
        Raster::new(Input::open(path)?)
    }

    /// Opens the content of a GeoTIFF; `path` names it in errors.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Raster, RasterError> {
        Raster::new(Input::from_bytes(path, bytes))
    }

    fn new(input: Input) -> Result<Raster, RasterError> {
        let directory = Directory::read(&input)?;
        let layout = Layout::read(&input, &directory)?;
        let tags = GeoTags::read(&input, &directory)?;
        let grid = RasterGrid::new(&input, tags, layout.width, layout.height)?;
        Ok(Raster { input, directory, layout, grid, cache: Mutex::default() })
    }

    /// The pixels on the globe.
    #[must_use]
    pub fn grid(&self) -> &RasterGrid {
        &self.grid
    }

    /// The number of bands.
    #[must_use]
    pub fn bands(&self) -> u16 {
        self.layout.bands
    }

    /// Returns the values of a band, which counts from 1, at positions of latitude and longitude in degrees on WGS 84. A value is None
    /// without a position, outside of the raster, and where the raster has no data: its value for nodata, or NaN.
    ///
    /// Each tile or strip is read and decoded once for all positions in it.
    ///
    /// # Errors
    /// [`RasterError`], if the file does not have the band, or cannot be read.
    pub fn sample(
        &self,
        positions: impl ExactSizeIterator<Item = Option<(f64, f64)>>,
        band: u16,
        method: Method,
    ) -> Result<Vec<Option<f64>>, RasterError> {
        let band = self.band(i64::from(band))? - 1;
        let rows = positions.len();
        let mut reads = Vec::with_capacity(rows);
        for (row, position) in positions.enumerate() {
            let place = position.and_then(|(latitude, longitude)| self.grid.pixel(latitude, longitude));
            let (Some((column, line)), Ok(row)) = (place, u32::try_from(row)) else { continue };
            let pixel = (column.floor(), line.floor());
            let mut read = |column: f64, line: f64, weight: f64| {
                let is_around = (column, line) == pixel;
                let (Some(column), Some(line)) = (whole(column, self.layout.width), whole(line, self.layout.height))
                else {
                    return;
                };
                let (chunk, at) = self.layout.place(column, line, band);
                reads.push(Read { chunk, at, row, weight, is_around });
            };
            match method {
                Method::Nearest => read(pixel.0, pixel.1, 1.0),
                Method::Bilinear => self.read_around(column, line, &mut read),
            }
        }
        // Row by row within a chunk, so that the sum of a row does not depend on its neighbours.
        reads.sort_unstable_by_key(|read| (read.chunk, read.row, read.at));
        let mut sums = vec![WeightedSum::default(); rows];
        for reads in reads.chunk_by(|one, other| one.chunk == other.chunk) {
            let Some(first) = reads.first() else { continue };
            let chunk = self.chunk(first.chunk)?;
            for read in reads {
                let value = chunk.value(read.at, self.layout.nodata);
                if let (Some(value), Some(row)) = (value, sums.get_mut(read.row as usize)) {
                    row.sum += value * read.weight;
                    row.weight += read.weight;
                    row.has_data |= read.is_around;
                }
            }
        }
        Ok(sums.into_iter().map(|row| row.has_data.then(|| row.sum / row.weight)).collect())
    }

    /// Returns `band` if it is the number of a band of the file, from 1.
    ///
    /// # Errors
    /// [`RasterError::Band`].
    pub fn band(&self, band: i64) -> Result<u16, RasterError> {
        let bands = self.layout.bands;
        let known = u16::try_from(band).ok().filter(|band| (1..=bands).contains(band));
        known.ok_or_else(|| RasterError::Band { path: self.input.path().to_owned(), band, bands })
    }

    /// Calls `read` with the four pixels whose centres are around a place, and their weights.
    fn read_around(&self, column: f64, line: f64, read: &mut impl FnMut(f64, f64, f64)) {
        let ((left, right), (above, below)) = (around(column), around(line));
        for (line, by_line) in [above, below] {
            for (column, by_column) in [left, right] {
                let weight = by_column * by_line;
                if weight > 0.0 {
                    let width = f64::from(self.layout.width);
                    let column = if self.grid.goes_around_the_globe() { column.rem_euclid(width) } else { column };
                    read(column, line, weight);
                }
            }
        }
    }

    /// Returns a chunk, from the cache or the file.
    fn chunk(&self, number: u32) -> Result<Arc<Chunk>, RasterError> {
        // A panic in another thread leaves at most a chunk too few in the cache.
        let cache = || self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(chunk) = cache().get(number) {
            return Ok(chunk);
        }
        let chunk = Arc::new(Chunk::read(&self.input, &self.directory, &self.layout, number)?);
        cache().insert(number, &chunk);
        Ok(chunk)
    }
}

/// The two pixels whose centres are around a place in one direction, and their weights.
fn around(place: f64) -> ((f64, f64), (f64, f64)) {
    let first = (place - 0.5).floor();
    let beyond = place - 0.5 - first;
    ((first, 1.0 - beyond), (first + 1.0, beyond))
}
