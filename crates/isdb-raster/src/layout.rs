//! How the pixels of an image are stored: in tiles or strips, the chunks, which are compressed one by one.

use crate::directory::{Directory, Entry};
use crate::error::RasterError;
use crate::input::Input;

const IMAGE_WIDTH: u16 = 256;
const IMAGE_LENGTH: u16 = 257;
const BITS_PER_SAMPLE: u16 = 258;
const COMPRESSION: u16 = 259;
const STRIP_OFFSETS: u16 = 273;
const SAMPLES_PER_PIXEL: u16 = 277;
const ROWS_PER_STRIP: u16 = 278;
const STRIP_BYTE_COUNTS: u16 = 279;
const PLANAR_CONFIGURATION: u16 = 284;
const PREDICTOR: u16 = 317;
const TILE_WIDTH: u16 = 322;
const TILE_LENGTH: u16 = 323;
const TILE_OFFSETS: u16 = 324;
const TILE_BYTE_COUNTS: u16 = 325;
const SAMPLE_FORMAT: u16 = 339;
const GDAL_NODATA: u16 = 42113;

/// The samples of a chunk are at most this many bytes: a chunk is decoded as a whole. Tiles have usually 64 KiB to 4 MiB.
pub(crate) const MOST_CHUNK_BYTES: u64 = 256 << 20;

/// Compressions by number: none, LZW, deflate, PackBits, deflate of old files, zstd.
const COMPRESSIONS: [u64; 6] = [1, 5, 8, 32773, 32946, 50000];

/// The stored form of an image.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) bands: u16,
    /// Bits of a sample: 8, 16, 32 or 64.
    pub(crate) bits: u16,
    /// 1: unsigned, 2: signed, 3: floating point.
    pub(crate) sample_format: u16,
    pub(crate) compression: u16,
    pub(crate) predictor: u16,
    pub(crate) is_big_endian: bool,
    /// Whether each band has chunks of its own.
    is_planar: bool,
    is_tiled: bool,
    chunk_width: u32,
    chunk_height: u32,
    offsets: Entry,
    byte_counts: Entry,
    /// The value that means no data.
    pub(crate) nodata: Option<f64>,
}

/// The size of a chunk in pixels, and the samples of each pixel in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChunkSize {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) samples: u16,
}

impl ChunkSize {
    pub(crate) fn bytes(self, bits: u16) -> u64 {
        u64::from(self.width) * u64::from(self.height) * u64::from(self.samples) * u64::from(bits / 8)
    }
}

impl Layout {
    pub(crate) fn read(input: &Input, directory: &Directory) -> Result<Layout, RasterError> {
        let first = |tag| directory.first(input, tag);
        let missing = |what: &str| input.malformed(format!("it has no {what}"));
        let size = |tag, what: &str| {
            let number = first(tag)?.ok_or_else(|| missing(what))?;
            u32::try_from(number)
                .ok()
                .filter(|size| *size > 0)
                .ok_or_else(|| input.malformed(format!("its {what} is {number}")))
        };
        let (width, height) = (size(IMAGE_WIDTH, "width")?, size(IMAGE_LENGTH, "height")?);
        let bands = first(SAMPLES_PER_PIXEL)?.unwrap_or(1);
        let bands = u16::try_from(bands).ok().filter(|bands| *bands > 0).ok_or_else(|| missing("bands"))?;
        let bits = common(directory.all_unsigned(input, BITS_PER_SAMPLE)?, 1);
        let sample_format = common(directory.all_unsigned(input, SAMPLE_FORMAT)?, 1);
        let (bits, sample_format) = match (bits, sample_format) {
            (Some(bits @ (8 | 16 | 32 | 64)), Some(format @ (1 | 2))) => (bits, format),
            (Some(bits @ (16 | 32 | 64)), Some(format @ 3)) => (bits, format),
            (Some(bits), Some(1..=3)) => {
                return Err(input.unsupported(format!("expected numbers of 8, 16, 32 or 64 bits, found {bits}")));
            }
            (None, _) | (_, None) => return Err(input.unsupported("expected bands of one type")),
            _ => return Err(input.unsupported("expected whole or floating-point numbers, found complex ones")),
        };
        let compression = first(COMPRESSION)?.unwrap_or(1);
        if !COMPRESSIONS.contains(&compression) {
            let problem =
                format!("expected no compression, DEFLATE, LZW, ZSTD or PACKBITS, found {}", named(compression));
            return Err(input.unsupported(problem));
        }
        let predictor = first(PREDICTOR)?.unwrap_or(1);
        if !(1..=3).contains(&predictor) {
            return Err(input.unsupported(format!("expected the predictor 1, 2 or 3, found {predictor}")));
        }
        let is_tiled = directory.entry(TILE_OFFSETS).is_some();
        let (chunk_width, chunk_height) = if is_tiled {
            (size(TILE_WIDTH, "width of tiles")?, size(TILE_LENGTH, "height of tiles")?)
        } else {
            let rows = first(ROWS_PER_STRIP)?.and_then(|rows| u32::try_from(rows).ok()).unwrap_or(height);
            (width, rows.clamp(1, height))
        };
        let entry = |tiles, strips| directory.entry(if is_tiled { tiles } else { strips });
        let place = || missing("places of its tiles or strips");
        let narrow = |number: u64| u16::try_from(number).unwrap_or(u16::MAX);
        let layout = Layout {
            width,
            height,
            bands,
            bits: narrow(bits),
            sample_format: narrow(sample_format),
            compression: narrow(compression),
            predictor: narrow(predictor),
            is_big_endian: directory.is_big_endian,
            is_planar: bands > 1 && first(PLANAR_CONFIGURATION)? == Some(2),
            is_tiled,
            chunk_width,
            chunk_height,
            offsets: entry(TILE_OFFSETS, STRIP_OFFSETS).ok_or_else(place)?,
            byte_counts: entry(TILE_BYTE_COUNTS, STRIP_BYTE_COUNTS).ok_or_else(place)?,
            nodata: directory.text(input, GDAL_NODATA)?.trim().parse().ok(),
        };
        layout.check(input)?;
        Ok(layout)
    }

    fn check(&self, input: &Input) -> Result<(), RasterError> {
        let planes = if self.is_planar { u64::from(self.bands) } else { 1 };
        let chunks = self.chunks_per_plane().saturating_mul(planes);
        if self.offsets.count < chunks || self.byte_counts.count < chunks || u32::try_from(chunks).is_err() {
            return Err(input.malformed("it has fewer tiles or strips than its size needs"));
        }
        let bytes = self.chunk_size(0).bytes(self.bits);
        if bytes > MOST_CHUNK_BYTES {
            let (kind, mib) = (if self.is_tiled { "tiles" } else { "strips" }, bytes >> 20);
            return Err(input
                .unsupported(format!("expected {kind} of at most {} MiB, found {mib} MiB", MOST_CHUNK_BYTES >> 20)));
        }
        Ok(())
    }

    fn across(&self) -> u32 {
        self.width.div_ceil(self.chunk_width)
    }

    fn chunks_per_plane(&self) -> u64 {
        u64::from(self.across()) * u64::from(self.height.div_ceil(self.chunk_height))
    }

    /// Returns the chunk of a pixel in a band, which counts from 0, and where the pixel's sample is among those of the chunk.
    pub(crate) fn place(&self, column: u32, row: u32, band: u16) -> (u32, u32) {
        let chunk =
            u64::from(row / self.chunk_height) * u64::from(self.across()) + u64::from(column / self.chunk_width);
        let plane = if self.is_planar { u64::from(band) } else { 0 };
        let at =
            u64::from(row % self.chunk_height) * u64::from(self.chunk_width) + u64::from(column % self.chunk_width);
        let at = if self.is_planar { at } else { at * u64::from(self.bands) + u64::from(band) };
        // `check` has found that both fit.
        let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        (narrow(chunk + plane * self.chunks_per_plane()), narrow(at))
    }

    /// Returns the size of a chunk: the last strip has only the rows of the image, all tiles have the same size.
    pub(crate) fn chunk_size(&self, chunk: u32) -> ChunkSize {
        let samples = if self.is_planar { 1 } else { self.bands };
        let strip = u64::from(chunk) % self.chunks_per_plane();
        let before = u32::try_from(strip * u64::from(self.chunk_height)).unwrap_or(u32::MAX);
        let height =
            if self.is_tiled { self.chunk_height } else { self.chunk_height.min(self.height.saturating_sub(before)) };
        ChunkSize { width: self.chunk_width, height, samples }
    }

    /// Returns offset and length of a chunk in the file; None for one that is not stored, because it has no data.
    pub(crate) fn stored_bytes(
        &self,
        input: &Input,
        directory: &Directory,
        chunk: u32,
    ) -> Result<Option<(u64, u64)>, RasterError> {
        let offset = directory.unsigned(input, self.offsets, u64::from(chunk))?;
        let bytes = directory.unsigned(input, self.byte_counts, u64::from(chunk))?;
        Ok((offset > 0 && bytes > 0).then_some((offset, bytes)))
    }
}

/// Returns the value that all have; `default` if there is none.
fn common(values: Vec<u64>, default: u64) -> Option<u64> {
    let first = values.first().copied().unwrap_or(default);
    values.iter().all(|value| *value == first).then_some(first)
}

fn named(compression: u64) -> String {
    let name = match compression {
        2..=4 => "CCITT",
        6 | 7 => "JPEG",
        34887 => "LERC",
        34925 => "LZMA",
        50001 => "WEBP",
        50002 => "JXL",
        number => return number.to_string(),
    };
    name.to_owned()
}
