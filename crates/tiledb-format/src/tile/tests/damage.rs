//! Damaged tiles: an error or values, never a crash, and never more memory than a small multiple of the values.

use proptest::prelude::*;

use super::*;
use crate::tile::{TileDecoder, TileEncoder, tile_length};

/// Every way that tiles are decoded.
const FILTERS: [&[Filter]; 12] = [
    &[],
    &[ZSTD],
    &[Filter::ByteShuffle, ZSTD],
    &[Filter::BitShuffle, ZSTD],
    &[RLE, ZSTD],
    &[DOUBLE_DELTA, ZSTD],
    &[BIT_WIDTH, ZSTD],
    &[BIT_WIDTH],
    &[DOUBLE_DELTA],
    &[Filter::BitShuffle],
    &[Filter::ByteShuffle, GZIP],
    &[RLE],
];

fn decode(tile: &[u8], pipeline: &Pipeline, size: usize, length: usize) -> Result<Vec<u8>, TestCaseError> {
    let mut decoder = TileDecoder::new();
    let mut out = vec![0; length];
    let result = decoder.decode(tile, pipeline, size, size, &mut out);
    let _ = decoder.decode_validity_bitmap(tile, pipeline, length, &mut vec![0; length.div_ceil(8)]);
    let scratch = &decoder.scratch;
    for buffer in
        [&decoder.chunk, &decoder.cells, &scratch.data, &scratch.next, &scratch.metadata, &scratch.next_metadata]
    {
        // A vector may grow to twice what is needed.
        prop_assert!(buffer.capacity() <= 2 * (4 * length + 1024), "{} bytes for {length}", buffer.capacity());
    }
    Ok(result.map(|()| out).unwrap_or_default())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Bytes of a file that are not a tile.
    #[test]
    fn arbitrary_chunks(
        chunks in prop::collection::vec((0..200_u32, prop::collection::vec(0..20_u8, 0..40), prop::collection::vec(any::<u8>(), 0..60)), 0..3),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut tile = (chunks.len() as u64).to_le_bytes().to_vec();
        for (length, metadata, data) in &chunks {
            tile.extend(length.to_le_bytes());
            tile.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
            tile.extend(u32::try_from(metadata.len()).unwrap().to_le_bytes());
            tile.extend(metadata);
            tile.extend(data);
        }
        let length = tile_length(&tile).unwrap();
        for filters in FILTERS {
            decode(&tile, &pipeline(filters), 4, length.try_into().unwrap())?;
        }
        // A file that ends too early is an error from the start.
        let cut = cut.index(tile.len());
        prop_assert!(tile_length(&tile[..cut]).is_err());
    }

    /// A tile of libtiledb or of this crate with some bytes changed.
    #[test]
    fn flipped_bytes(
        cells in prop::collection::vec(0..4_u8, 1..90),
        which in 0..FILTERS.len(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let (filters, size) = (FILTERS[which], if which % 2 == 0 { 1 } else { 4 });
        let cells: Vec<u8> = cells.into_iter().flat_map(|cell| [cell, 0, 0, 1]).collect();
        let mut tile = Vec::new();
        TileEncoder::new(true).encode(&cells, &pipeline(filters), size, size, &mut tile).unwrap();
        for (at, byte) in flips {
            *at.get_mut(&mut tile) ^= byte;
        }
        decode(&tile, &pipeline(filters), size, cells.len())?;
    }

    /// With checksums, a changed byte of the compressed data is always noticed: that is why they are written.
    #[test]
    fn checksums_notice_damage(
        cells in prop::collection::vec(any::<u8>(), 1..300), at in any::<prop::sample::Index>(), bit in 0..8_u32,
    ) {
        let pipeline = pipeline(&[Filter::ByteShuffle, ZSTD]);
        let cells: Vec<u8> = cells.into_iter().flat_map(|cell| [cell, 0, 0, 1]).collect();
        let mut tile = Vec::new();
        TileEncoder::new(true).encode(&cells, &pipeline, 4, 4, &mut tile).unwrap();
        *at.get_mut(&mut tile) ^= 1_u8 << bit;
        let found = decode(&tile, &pipeline, 4, cells.len())?;
        prop_assert!(found.is_empty() || found == cells);
    }
}

/// A tile of a few bytes that says it holds four gigabytes is refused before anything is decoded.
#[test]
fn claims_are_compared_with_the_buffer() {
    let mut tile = 1_u64.to_le_bytes().to_vec();
    tile.extend([0xff; 4]);
    tile.extend([0; 8]);
    assert_eq!(tile_length(&tile), Ok(u32::MAX.into()));
    let error = TileDecoder::new().decode(&tile, &pipeline(&[ZSTD]), 4, 4, &mut [0; 8]).unwrap_err();
    assert_eq!(error.to_string(), "tile: expected 8 bytes of values, found 4294967295");
}
