//! zlib streams, which TileDB calls gzip.

use libdeflater::{CompressionLvl, Compressor, Decompressor};

use crate::error::{Error, Result};

/// zlib's own choice of a level.
const DEFAULT_LEVEL: i32 = 6;

/// Fills `out`.
pub(crate) fn decompress(data: &[u8], out: &mut [u8]) -> Result<()> {
    let expected = out.len();
    let length = Decompressor::new().zlib_decompress(data, out).map_err(|error| damaged(&error.to_string()))?;
    if length == expected { Ok(()) } else { Err(damaged(&format!("expected {expected} bytes, found {length}"))) }
}

/// Replaces the content of `out`. The bytes are not those of zlib, which libtiledb uses, but it reads them.
pub(crate) fn compress(level: i32, data: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let level = CompressionLvl::new(if level < 0 { DEFAULT_LEVEL } else { level });
    let level = level.map_err(|_| damaged("the level is not one of 0 to 9"))?;
    let mut compressor = Compressor::new(level);
    out.clear();
    out.resize(compressor.zlib_compress_bound(data.len()), 0);
    let length = compressor.zlib_compress(data, out).map_err(|error| damaged(&error.to_string()))?;
    out.truncate(length);
    Ok(())
}

fn damaged(message: &str) -> Error {
    Error::Damaged { what: "tile", codec: "gzip", message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Schemas and fragment metadata of libtiledb are compressed with this.
        #[test]
        fn streams_hold_their_content(data in prop::collection::vec(0_u8..8, 0..3000), level in -1..10_i32) {
            let mut compressed = Vec::new();
            compress(level, &data, &mut compressed).unwrap();
            let mut out = vec![7; data.len()];
            decompress(&compressed, &mut out).unwrap();
            prop_assert_eq!(&out, &data);
            prop_assert!(decompress(&compressed, &mut vec![0; data.len() + 1]).is_err());
        }
    }
}
