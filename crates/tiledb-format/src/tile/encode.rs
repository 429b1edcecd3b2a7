//! Encoding of tiles, as libtiledb does it.

use crate::bytes::ByteWriter;
use crate::error::{Error, Result};
use crate::filter::zstd::Compressor;
use crate::filter::{bit_width, bitshuffle, byteshuffle, double_delta, gzip, rle};
use crate::pipeline::{Filter, Pipeline};

/// Encodes tiles, one after the other. A thread keeps one for all columns, because its compressor and its buffers are worth keeping.
pub struct TileEncoder {
    zstd: Compressor,
    /// The output of the filter before, and of the current one.
    data: Vec<u8>,
    next: Vec<u8>,
    /// A compressed part.
    part: Vec<u8>,
}

impl std::fmt::Debug for TileEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TileEncoder").finish_non_exhaustive()
    }
}

impl TileEncoder {
    /// An encoder whose zstd frames end with a checksum of their content, on request. libtiledb does not write those, but reads and verifies
    /// them. Without, tiles that were compressed with zstd are byte for byte those of libtiledb.
    pub fn new(checksums: bool) -> Self {
        Self { zstd: Compressor::new(checksums), data: Vec::new(), next: Vec::new(), part: Vec::new() }
    }

    /// Appends a tile of cells of `cell_size` bytes, with values of `datatype_size`, to `out`.
    ///
    /// Chunks are cut as libtiledb does it, at 64 KiB rounded down to cells, whatever [`Pipeline::max_chunk_size`] says.
    pub fn encode(
        &mut self,
        cells: &[u8],
        pipeline: &Pipeline,
        datatype_size: usize,
        cell_size: usize,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        if cell_size == 0 || !cells.len().is_multiple_of(cell_size) {
            return Err(invalid(format!("cells of {cell_size} bytes"), cells.len()));
        }
        let step = (CHUNK / cell_size * cell_size).max(cell_size);
        let chunks = cells.len().div_ceil(step);
        self.encode_chunks(cells.chunks(step), chunks, pipeline, [datatype_size, cell_size], out)
    }

    /// Appends a tile of cells of different lengths, such as text, to `out`. `offsets` are the cells' starts in `values`; cells follow
    /// one another, the first one at 0.
    pub fn encode_var(
        &mut self,
        values: &[u8],
        offsets: &[u64],
        pipeline: &Pipeline,
        datatype_size: usize,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let starts = var_chunks(values.len(), offsets, datatype_size)?;
        let ends = starts.iter().skip(1).copied().chain(std::iter::once(values.len()));
        let chunks = starts.iter().zip(ends).map(|(&start, end)| &values[start..end]);
        self.encode_chunks(chunks, starts.len(), pipeline, [datatype_size; 2], out)
    }

    fn encode_chunks<'a>(
        &mut self,
        chunks: impl Iterator<Item = &'a [u8]>,
        count: usize,
        pipeline: &Pipeline,
        sizes: [usize; 2],
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let start = out.len();
        out.extend((count as u64).to_le_bytes());
        for chunk in chunks {
            if let Err(error) = self.encode_chunk(chunk, pipeline, sizes, out) {
                out.truncate(start);
                return Err(error);
            }
        }
        Ok(())
    }

    fn encode_chunk(
        &mut self,
        values: &[u8],
        pipeline: &Pipeline,
        [datatype_size, cell_size]: [usize; 2],
        out: &mut Vec<u8>,
    ) -> Result<()> {
        // Each filter puts its metadata in front of those of the filters before. Compressors compress each piece on its own.
        let mut metadata: Vec<Vec<u8>> = Vec::new();
        let mut is_first = true;
        for (index, filter) in pipeline.filters.iter().enumerate() {
            let size = pipeline.value_size(index, datatype_size)?;
            let input = if is_first { values } else { &self.data };
            let mut own = ByteWriter::new();
            match filter {
                Filter::Noop => continue,
                Filter::BitWidthReduction { .. } if size == 1 => continue,
                Filter::ByteShuffle => {
                    self.next.resize(input.len(), 0);
                    byteshuffle::shuffle(input, size, &mut self.next);
                    own.u32(1);
                    own.u32(length(input)?);
                }
                Filter::BitShuffle => {
                    self.next.resize(input.len(), 0);
                    let parts: Vec<usize> = bitshuffle::parts(input.len()).collect();
                    own.u32(u32::try_from(parts.len()).unwrap_or(u32::MAX));
                    let (mut source, mut target) = (input, self.next.as_mut_slice());
                    for part in parts {
                        let (values, rest) = source.split_at(part);
                        let (planes, after) = target.split_at_mut(part);
                        own.u32(length(values)?);
                        bitshuffle::shuffle(values, size, planes);
                        (source, target) = (rest, after);
                    }
                }
                Filter::BitWidthReduction { max_window } => {
                    bit_width::reduce(input, size, *max_window, &mut own, &mut self.next)?;
                }
                _ if filter.is_compressor() => {
                    self.next.clear();
                    own.u32(u32::try_from(metadata.len()).unwrap_or(u32::MAX));
                    own.u32(1);
                    for piece in metadata.iter().map(Vec::as_slice).chain([input]) {
                        match filter {
                            Filter::Gzip { level } => gzip::compress(*level, piece, &mut self.part)?,
                            Filter::Zstd { level } => self.zstd.compress(*level, piece, &mut self.part)?,
                            Filter::DoubleDelta { .. } => double_delta::compress(piece, size, &mut self.part)?,
                            _ => rle::compress(piece, cell_size, &mut self.part)?,
                        }
                        own.u32(length(piece)?);
                        own.u32(length(&self.part)?);
                        self.next.extend_from_slice(&self.part);
                    }
                    metadata.clear();
                }
                _ => return Err(Error::Unsupported { what: "writing of a filter", found: filter.name().to_owned() }),
            }
            metadata.insert(0, own.finish());
            std::mem::swap(&mut self.data, &mut self.next);
            is_first = false;
        }
        let data = if is_first { values } else { &self.data };
        let metadata = metadata.concat();
        for length in [length(values)?, length(data)?, length(&metadata)?] {
            out.extend(length.to_le_bytes());
        }
        out.extend_from_slice(&metadata);
        out.extend_from_slice(data);
        Ok(())
    }
}

/// Bytes of a chunk.
const CHUNK: usize = Pipeline::CHUNK_SIZE as usize;

/// The starts of the chunks of cells of different lengths. A chunk ends before the cell with which it would be longer than 64 KiB, unless
/// it is at most half full, or would be at most half as long again: then it ends after that cell. The last chunk may be empty.
fn var_chunks(length: usize, offsets: &[u64], datatype_size: usize) -> Result<Vec<usize>> {
    let chunk = CHUNK.min(length).checked_div(datatype_size).unwrap_or_default() * datatype_size;
    let chunk = chunk.max(datatype_size);
    let mut starts = vec![0];
    let (mut filled, mut start) = (0, 0);
    for (index, offset) in offsets.iter().enumerate() {
        if *offset != start as u64 {
            return Err(invalid(format!("a cell at {start}"), offset));
        }
        let next = offsets.get(index + 1);
        let end =
            next.map_or(Some(length), |end| usize::try_from(*end).ok()).filter(|end| (start..=length).contains(end));
        let Some(end) = end else {
            return Err(invalid(format!("offsets from {start} to {length}"), next.copied().unwrap_or(length as u64)));
        };
        let cell = end - start;
        if filled + cell <= chunk {
            filled += cell;
        } else if filled <= chunk / 2 || filled + cell <= chunk + chunk / 2 {
            starts.push(end);
            filled = 0;
        } else {
            starts.push(start);
            filled = cell;
            if cell > chunk {
                // A chunk of its own.
                if next.is_some() {
                    starts.push(end);
                }
                filled = 0;
            }
        }
        start = end;
    }
    // Without cells there is one empty chunk, as for empty cells; values without cells are a caller's mistake.
    if offsets.is_empty() && length > 0 { Err(invalid("offsets of cells", "none")) } else { Ok(starts) }
}

fn length(bytes: &[u8]) -> Result<u32> {
    u32::try_from(bytes.len()).map_err(|_| invalid("a chunk below 4 GiB", bytes.len()))
}

fn invalid(expected: impl Into<String>, found: impl ToString) -> Error {
    Error::Invalid { what: "cells of a tile", expected: expected.into(), found: found.to_string() }
}
