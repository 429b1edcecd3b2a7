//! What is encoded is decoded again, for all pipelines and sizes.

use proptest::prelude::*;

use super::*;
use crate::tile::{TileDecoder, TileEncoder, tile_length};

/// Pipelines that are written, all of them also in combinations that no array here has.
fn pipelines() -> impl Strategy<Value = Pipeline> {
    let filter = prop_oneof![
        Just(Filter::Noop),
        Just(Filter::ByteShuffle),
        Just(Filter::BitShuffle),
        Just(ZSTD),
        Just(Filter::Zstd { level: 1 }),
        Just(GZIP),
    ];
    let first = prop_oneof![4 => filter.clone(), 1 => Just(RLE), 1 => Just(DOUBLE_DELTA), 1 => Just(BIT_WIDTH)];
    (prop::option::of(first), prop::collection::vec(filter, 0..3))
        .prop_map(|(first, rest)| Pipeline::new(first.into_iter().chain(rest).collect()))
}

/// Cells in runs, so that all filters have something to do, of one or of some chunks.
fn cells() -> impl Strategy<Value = (usize, Vec<u8>)> {
    let runs = prop::collection::vec((any::<[u8; 8]>(), prop_oneof![9 => 1..60_usize, 1 => 1..20_000_usize]), 0..20);
    (prop_oneof![Just(1_usize), Just(2), Just(4), Just(8)], runs).prop_map(|(size, runs)| {
        let cells = runs.into_iter().flat_map(|(cell, count)| std::iter::repeat_n(cell, count));
        (size, cells.flat_map(|cell| cell.into_iter().take(size)).collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Rows that are written are the rows that are read.
    #[test]
    fn cells_come_back((size, cells) in cells(), pipeline in pipelines(), checksums: bool) {
        // What is in `out` before stays: files hold many tiles.
        let mut tile = vec![1, 2, 3];
        TileEncoder::new(checksums).encode(&cells, &pipeline, size, size, &mut tile).unwrap();
        prop_assert!(tile.starts_with(&[1, 2, 3]));
        let tile = &tile[3..];
        prop_assert_eq!(tile_length(tile), Ok(cells.len() as u64));
        let mut out = vec![0xaa; cells.len()];
        let mut decoder = TileDecoder::new();
        decoder.decode(tile, &pipeline, size, size, &mut out).unwrap();
        prop_assert!(out == cells);
        // A buffer of another length is refused instead of being filled in part.
        prop_assert!(decoder.decode(tile, &pipeline, size, size, &mut vec![0; cells.len() + 1]).is_err());
    }

    /// Text of any lengths comes back, and chunks end between cells.
    #[test]
    fn text_comes_back(lengths in prop::collection::vec(prop_oneof![4 => 0..9_usize, 1 => 0..200_000_usize], 0..12)) {
        let text: Vec<u8> =
            lengths.iter().zip(b'a'..).flat_map(|(length, letter)| std::iter::repeat_n(letter, *length)).collect();
        let offsets: Vec<u64> = lengths.iter().scan(0, |at, length| { let start = *at; *at += *length as u64; Some(start) }).collect();
        let mut tile = Vec::new();
        TileEncoder::new(true).encode_var(&text, &offsets, &pipeline(&[ZSTD]), 1, &mut tile).unwrap();
        let mut out = vec![0xaa; text.len()];
        TileDecoder::new().decode(&tile, &pipeline(&[ZSTD]), 1, 1, &mut out).unwrap();
        prop_assert!(out == text);
        let mut end = 0;
        for chunk in crate::tile::chunks::Chunks::new(&tile).unwrap() {
            prop_assert!(offsets.contains(&end) || end == text.len() as u64 || offsets.is_empty());
            end += chunk.unwrap().length as u64;
        }
    }

    /// Each way to the bitmap sets the same bits.
    #[test]
    fn validity_comes_back(
        runs in prop::collection::vec((any::<bool>(), prop_oneof![9 => 1..30_usize, 1 => 1..70_000_usize]), 0..20), checksums: bool,
    ) {
        let cells: Vec<u8> = runs.iter().flat_map(|(valid, count)| std::iter::repeat_n(u8::from(*valid), *count)).collect();
        let mut decoder = TileDecoder::new();
        for filters in [&[Filter::BitShuffle, ZSTD][..], &[RLE, ZSTD], &[RLE], &[ZSTD], &[]] {
            let mut tile = Vec::new();
            TileEncoder::new(checksums).encode(&cells, &pipeline(filters), 1, 1, &mut tile).unwrap();
            let mut bitmap = vec![0xaa; cells.len().div_ceil(8)];
            decoder.decode_validity_bitmap(&tile, &pipeline(filters), cells.len(), &mut bitmap).unwrap();
            prop_assert!(bitmap == bits(&cells), "{filters:?}");
        }
    }
}

/// Cells of other bytes than 0 and 1 are refused on each way to the bitmap, instead of becoming some NULLs.
#[test]
fn strange_validity_is_refused() {
    let mut cells = vec![1; 20];
    cells[7] = 2;
    for filters in [&[Filter::BitShuffle, ZSTD][..], &[RLE, ZSTD], &[ZSTD]] {
        let mut tile = Vec::new();
        TileEncoder::new(false).encode(&cells, &pipeline(filters), 1, 1, &mut tile).unwrap();
        assert!(TileDecoder::new().decode_validity_bitmap(&tile, &pipeline(filters), 20, &mut [0; 3]).is_err());
    }
}

/// Calls that would write tiles that nothing can read are errors, and leave the file as it was.
#[test]
fn wrong_cells_are_refused() {
    let mut encoder = TileEncoder::new(false);
    let mut out = vec![9];
    assert!(encoder.encode(&[1, 2, 3], &pipeline(&[ZSTD]), 2, 2, &mut out).is_err());
    assert!(encoder.encode(&[], &pipeline(&[ZSTD]), 2, 0, &mut out).is_err());
    let unknown = Filter::Unsupported { code: 15, options: Vec::new() };
    assert!(encoder.encode(&[1; 8], &pipeline(&[unknown]), 4, 4, &mut out).is_err());
    for offsets in [&[][..], &[1], &[0, 4], &[0, 2, 1], &[0, u64::MAX]] {
        assert!(encoder.encode_var(b"abc", offsets, &pipeline(&[ZSTD]), 1, &mut out).is_err(), "{offsets:?}");
    }
    assert_eq!(out, [9]);
}

/// Prints speeds of decoding and encoding. Run it with `--release -- --ignored --nocapture speed`.
#[test]
#[ignore = "a measurement"]
fn speed() {
    let best = |name: &str, bytes: usize, run: &mut dyn FnMut()| {
        let mut best = f64::MAX;
        for _ in 0..200 {
            let start = std::time::Instant::now();
            run();
            best = best.min(start.elapsed().as_secs_f64());
        }
        println!("{name}: {:.2} GB/s, {:.0} ns", bytes as f64 / best / 1e9, best * 1e9);
    };
    let mut decoder = TileDecoder::new();
    let mut state = 1_u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 16
    };
    // 4,096 heights to the centimetre, as they are stored: what a tile of a column is.
    let heights: Vec<u8> = (0..4096).flat_map(|_| (random() as f32 / 2048.0).to_le_bytes()).collect();
    for checksums in [false, true] {
        for filters in [&[Filter::ByteShuffle, ZSTD][..], &[ZSTD]] {
            let (mut tile, mut out) = (Vec::new(), vec![0; heights.len()]);
            let pipeline = pipeline(filters);
            let mut encoder = TileEncoder::new(checksums);
            let name = format!("{filters:?}, checksums {checksums}");
            best(&format!("encode {name}"), heights.len(), &mut || {
                tile.clear();
                encoder.encode(&heights, &pipeline, 4, 4, &mut tile).unwrap();
            });
            best(&format!("decode {name}"), heights.len(), &mut || {
                decoder.decode(&tile, &pipeline, 4, 4, &mut out).unwrap()
            });
        }
    }
    // NULLs in runs of ten, a tile of 4,096 cells.
    let cells: Vec<u8> = (0..410).flat_map(|_| [u8::from(random() % 3 != 0); 10]).take(4096).collect();
    for filters in [&[Filter::BitShuffle, ZSTD][..], &[RLE, ZSTD], &[ZSTD]] {
        let (mut tile, mut bitmap) = (Vec::new(), vec![0; cells.len() / 8]);
        TileEncoder::new(true).encode(&cells, &pipeline(filters), 1, 1, &mut tile).unwrap();
        let pipeline = pipeline(filters);
        best(&format!("bitmap {filters:?}, {} bytes", tile.len()), cells.len(), &mut || {
            decoder.decode_validity_bitmap(&tile, &pipeline, cells.len(), &mut bitmap).unwrap();
        });
    }
}
