//! Tiles of any filters.

use std::cell::RefCell;

use tiledb_format::{ByteReader, Datatype, Filter, Pipeline, TileDecoder, TileEncoder, tile_length};

use crate::memory::within;

/// Larger tiles decode like smaller ones, only longer.
const LONGEST: u64 = 1 << 18;
/// Higher levels of zstd and zlib take long.
const HIGHEST_LEVEL: i32 = 6;
/// What a decoder keeps for each byte of values: a chunk and its metadata, before and after a filter, each up to four times as long.
const GROWTH: usize = 20;
/// Short chunks have headers, and errors have texts.
const FIXED: usize = 1 << 16;

thread_local! {
    static DECODER: RefCell<TileDecoder> = RefCell::new(TileDecoder::new());
}

/// An input is the code of a datatype, the number of values in a cell, filters as in a schema, and a tile.
struct Input<'a> {
    value_size: usize,
    cell_size: usize,
    pipeline: Pipeline,
    tile: &'a [u8],
}

impl<'a> Input<'a> {
    fn parse(input: &'a [u8]) -> tiledb_format::Result<Self> {
        let mut reader = ByteReader::new(input, "input");
        let value_size = Datatype::from_code(reader.u8()?)?.size();
        let cell_size = value_size * usize::from(reader.u8()?.max(1));
        let pipeline = Pipeline::parse(&mut reader)?;
        Ok(Self { value_size, cell_size, pipeline, tile: reader.rest() })
    }

    fn decode(&self, tile: &[u8], length: usize) -> tiledb_format::Result<Vec<u8>> {
        let mut values = vec![0; length];
        DECODER.with_borrow_mut(|decoder| {
            decoder.decode(tile, &self.pipeline, self.value_size, self.cell_size, &mut values)
        })?;
        Ok(values)
    }
}

/// A tile is decoded or an error, whatever it claims, in memory that follows from the number of values; the values are the same after they
/// are encoded. The validity of cells is the same as bytes and as bits.
pub(crate) fn tile(input: &[u8]) {
    let Ok(input) = Input::parse(input) else { return };
    let Ok(length) = tile_length(input.tile) else { return };
    let Some(length) = usize::try_from(length).ok().filter(|length| *length as u64 <= LONGEST) else { return };
    let limit = FIXED + GROWTH * length + 4 * input.tile.len();
    let decoded = within(limit, || input.decode(input.tile, length));
    if input.cell_size == 1 {
        let mut bits = vec![0; length.div_ceil(8)];
        let validity = within(limit, || {
            DECODER.with_borrow_mut(|decoder| {
                decoder.decode_validity_bitmap(input.tile, &input.pipeline, length, &mut bits)
            })
        });
        let expected = decoded.as_deref().ok().and_then(bitmap);
        assert_eq!(validity.as_ref().ok().map(|()| bits), expected, "bits: {validity:?}, bytes: {decoded:?}");
    }
    let Ok(values) = decoded else { return };
    if input.pipeline.filters.iter().any(is_slow) {
        return;
    }
    for has_checksums in [false, true] {
        let mut tile = Vec::new();
        let encoded = TileEncoder::new(has_checksums).encode(
            &values,
            &input.pipeline,
            input.value_size,
            input.cell_size,
            &mut tile,
        );
        if encoded.is_ok() {
            assert_eq!(input.decode(&tile, length).as_ref(), Ok(&values));
        }
    }
}

/// The bits of bytes of 0 and 1; `None` if there are others.
fn bitmap(cells: &[u8]) -> Option<Vec<u8>> {
    let byte = |cells: &[u8]| cells.iter().rev().fold(0, |byte, cell| byte << 1 | cell);
    cells.iter().all(|cell| *cell <= 1).then(|| cells.chunks(8).map(byte).collect())
}

fn is_slow(filter: &Filter) -> bool {
    matches!(filter, Filter::Zstd { level } | Filter::Gzip { level } if *level > HIGHEST_LEVEL)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A corpus of errors would test little.
    #[test]
    fn every_tile_of_the_corpus_is_decoded() {
        for entry in std::fs::read_dir(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/tile")).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            let input = Input::parse(&bytes).unwrap();
            let length = tile_length(input.tile).unwrap().try_into().unwrap();
            assert_eq!(input.decode(input.tile, length).map(|values| values.len()), Ok(length), "{}", path.display());
        }
    }
}
