mod damage;
mod golden;
mod round_trip;

use crate::pipeline::{Filter, Pipeline};

const ZSTD: Filter = Filter::Zstd { level: 3 };
const RLE: Filter = Filter::Rle { level: -1 };
const DOUBLE_DELTA: Filter = Filter::DoubleDelta { level: -1, reinterpret: Some(17) };
const BIT_WIDTH: Filter = Filter::BitWidthReduction { max_window: 256 };
const GZIP: Filter = Filter::Gzip { level: 5 };

fn pipeline(filters: &[Filter]) -> Pipeline {
    Pipeline::new(filters.to_vec())
}

/// The bits of bytes of 0 and 1.
fn bits(cells: &[u8]) -> Vec<u8> {
    cells.chunks(8).map(|eight| eight.iter().rev().fold(0, |byte, cell| byte << 1 | cell)).collect()
}
