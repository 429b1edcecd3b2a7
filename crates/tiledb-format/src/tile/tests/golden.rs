//! Against tiles of libtiledb: it is what wrote other programs' arrays, and what must read ours.

use super::*;
use crate::error::Result;
use crate::filter::bitshuffle;
use crate::golden::golden;
use crate::tile::{TileDecoder, TileEncoder, tile_length};

/// Whether this crate writes the same bytes as libtiledb.
#[derive(Clone, Copy, PartialEq)]
enum Written {
    Equal,
    /// The values come back, but the bytes differ.
    Otherwise,
}
use Written::{Equal, Otherwise};

fn assert_fixed(name: &str, filters: &[Filter], size: usize, written: Written) {
    let [tile, values] = golden(name);
    let pipeline = pipeline(filters);
    assert_eq!(tile_length(&tile), Ok(values.len() as u64), "{name}");
    assert!(decoded(&tile, &pipeline, size, values.len()).unwrap() == values, "{name}");
    for checksums in [false, true] {
        let mut again = Vec::new();
        TileEncoder::new(checksums).encode(&values, &pipeline, size, size, &mut again).unwrap();
        let is_equal =
            written == Equal && (!checksums || !filters.iter().any(|filter| matches!(filter, Filter::Zstd { .. })));
        assert_eq!(again == tile, is_equal, "{name}");
        assert!(decoded(&again, &pipeline, size, values.len()).unwrap() == values, "{name}");
    }
}

fn decoded(tile: &[u8], pipeline: &Pipeline, size: usize, length: usize) -> Result<Vec<u8>> {
    let mut out = vec![0xaa; length];
    TileDecoder::new().decode(tile, pipeline, size, size, &mut out)?;
    Ok(out)
}

#[test]
fn shuffled_and_compressed_values() {
    assert_fixed("byteshuffle_zstd_f32", &[Filter::ByteShuffle, ZSTD], 4, Equal);
    assert_fixed("byteshuffle_zstd_two_chunks_f32", &[Filter::ByteShuffle, ZSTD], 4, Equal);
    assert_fixed("byteshuffle_zstd_f64", &[Filter::ByteShuffle, ZSTD], 8, Equal);
    assert_fixed("byteshuffle_zstd_i16", &[Filter::ByteShuffle, ZSTD], 2, Equal);
    assert_fixed("zstd_f64", &[ZSTD], 8, Equal);
    assert_fixed("zstd_minus_one_i32", &[Filter::Zstd { level: -1 }], 4, Equal);
    assert_fixed("plain_i32", &[], 4, Equal);
    assert_fixed("gzip_i32", &[GZIP], 4, Otherwise);
    assert_fixed("rle_i32", &[RLE], 4, Equal);
    for (name, size) in [("int16", 2), ("int32", 4), ("int64", 8), ("float64", 8)] {
        for count in [2049, 1001, 1000] {
            assert_fixed(&format!("bitshuffle_zstd_{name}_{count}"), &[Filter::BitShuffle, ZSTD], size, Equal);
        }
    }
}

#[test]
fn double_deltas() {
    assert_fixed("double_delta_zstd_i64", &[DOUBLE_DELTA, ZSTD], 8, Equal);
    assert_fixed("double_delta_i64_extremes", &[DOUBLE_DELTA], 8, Equal);
    assert_fixed("double_delta_i64_one", &[DOUBLE_DELTA], 8, Equal);
    assert_fixed("double_delta_i64_first", &[DOUBLE_DELTA], 8, Equal);
    assert_fixed("double_delta_i64_two", &[DOUBLE_DELTA], 8, Equal);
    assert_fixed("double_delta_i32", &[DOUBLE_DELTA], 4, Equal);
    assert_fixed("double_delta_i16_raw", &[DOUBLE_DELTA], 2, Equal);
    // As signed values, these have other differences.
    assert_fixed("double_delta_u16", &[DOUBLE_DELTA], 2, Otherwise);
}

#[test]
fn narrowed_integers() {
    assert_fixed("bit_width_zstd_i32", &[BIT_WIDTH, ZSTD], 4, Equal);
    assert_fixed("bit_width_zstd_i32_narrow", &[BIT_WIDTH, ZSTD], 4, Equal);
    // Where values are stored as they are, libtiledb writes some number for the least one.
    assert_fixed("bit_width_zstd_i32_full", &[BIT_WIDTH, ZSTD], 4, Otherwise);
    assert_fixed("bit_width_zstd_i16", &[BIT_WIDTH, ZSTD], 2, Equal);
    assert_fixed("bit_width_zstd_u16", &[BIT_WIDTH, ZSTD], 2, Otherwise);
    assert_fixed("bit_width_zstd_i64", &[BIT_WIDTH, ZSTD], 8, Equal);
    assert_fixed("double_delta_bit_width_zstd_i64", &[DOUBLE_DELTA, BIT_WIDTH, ZSTD], 8, Otherwise);
    assert_fixed("bit_width_zstd_u8", &[BIT_WIDTH, ZSTD], 1, Equal);
    assert_fixed("bit_width_byteshuffle_zstd_i32", &[BIT_WIDTH, Filter::ByteShuffle, ZSTD], 4, Equal);
}

#[test]
fn validity_becomes_a_bitmap() {
    for (stem, filters) in [("rle", [RLE, ZSTD]), ("bitshuffle", [Filter::BitShuffle, ZSTD])] {
        for kind in ["scattered", "runs", "long_runs", "short"] {
            let name = format!("validity_{stem}_zstd_{kind}");
            assert_fixed(&name, &filters, 1, Equal);
            let [tile, cells] = golden(&name);
            let mut bitmap = vec![0xaa; cells.len().div_ceil(8)];
            TileDecoder::new().decode_validity_bitmap(&tile, &pipeline(&filters), cells.len(), &mut bitmap).unwrap();
            assert!(bitmap == bits(&cells), "{name}");
        }
    }
}

#[test]
fn text_in_chunks_of_whole_cells() {
    let byteshuffle = [Filter::ByteShuffle, ZSTD];
    for (name, filters) in [
        ("text_small", &[ZSTD][..]),
        ("text_empty", &[ZSTD]),
        ("text_exact_chunk", &[ZSTD]),
        ("text_one_long", &[ZSTD]),
        ("text_rule", &[ZSTD]),
        ("text_ends_full", &[ZSTD]),
        ("text_byteshuffle", &byteshuffle),
    ] {
        let [tile, text, offsets_tile, offsets] = golden(name);
        let (values, offsets_filters) = (pipeline(filters), pipeline(&[DOUBLE_DELTA, ZSTD]));
        assert!(decoded(&tile, &values, 1, text.len()).unwrap() == text, "{name}");
        assert!(decoded(&offsets_tile, &offsets_filters, 8, offsets.len()).unwrap() == offsets, "{name}");
        let starts: Vec<u64> = offsets.as_chunks().0.iter().map(|start| u64::from_le_bytes(*start)).collect();
        let mut again = Vec::new();
        TileEncoder::new(false).encode_var(&text, &starts, &values, 1, &mut again).unwrap();
        assert!(again == tile, "{name}");
        again.clear();
        TileEncoder::new(false).encode(&offsets, &offsets_filters, 8, 8, &mut again).unwrap();
        assert!(again == offsets_tile, "offsets of {name}");
    }
}

/// The plane of a block of 8,192 cells is 1,024 bytes: with another block size, whole tiles of validity would be scrambled.
#[test]
fn the_block_is_that_of_libtiledb() {
    let [tile, cells] = golden("validity_bitshuffle_zstd_long_runs");
    assert!(cells.len() > 2 * bitshuffle::BLOCK);
    let mut decoder = TileDecoder::new();
    let chunk = crate::tile::chunks::Chunks::new(&tile).unwrap().next().unwrap().unwrap();
    let shuffled = decoder.decompress_shuffled(chunk).unwrap().unwrap();
    let plane = bits(&cells[..bitshuffle::BLOCK]);
    assert!(
        shuffled.values.starts_with(&plane)
            && shuffled.values[plane.len()..bitshuffle::BLOCK].iter().all(|byte| *byte == 0)
    );
}
