//! Validity tiles straight to Arrow's bitmaps.

use super::chunks::{Chunk, Chunks, Parts, check_length};
use super::decode::{INNER_METADATA, TileDecoder, inner_metadata, scratch};
use crate::bytes::ByteReader;
use crate::error::{Error, Result};
use crate::filter::bitmap::{RunWriter, not_flags, pack};
use crate::filter::{bitshuffle, rle};
use crate::pipeline::{Filter, Pipeline};

impl TileDecoder {
    /// Decodes the validity of `cells` cells to a bitmap as Arrow has it: one bit per cell, the lowest bit first, set where the cell is not
    /// NULL. `out` must have a byte for each eight cells; bits after the last cell become zero. So the bitmaps of tiles whose number of
    /// cells is a multiple of eight follow one another without shifting.
    ///
    /// Fails on cells that are neither 0 nor 1, which this crate's arrays never have.
    pub fn decode_validity_bitmap(
        &mut self,
        tile: &[u8],
        pipeline: &Pipeline,
        cells: usize,
        out: &mut [u8],
    ) -> Result<()> {
        check_length(tile, cells)?;
        if out.len() != cells.div_ceil(8) {
            let expected = format!("{} bytes for {cells} cells", cells.div_ceil(8));
            return Err(Error::Invalid { what: "bitmap", expected, found: out.len().to_string() });
        }
        if self.decode_bits(tile, pipeline, out)? {
            return Ok(());
        }
        let mut bytes = std::mem::take(&mut self.cells);
        let values = scratch(&mut bytes, cells);
        let result = self.decode(tile, pipeline, 1, 1, values).and_then(|()| pack(values, out));
        self.cells = bytes;
        result
    }

    /// Decodes chunks without a byte per cell, or returns false if that is not known for their pipeline or their lengths.
    fn decode_bits(&mut self, tile: &[u8], pipeline: &Pipeline, out: &mut [u8]) -> Result<bool> {
        let function = match pipeline.filters.as_slice() {
            [Filter::BitShuffle, Filter::Zstd { .. }] => Self::decode_bit_planes,
            [Filter::Rle { .. }, Filter::Zstd { .. }] => Self::decode_runs,
            _ => return Ok(false),
        };
        let mut rest = out;
        for chunk in Chunks::new(tile)? {
            let chunk = chunk?;
            // The length of all chunks is that of the bitmap, but only whole bytes can be split off it.
            let Some((bits, after)) = rest.split_at_mut_checked(chunk.length.div_ceil(8)) else { return Ok(false) };
            if !after.is_empty() && !chunk.length.is_multiple_of(8) || !function(self, chunk, bits)? {
                return Ok(false);
            }
            rest = after;
        }
        Ok(true)
    }

    /// The lowest bits of a block's bytes are the bitmap; the other planes are zero.
    fn decode_bit_planes(&mut self, chunk: Chunk<'_>, out: &mut [u8]) -> Result<bool> {
        let Some(shuffled) = self.decompress_shuffled(chunk)? else { return Ok(false) };
        let [first, second] = shuffled.parts;
        if !first.is_multiple_of(8) || second >= 8 {
            return Ok(false);
        }
        let (values, rest) = shuffled.values.split_at(first);
        let (out, out_rest) = out.split_at_mut(first / 8);
        for (block, out) in values.chunks(bitshuffle::BLOCK).zip(out.chunks_mut(bitshuffle::BLOCK / 8)) {
            let (bits, others) = block.split_at(out.len());
            out.copy_from_slice(bits);
            if others.iter().fold(0, |all, byte| all | byte) != 0 {
                return Err(not_flags("higher bits"));
            }
        }
        pack(rest, out_rest)?;
        Ok(true)
    }

    /// Runs of cells become runs of bits.
    fn decode_runs(&mut self, chunk: Chunk<'_>, out: &mut [u8]) -> Result<bool> {
        let mut buffer = [0; INNER_METADATA];
        let Some((inner, part)) = inner_metadata(chunk, &mut self.zstd, &mut buffer)? else { return Ok(false) };
        // Each run is a cell or more, and takes three bytes.
        if part.length > chunk.length.saturating_mul(3) {
            return Ok(false);
        }
        let data = scratch(&mut self.chunk, part.length);
        self.zstd.decompress(part.data, data)?;
        let mut inner = ByteReader::new(inner, "parts of a chunk");
        let mut parts = Parts::new(&mut inner, data)?;
        if (parts.metadata, parts.values) != (0, 1) {
            return Ok(false);
        }
        let part = parts.next()?;
        parts.finish()?;
        if part.length != chunk.length {
            return Ok(false);
        }
        let mut writer = RunWriter::new(out);
        let mut left = chunk.length;
        for (cell, count) in rle::runs(part.data, 1)? {
            let is_valid = match cell {
                [0] => false,
                [1] => true,
                _ => return Err(not_flags("another byte")),
            };
            let Some(after) = left.checked_sub(count) else {
                return Err(not_flags(format!("a run of {count} where {left} cells are left")));
            };
            writer.run(is_valid, count);
            left = after;
        }
        if left != 0 {
            return Err(not_flags(format!("no run for {left} cells")));
        }
        writer.finish();
        Ok(true)
    }
}
