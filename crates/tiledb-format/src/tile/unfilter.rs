//! Any pipeline, backward, one filter after the other. The pipelines of this project's arrays have shorter ways.

use super::chunks::{Chunk, Parts};
use crate::bytes::ByteReader;
use crate::error::{Error, Result};
use crate::filter::zstd::Decompressor;
use crate::filter::{bit_width, bitshuffle, byteshuffle, double_delta, gzip, rle};
use crate::pipeline::{Filter, Pipeline};

/// How the values of a tile are stored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) datatype_size: usize,
    pub(super) cell_size: usize,
}

/// Buffers that are kept between chunks.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) data: Vec<u8>,
    pub(super) next: Vec<u8>,
    pub(super) metadata: Vec<u8>,
    pub(super) next_metadata: Vec<u8>,
}

/// The most that a filter's output may be larger than the values: runs of single bytes take three bytes each.
const GROWTH: usize = 4;
/// Bytes of headers and of metadata of short chunks.
const HEADERS: usize = 1024;

/// Fills `out`, whose length is the chunk's.
pub(super) fn unfilter(
    chunk: Chunk<'_>,
    layout: Layout<'_>,
    zstd: &mut Decompressor,
    scratch: &mut Scratch,
    out: &mut [u8],
) -> Result<()> {
    let limit = chunk.length.saturating_mul(GROWTH).saturating_add(HEADERS);
    let Scratch { data, next, metadata, next_metadata } = scratch;
    replace(data, chunk.data, limit)?;
    replace(metadata, chunk.metadata, limit)?;
    for (index, filter) in layout.pipeline.filters.iter().enumerate().rev() {
        let size = layout.pipeline.value_size(index, layout.datatype_size)?;
        let mut reader = ByteReader::new(metadata, "metadata of a chunk");
        next_metadata.clear();
        match filter {
            Filter::Noop => continue,
            Filter::BitWidthReduction { .. } if size == 1 => continue,
            Filter::Unsupported { code, .. } => {
                return Err(Error::Unsupported { what: "filter", found: format!("{} (code {code})", filter.name()) });
            }
            Filter::BitWidthReduction { .. } => {
                resize(next, bit_width::output_length(&mut reader)?, limit)?;
                bit_width::expand(&mut reader, data, size, next)?;
            }
            Filter::ByteShuffle | Filter::BitShuffle => {
                let function =
                    if *filter == Filter::ByteShuffle { byteshuffle::unshuffle } else { bitshuffle::unshuffle };
                resize(next, data.len(), limit)?;
                let mut source = ByteReader::new(data, "parts of a chunk");
                let mut target = next.as_mut_slice();
                for _ in 0..reader.u32()? {
                    let part = source.bytes_u64(reader.u32()?.into())?;
                    let (values, rest) = target.split_at_mut(part.len());
                    function(part, size, values);
                    target = rest;
                }
                source.finish()?;
            }
            Filter::Gzip { .. } | Filter::Zstd { .. } | Filter::Rle { .. } | Filter::DoubleDelta { .. } => {
                next.clear();
                let mut parts = Parts::new(&mut reader, data)?;
                for is_metadata in std::iter::repeat_n(true, parts.metadata as usize)
                    .chain(std::iter::repeat_n(false, parts.values as usize))
                {
                    let part = parts.next()?;
                    let target = if is_metadata { &mut *next_metadata } else { &mut *next };
                    let start = target.len();
                    resize(target, start.saturating_add(part.length), limit)?;
                    let target = &mut target[start..];
                    match filter {
                        Filter::Gzip { .. } => gzip::decompress(part.data, target)?,
                        Filter::Rle { .. } => rle::decompress(part.data, layout.cell_size, target)?,
                        Filter::DoubleDelta { .. } => double_delta::decompress(part.data, size, target)?,
                        _ => zstd.decompress(part.data, target)?,
                    }
                }
                parts.finish()?;
            }
        }
        next_metadata.extend_from_slice(reader.rest());
        std::mem::swap(data, next);
        std::mem::swap(metadata, next_metadata);
    }
    if data.len() != out.len() {
        let expected = format!("{} bytes of values", out.len());
        return Err(Error::Invalid { what: "chunk", expected, found: data.len().to_string() });
    }
    out.copy_from_slice(data);
    Ok(())
}

fn resize(buffer: &mut Vec<u8>, length: usize, limit: usize) -> Result<()> {
    check(length, limit)?;
    buffer.resize(length, 0);
    Ok(())
}

fn replace(buffer: &mut Vec<u8>, bytes: &[u8], limit: usize) -> Result<()> {
    check(bytes.len(), limit)?;
    buffer.clear();
    buffer.extend_from_slice(bytes);
    Ok(())
}

/// A damaged length must not make a process run out of memory.
fn check(length: usize, limit: usize) -> Result<()> {
    if length <= limit {
        return Ok(());
    }
    Err(Error::Invalid {
        what: "chunk",
        expected: format!("at most {limit} filtered bytes"),
        found: length.to_string(),
    })
}
