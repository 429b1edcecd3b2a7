//! zstd frames, with one context of the library for the whole life of a decoder or encoder: making one costs more than a small chunk.

use zstd::zstd_safe::{CCtx, CParameter, DCtx, compress_bound, get_error_name};

use crate::error::{Error, Result};

/// The lowest level that libtiledb passes on. It takes [`DEFAULT_LEVEL`] for lower ones.
const LOWEST_LEVEL: i32 = -7;
const DEFAULT_LEVEL: i32 = 3;

/// Decompresses frames.
pub(crate) struct Decompressor(DCtx<'static>);

impl Decompressor {
    pub(crate) fn new() -> Self {
        Self(DCtx::create())
    }

    /// Fills `out`. The checksum of the content is verified if the frame has one.
    pub(crate) fn decompress(&mut self, data: &[u8], out: &mut [u8]) -> Result<()> {
        let expected = out.len();
        let length = self.0.decompress(out, data).map_err(|code| damaged(get_error_name(code)))?;
        if length == expected { Ok(()) } else { Err(damaged(&format!("expected {expected} bytes, found {length}"))) }
    }
}

/// Compresses frames with their content's size, and with a checksum of it on request.
pub(crate) struct Compressor {
    context: CCtx<'static>,
    checksums: bool,
    /// The level that the context is set to, with checksums.
    level: Option<i32>,
}

impl Compressor {
    pub(crate) fn new(checksums: bool) -> Self {
        Self { context: CCtx::create(), checksums, level: None }
    }

    /// Replaces the content of `out`.
    pub(crate) fn compress(&mut self, level: i32, data: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let level = if level < LOWEST_LEVEL { DEFAULT_LEVEL } else { level };
        out.clear();
        out.reserve(compress_bound(data.len()));
        let written = if self.checksums {
            self.with_checksum(level).and_then(|()| self.context.compress2(out, data))
        } else {
            // This call is libtiledb's, so the bytes are too.
            self.context.compress(out, data, level)
        };
        written.map(|_| ()).map_err(|code| damaged(get_error_name(code)))
    }

    fn with_checksum(&mut self, level: i32) -> Result<(), usize> {
        if self.level != Some(level) {
            self.context.set_parameter(CParameter::CompressionLevel(level))?;
            self.context.set_parameter(CParameter::ContentSizeFlag(true))?;
            self.context.set_parameter(CParameter::ChecksumFlag(true))?;
            self.level = Some(level);
        }
        Ok(())
    }
}

fn damaged(message: &str) -> Error {
    Error::Damaged { what: "tile", codec: "zstd", message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Bytes come back, and one flipped bit anywhere in a frame with checksum never goes unnoticed.
        #[test]
        fn frames_hold_their_content_and_notice_damage(
            data in prop::collection::vec(0_u8..8, 0..3000),
            level in -8..9_i32,
            checksums: bool,
            flip in any::<prop::sample::Index>(),
            bit in 0..8_u32,
        ) {
            let mut compressed = Vec::new();
            Compressor::new(checksums).compress(level, &data, &mut compressed).unwrap();
            let mut decompressor = Decompressor::new();
            let mut out = vec![7; data.len()];
            decompressor.decompress(&compressed, &mut out).unwrap();
            prop_assert_eq!(&out, &data);
            if checksums {
                *flip.get_mut(&mut compressed) ^= 1_u8 << bit;
                let result = decompressor.decompress(&compressed, &mut out);
                prop_assert!(result.is_err() || out == data);
            }
        }
    }

    /// A frame that is shorter than the tile says would leave old bytes in the caller's buffer.
    #[test]
    fn a_frame_of_another_length_is_an_error() {
        let mut compressed = Vec::new();
        Compressor::new(false).compress(3, &[1; 100], &mut compressed).unwrap();
        assert!(Decompressor::new().decompress(&compressed, &mut [0; 99]).is_err());
        assert!(Decompressor::new().decompress(&compressed, &mut [0; 101]).is_err());
    }
}
