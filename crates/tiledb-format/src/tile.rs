//! Stand-in until the data half is merged.
#![allow(missing_docs)]

use crate::bytes::{ByteReader, ByteWriter};
use crate::error::{Error, Result};
use crate::pipeline::Pipeline;

#[derive(Default)]
pub struct TileDecoder;
#[derive(Default)]
pub struct TileEncoder;

fn damaged(codec: &'static str, message: impl ToString) -> Error {
    Error::Damaged { what: "tile", codec, message: message.to_string() }
}

impl TileDecoder {
    pub fn new() -> Self {
        Self
    }

    pub fn decode(&mut self, tile: &[u8], pipeline: &Pipeline, _: usize, _: usize, out: &mut [u8]) -> Result<()> {
        let mut reader = ByteReader::new(tile, "tile");
        let mut at = 0;
        for _ in 0..reader.u64()? {
            let (size, filtered, metadata) = (reader.u32()? as usize, reader.u32()?, reader.u32()?);
            let mut metadata = ByteReader::new(reader.bytes_u64(metadata.into())?, "chunk");
            let data = reader.bytes_u64(filtered.into())?;
            let available = out.len();
            let target = out.get_mut(at..at + size).ok_or_else(|| reader.invalid("less", available))?;
            at += size;
            match pipeline.filters.first().map(|filter| filter.code) {
                None if data.len() == size => target.copy_from_slice(data),
                None => return Err(reader.invalid("equal sizes", size)),
                Some(code) => {
                    if (metadata.u32()?, metadata.u32()?, metadata.u32()? as usize) != (0, 1, size) {
                        return Err(reader.invalid("one part", size));
                    }
                    let n = match code {
                        1 => libdeflater::Decompressor::new()
                            .zlib_decompress(data, target)
                            .map_err(|e| damaged("gzip", e))?,
                        2 => zstd::bulk::Decompressor::new()
                            .and_then(|mut d| d.decompress_to_buffer(data, target))
                            .map_err(|e| damaged("zstd", e))?,
                        other => return Err(reader.unsupported(other)),
                    };
                    if n != size {
                        return Err(reader.invalid("its size", n));
                    }
                }
            }
        }
        if at == out.len() { Ok(()) } else { Err(reader.invalid("all", at)) }
    }
}

impl TileEncoder {
    pub fn new() -> Self {
        Self
    }

    pub fn encode(&mut self, cells: &[u8], pipeline: &Pipeline, _: usize, _: usize, out: &mut Vec<u8>) -> Result<()> {
        let mut writer = ByteWriter::new();
        let small = |n: usize| u32::try_from(n).unwrap_or(0);
        writer.u64(cells.len().div_ceil(65536) as u64);
        for chunk in cells.chunks(65536) {
            writer.u32(small(chunk.len()));
            if pipeline.filters.is_empty() {
                writer.u32(small(chunk.len()));
                writer.u32(0);
                writer.bytes(chunk);
            } else {
                let mut c = zstd::bulk::Compressor::new(3).map_err(|e| damaged("zstd", e))?;
                c.include_checksum(true).map_err(|e| damaged("zstd", e))?;
                let data = c.compress(chunk).map_err(|e| damaged("zstd", e))?;
                writer.u32(small(data.len()));
                writer.u32(16);
                for n in [0, 1, small(chunk.len()), small(data.len())] {
                    writer.u32(n);
                }
                writer.bytes(&data);
            }
        }
        out.extend_from_slice(&writer.finish());
        Ok(())
    }
}
