//! Decoding of tiles into memory of the caller.

use super::chunks::{Chunk, Chunks, Part, Parts, check_length};
use super::unfilter::{Layout, Scratch, unfilter};
use crate::bytes::ByteReader;
use crate::error::Result;
use crate::filter::zstd::Decompressor;
use crate::filter::{bitshuffle, byteshuffle};
use crate::pipeline::{Filter, Pipeline};

/// Decodes tiles, one after the other. A thread keeps one for all columns, because its decompressor and its buffers are worth keeping.
pub struct TileDecoder {
    pub(super) zstd: Decompressor,
    /// A decompressed chunk, before it is unshuffled. Small enough for the second-level cache, as chunks are.
    pub(super) chunk: Vec<u8>,
    /// Validity as bytes, where it must be decoded to them.
    pub(super) cells: Vec<u8>,
    pub(super) scratch: Scratch,
}

impl Default for TileDecoder {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for TileDecoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TileDecoder").finish_non_exhaustive()
    }
}

impl TileDecoder {
    /// A decoder without buffers yet.
    pub fn new() -> Self {
        Self { zstd: Decompressor::new(), chunk: Vec::new(), cells: Vec::new(), scratch: Scratch::default() }
    }

    /// Decodes the values of a tile to `out`, whose length must be the tile's: see [`tile_length`](super::tile_length). A cell has
    /// `cell_size` bytes, of values of `datatype_size`; for values of text, both are 1, and for offsets of text, 8.
    ///
    /// No more memory is allocated than a small multiple of `out`, whatever the tile says. After an error, `out` holds anything.
    pub fn decode(
        &mut self,
        tile: &[u8],
        pipeline: &Pipeline,
        datatype_size: usize,
        cell_size: usize,
        out: &mut [u8],
    ) -> Result<()> {
        check_length(tile, out.len())?;
        let layout = Layout { pipeline, datatype_size, cell_size };
        let mut rest = out;
        for chunk in Chunks::new(tile)? {
            let chunk = chunk?;
            let (values, after) = rest.split_at_mut(chunk.length);
            if !self.decode_directly(chunk, layout, values)? {
                unfilter(chunk, layout, &mut self.zstd, &mut self.scratch, values)?;
            }
            rest = after;
        }
        Ok(())
    }

    /// Decodes a chunk of one of the pipelines that arrays of this project have, or returns false.
    fn decode_directly(&mut self, chunk: Chunk<'_>, layout: Layout<'_>, out: &mut [u8]) -> Result<bool> {
        match layout.pipeline.filters.as_slice() {
            [] if chunk.data.len() == out.len() => out.copy_from_slice(chunk.data),
            [Filter::Zstd { .. }] => match only_part(chunk)? {
                Some(part) if part.length == out.len() => self.zstd.decompress(part.data, out)?,
                _ => return Ok(false),
            },
            [Filter::ByteShuffle, Filter::Zstd { .. }] => match self.decompress_shuffled(chunk)? {
                // libtiledb shuffles whole chunks.
                Some(Shuffled { values, parts: [length, 0] }) if length == out.len() => {
                    byteshuffle::unshuffle(values, layout.datatype_size, out);
                }
                _ => return Ok(false),
            },
            [Filter::BitShuffle, Filter::Zstd { .. }] => match self.decompress_shuffled(chunk)? {
                Some(Shuffled { values, parts: [first, _] }) => {
                    let (values, rest) = values.split_at(first);
                    let (out, out_rest) = out.split_at_mut(first);
                    bitshuffle::unshuffle(values, layout.datatype_size, out);
                    bitshuffle::unshuffle(rest, layout.datatype_size, out_rest);
                }
                None => return Ok(false),
            },
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Decompresses the values of a chunk that went through one shuffle and zstd. Returns nothing if its parts are unusual.
    pub(super) fn decompress_shuffled(&mut self, chunk: Chunk<'_>) -> Result<Option<Shuffled<'_>>> {
        let mut buffer = [0; INNER_METADATA];
        let Some((inner, part)) = inner_metadata(chunk, &mut self.zstd, &mut buffer)? else { return Ok(None) };
        let mut inner = ByteReader::new(inner, "parts of a chunk");
        let parts = match inner.u32()? {
            1 => [inner.u32()?, 0],
            2 => [inner.u32()?, inner.u32()?],
            _ => return Ok(None),
        };
        inner.finish()?;
        let parts = parts.map(|part| usize::try_from(part).unwrap_or(usize::MAX));
        if part.length != chunk.length || parts[0].checked_add(parts[1]) != Some(part.length) {
            return Ok(None);
        }
        let values = scratch(&mut self.chunk, part.length);
        self.zstd.decompress(part.data, values)?;
        Ok(Some(Shuffled { values, parts }))
    }
}

/// Values of a chunk before they are unshuffled, and the lengths of the one or two parts that were shuffled on their own.
pub(super) struct Shuffled<'a> {
    pub(super) values: &'a [u8],
    pub(super) parts: [usize; 2],
}

/// The most bytes of metadata of a first filter that the short ways read. They are 8, 12 or 16.
pub(super) const INNER_METADATA: usize = 16;

/// The part of a chunk that was compressed without metadata, unless there are more.
fn only_part(chunk: Chunk<'_>) -> Result<Option<Part<'_>>> {
    let mut metadata = ByteReader::new(chunk.metadata, "metadata of a chunk");
    let mut parts = Parts::new(&mut metadata, chunk.data)?;
    if (parts.metadata, parts.values) != (0, 1) {
        return Ok(None);
    }
    let part = parts.next()?;
    parts.finish()?;
    Ok(Some(part))
}

/// The metadata of the filter before zstd, decompressed to `buffer`, and the part with the data, unless there are more.
pub(super) fn inner_metadata<'a, 'b>(
    chunk: Chunk<'a>,
    zstd: &mut Decompressor,
    buffer: &'b mut [u8; INNER_METADATA],
) -> Result<Option<(&'b [u8], Part<'a>)>> {
    let mut metadata = ByteReader::new(chunk.metadata, "metadata of a chunk");
    let mut parts = Parts::new(&mut metadata, chunk.data)?;
    if (parts.metadata, parts.values) != (1, 1) {
        return Ok(None);
    }
    let inner = parts.next()?;
    let part = parts.next()?;
    parts.finish()?;
    let Some(target) = buffer.get_mut(..inner.length) else { return Ok(None) };
    zstd.decompress(inner.data, target)?;
    Ok(Some((target, part)))
}

/// The first `length` bytes of a buffer that only grows.
pub(super) fn scratch(buffer: &mut Vec<u8>, length: usize) -> &mut [u8] {
    if buffer.len() < length {
        buffer.resize(length, 0);
    }
    &mut buffer[..length]
}
