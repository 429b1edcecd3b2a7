//! The samples of a tile or strip.
//!
//! The library `tiff` decodes them. It does so from a TIFF of its own in memory, with the stored bytes as its only strip: of the file itself,
//! the library refuses colour tables, which maps of land cover have, leaves out bands that are not colours, and has the wrong size for
//! tiles of separate bands ([image-tiff 403](https://github.com/image-rs/image-tiff/issues/403)).

use std::io::Cursor;

use tiff::decoder::{Decoder, DecodingResult, Limits};

use crate::directory::Directory;
use crate::error::RasterError;
use crate::input::Input;
use crate::layout::{ChunkSize, Layout, MOST_CHUNK_BYTES};

/// The samples of a chunk.
pub(crate) enum Chunk {
    /// All values of the pixels, row by row.
    Stored(DecodingResult),
    /// The chunk is not in the file: GDAL leaves out those without data.
    Absent,
}

impl Chunk {
    /// Reads and decodes a chunk.
    pub(crate) fn read(
        input: &Input,
        directory: &Directory,
        layout: &Layout,
        chunk: u32,
    ) -> Result<Chunk, RasterError> {
        let Some((offset, stored)) = layout.stored_bytes(input, directory, chunk)? else { return Ok(Chunk::Absent) };
        let size = layout.chunk_size(chunk);
        let decoded = size.bytes(layout.bits);
        // Compression makes random numbers longer, LZW by half.
        let longest = if layout.compression == 1 { decoded } else { 2 * decoded + 65_536 };
        let is_too_long = layout.compression != 1 && stored > longest;
        let stored = usize::try_from(stored.min(longest)).unwrap_or(usize::MAX);
        if is_too_long || offset.saturating_add(stored as u64) > input.length() {
            return Err(input.malformed(format!("tile or strip {chunk} ends outside of the file")));
        }
        let mut image = header(layout, size, stored);
        let head = image.len();
        image.resize(head + stored, 0);
        input.read(offset, image.get_mut(head..).unwrap_or_default())?;
        let decoded = Decoder::new(Cursor::new(image)).and_then(|decoder| decoder.with_limits(limits()).read_chunk(0));
        let decoded = decoded.map_err(|error| input.malformed(format!("tile or strip {chunk}: {error}")))?;
        Ok(Chunk::Stored(decoded))
    }

    /// Returns the sample at `index`; None for NaN and beyond the last sample.
    pub(crate) fn value(&self, index: u32, nodata: Option<f64>) -> Option<f64> {
        let Chunk::Stored(samples) = self else {
            // GDAL reads chunks that are absent as 0 if the file does not define nodata.
            return nodata.is_none().then_some(0.0);
        };
        let at = usize::try_from(index).ok()?;
        #[expect(clippy::cast_precision_loss, reason = "values are doubles")]
        let value = match samples {
            DecodingResult::U8(values) => f64::from(*values.get(at)?),
            DecodingResult::U16(values) => f64::from(*values.get(at)?),
            DecodingResult::U32(values) => f64::from(*values.get(at)?),
            DecodingResult::U64(values) => *values.get(at)? as f64,
            DecodingResult::I8(values) => f64::from(*values.get(at)?),
            DecodingResult::I16(values) => f64::from(*values.get(at)?),
            DecodingResult::I32(values) => f64::from(*values.get(at)?),
            DecodingResult::I64(values) => *values.get(at)? as f64,
            DecodingResult::F16(values) => f64::from(*values.get(at)?),
            DecodingResult::F32(values) => {
                let value = *values.get(at)?;
                // The file gives the value for nodata as text, and a pixel has the float next to it.
                #[expect(clippy::cast_possible_truncation, reason = "the nearest float")]
                if nodata.is_some_and(|nodata| nodata as f32 == value) {
                    return None;
                }
                f64::from(value)
            }
            DecodingResult::F64(values) => *values.get(at)?,
        };
        (!value.is_nan() && nodata != Some(value)).then_some(value)
    }

    /// Bytes in memory.
    pub(crate) fn bytes(&self) -> usize {
        let Chunk::Stored(samples) = self else { return 0 };
        match samples {
            DecodingResult::U8(values) => values.len(),
            DecodingResult::I8(values) => values.len(),
            DecodingResult::U16(values) => 2 * values.len(),
            DecodingResult::I16(values) => 2 * values.len(),
            DecodingResult::F16(values) => 2 * values.len(),
            DecodingResult::U32(values) => 4 * values.len(),
            DecodingResult::I32(values) => 4 * values.len(),
            DecodingResult::F32(values) => 4 * values.len(),
            DecodingResult::U64(values) => 8 * values.len(),
            DecodingResult::I64(values) => 8 * values.len(),
            DecodingResult::F64(values) => 8 * values.len(),
        }
    }
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.decoding_buffer_size = usize::try_from(MOST_CHUNK_BYTES).unwrap_or(usize::MAX);
    limits.intermediate_buffer_size = usize::try_from(3 * MOST_CHUNK_BYTES).unwrap_or(usize::MAX);
    limits
}

/// Returns the beginning of a TIFF whose only strip, of `stored` bytes, follows: grey, with as many samples for a pixel as the chunk.
fn header(layout: &Layout, size: ChunkSize, stored: usize) -> Vec<u8> {
    const SHORT: u16 = 3;
    const LONG: u16 = 4;
    let long = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let entries = 11;
    // Signature, offset of the directory, number of its entries, the entries of twelve bytes, and no next directory.
    let head = 4 + 4 + 2 + 12 * entries + 4;
    let tags: [(u16, u16, u32); 11] = [
        (256, LONG, size.width),
        (257, LONG, size.height),
        (258, SHORT, u32::from(layout.bits)),
        (259, SHORT, u32::from(layout.compression)),
        // Black is zero.
        (262, SHORT, 1),
        (273, LONG, long(head)),
        (277, SHORT, u32::from(size.samples)),
        (278, LONG, size.height),
        (279, LONG, long(stored)),
        (317, SHORT, u32::from(layout.predictor)),
        (339, SHORT, u32::from(layout.sample_format)),
    ];
    let mut bytes = Vec::with_capacity(head + stored);
    let short = |number: u16| if layout.is_big_endian { number.to_be_bytes() } else { number.to_le_bytes() };
    let four = |number: u32| if layout.is_big_endian { number.to_be_bytes() } else { number.to_le_bytes() };
    bytes.extend_from_slice(if layout.is_big_endian { b"MM" } else { b"II" });
    bytes.extend_from_slice(&short(42));
    bytes.extend_from_slice(&four(8));
    bytes.extend_from_slice(&short(u16::try_from(entries).unwrap_or(0)));
    for (tag, kind, value) in tags {
        bytes.extend_from_slice(&short(tag));
        bytes.extend_from_slice(&short(kind));
        bytes.extend_from_slice(&four(1));
        match kind {
            // A short is at the beginning of its place of four bytes.
            SHORT => {
                bytes.extend_from_slice(&short(u16::try_from(value).unwrap_or(u16::MAX)));
                bytes.extend_from_slice(&[0, 0]);
            }
            _ => bytes.extend_from_slice(&four(value)),
        }
    }
    bytes.extend_from_slice(&four(0));
    bytes
}
