//! Generic tiles: a tile after a header with its filters. Schemas, enumerations and fragment metadata consist of them.

use std::cell::RefCell;

use crate::bytes::{ByteReader, ByteWriter};
use crate::error::{Error, Result};
use crate::pipeline::{Filter, Pipeline};
use crate::tile::{TileDecoder, TileEncoder, tile_length};

const WHAT: &str = "generic tile";
/// Bytes of the header before the filters.
pub const HEADER_SIZE: u64 = 34;
/// More content than any file has: the vectors of 30 million tiles.
const LIMIT: u64 = 1 << 28;
/// `CHAR` of libtiledb, which marks bytes without a type.
const CHAR: u8 = 4;

/// How content is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// As it is. Nothing notices a flipped bit.
    None,
    /// zstd frames of that level, which contain a checksum of the content. libtiledb checks it, too.
    Zstd(i32),
}

/// zstd's own default level.
impl Default for Compression {
    fn default() -> Self {
        Self::Zstd(3)
    }
}

/// Decodes the generic tile that begins at `offset` of `bytes`.
///
/// The result is never larger than the chunks in `bytes` can be, whatever sizes the header claims.
pub fn read(bytes: &[u8], offset: u64) -> Result<Vec<u8>> {
    let start = usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..));
    let Some(start) = start else {
        return Err(Error::Truncated {
            what: WHAT,
            needed: offset.saturating_add(HEADER_SIZE),
            available: bytes.len() as u64,
        });
    };
    let tile = Located::find(start)?;
    let mut content = vec![0; tile.size];
    DECODER.with_borrow_mut(|decoder| decoder.decode(tile.tile, &tile.pipeline, 1, 1, &mut content))?;
    Ok(content)
}

thread_local! {
    // A fragment's metadata are hundreds of small tiles; making a decompressor for each would take most of the time.
    static DECODER: RefCell<TileDecoder> = RefCell::new(TileDecoder::new());
}

/// Encodes `content` as a generic tile.
///
/// # Errors
/// If zstd fails.
pub fn write(content: &[u8], compression: Compression) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    Writer::new(compression).append(content, &mut bytes)?;
    Ok(bytes)
}

/// Encodes many generic tiles in the same way.
pub(crate) struct Writer {
    encoder: TileEncoder,
    pipeline: Pipeline,
}

impl Writer {
    pub(crate) fn new(compression: Compression) -> Self {
        let filters = match compression {
            Compression::None => Vec::new(),
            Compression::Zstd(level) => vec![Filter::Zstd { level }],
        };
        Self { encoder: TileEncoder::new(true), pipeline: Pipeline::new(filters) }
    }

    /// Appends a tile to `bytes`.
    pub(crate) fn append(&mut self, content: &[u8], bytes: &mut Vec<u8>) -> Result<()> {
        let mut tile = Vec::new();
        self.encoder.encode(content, &self.pipeline, 1, 1, &mut tile)?;
        let mut filters = ByteWriter::new();
        self.pipeline.write(&mut filters);
        let filters = filters.finish();
        let mut writer = ByteWriter::new();
        writer.u32(crate::FORMAT_VERSION);
        writer.u64(tile.len() as u64);
        writer.u64(content.len() as u64);
        writer.u8(CHAR);
        writer.u64(1);
        writer.u8(0);
        // A pipeline of at most one filter has few bytes.
        writer.u32(u32::try_from(filters.len()).unwrap_or(u32::MAX));
        writer.bytes(&filters);
        bytes.extend(writer.finish());
        bytes.extend(tile);
        Ok(())
    }
}

/// A tile whose sizes agree with each other and with the bytes.
struct Located<'a> {
    tile: &'a [u8],
    pipeline: Pipeline,
    size: usize,
}

impl<'a> Located<'a> {
    fn find(bytes: &'a [u8]) -> Result<Self> {
        let mut reader = ByteReader::new(bytes, WHAT);
        reader.u32()?;
        let (persisted, claimed) = (reader.u64()?, reader.u64()?);
        // The type of the bytes means nothing.
        reader.u8()?;
        let cell_size = reader.u64()?;
        if cell_size != 1 {
            return Err(reader.invalid("cells of one byte", cell_size));
        }
        match reader.u8()? {
            0 => {}
            kind => return Err(reader.unsupported(format!("encryption of type {kind}"))),
        }
        let length = reader.u32()?;
        let mut filters = ByteReader::new(reader.bytes_u64(length.into())?, WHAT);
        let pipeline = Pipeline::parse(&mut filters)?;
        filters.finish()?;
        let tile = reader.bytes_u64(persisted)?;
        let size = content_size(tile)?;
        if size != claimed {
            return Err(reader.invalid(format!("a size of {claimed}, as its header says"), size));
        }
        match usize::try_from(size) {
            Ok(size) => Ok(Self { tile, pipeline, size }),
            Err(_) => Err(reader.unsupported(format!("{size} bytes"))),
        }
    }
}

/// The size of a tile's content, by the headers of its chunks. Each takes 12 bytes and holds 64 KiB at most, as libtiledb
/// cuts them.
fn content_size(tile: &[u8]) -> Result<u64> {
    let limit = LIMIT.min(tile.len() as u64 / 12 * u64::from(Pipeline::CHUNK_SIZE));
    match tile_length(tile)? {
        size if size <= limit => Ok(size),
        size => {
            Err(ByteReader::new(tile, WHAT).unsupported(format!("content of {size} bytes, expected at most {limit}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn compression() -> impl Strategy<Value = Compression> {
        prop_oneof![Just(Compression::None), (1..5).prop_map(Compression::Zstd)]
    }

    proptest! {
        /// Metadata that is written is metadata that is read, wherever it is in its file.
        #[test]
        fn reads_what_it_writes(
            content in proptest::collection::vec(0..4_u8, 0..200_000),
            compression in compression(),
            before in 0..40_usize,
        ) {
            let mut bytes = vec![7; before];
            bytes.extend(write(&content, compression).unwrap());
            bytes.extend([9; 5]);
            prop_assert_eq!(read(&bytes, before as u64).unwrap(), content);
        }

        /// A damaged file is an error; with checksums it is never other content.
        #[test]
        fn flipped_bytes_are_noticed(
            content in proptest::collection::vec(0..4_u8, 1..5_000), at: prop::sample::Index, flip in 1..=255_u8,
        ) {
            let mut bytes = write(&content, Compression::default()).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            if let Ok(found) = read(&bytes, 0) {
                prop_assert_eq!(found, content);
            }
        }

        /// A file cut short is an error at every length.
        #[test]
        fn truncation_is_an_error(content in proptest::collection::vec(0..9_u8, 0..300), compression in compression()) {
            let bytes = write(&content, compression).unwrap();
            for length in 0..bytes.len() {
                prop_assert!(read(&bytes[..length], 0).is_err());
            }
        }

        /// Whatever chunks claim, content is at most what their number can hold: a few bytes cannot ask for gigabytes.
        #[test]
        fn sizes_are_bounded(chunks in proptest::collection::vec((any::<u32>(), 0..20_u8, 0..25_u32), 0..9)) {
            let mut tile = (chunks.len() as u64).to_le_bytes().to_vec();
            for (claim, length, shift) in &chunks {
                tile.extend([claim >> shift, u32::from(*length), 0].map(u32::to_le_bytes).concat());
                tile.extend(vec![0; usize::from(*length)]);
            }
            let claimed: u64 = chunks.iter().map(|(claim, _, shift)| u64::from(claim >> shift)).sum();
            match content_size(&tile) {
                Ok(size) => prop_assert!(size == claimed && size <= 5_500 * tile.len() as u64),
                Err(_) => prop_assert!(claimed > chunks.len() as u64 * u64::from(Pipeline::CHUNK_SIZE)),
            }
        }
    }

    #[test]
    fn claimed_sizes_are_not_allocated() {
        let mut bytes = write(&[1; 100], Compression::None).unwrap();
        bytes[12..20].copy_from_slice(&(u64::MAX / 2).to_le_bytes());
        assert!(read(&bytes, 0).is_err());
        assert!(read(&bytes, u64::MAX).is_err());
    }

    #[test]
    fn encrypted_tiles_are_refused() {
        let mut bytes = write(&[1; 100], Compression::None).unwrap();
        bytes[29] = 1;
        assert!(matches!(read(&bytes, 0), Err(Error::Unsupported { .. })));
    }
}
