//! The chunks of a tile, and the lists of parts in their metadata.

use crate::bytes::ByteReader;
use crate::error::{Error, Result};

/// A chunk as it is stored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunk<'a> {
    /// Bytes of its values.
    pub(super) length: usize,
    pub(super) metadata: &'a [u8],
    pub(super) data: &'a [u8],
}

/// Reads chunks. What the tile says about its size is compared with its bytes only.
pub(super) struct Chunks<'a> {
    reader: ByteReader<'a>,
    left: u64,
}

impl<'a> Chunks<'a> {
    pub(super) fn new(tile: &'a [u8]) -> Result<Self> {
        let mut reader = ByteReader::new(tile, "tile");
        let left = reader.u64()?;
        Ok(Self { reader, left })
    }

    fn read(&mut self) -> Result<Option<Chunk<'a>>> {
        if self.left == 0 {
            self.reader.clone().finish()?;
            return Ok(None);
        }
        self.left -= 1;
        let length = self.reader.u32()?;
        let data = self.reader.u32()?;
        let metadata = self.reader.u32()?;
        let metadata = self.reader.bytes_u64(metadata.into())?;
        let data = self.reader.bytes_u64(data.into())?;
        let length = usize::try_from(length).map_err(|_| self.reader.invalid("a chunk that fits in memory", length))?;
        Ok(Some(Chunk { length, metadata, data }))
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Result<Chunk<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let chunk = self.read();
        if chunk.is_err() {
            // Nothing after an error means anything.
            *self = Self { reader: ByteReader::new(&[], "tile"), left: 0 };
        }
        chunk.transpose()
    }
}

/// The bytes of a tile's values. The tile's structure is checked, but nothing is decompressed.
pub fn tile_length(tile: &[u8]) -> Result<u64> {
    // 32-bit lengths of chunks that each take 12 bytes: the sum does not overflow.
    Chunks::new(tile)?.try_fold(0, |sum, chunk| Ok(sum + chunk?.length as u64))
}

/// Fails unless the values of `tile` are `expected` bytes.
pub(super) fn check_length(tile: &[u8], expected: usize) -> Result<()> {
    match tile_length(tile)? {
        length if length == expected as u64 => Ok(()),
        length => Err(Error::Invalid {
            what: "tile",
            expected: format!("{expected} bytes of values"),
            found: length.to_string(),
        }),
    }
}

/// A part that was compressed: its length before, and its bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) length: usize,
    pub(super) data: &'a [u8],
}

/// The parts of a compressor's output, as its metadata list them. Parts of earlier filters' metadata come first.
#[derive(Debug, Clone)]
pub(super) struct Parts<'a> {
    list: ByteReader<'a>,
    data: ByteReader<'a>,
    /// Parts that are metadata.
    pub(super) metadata: u32,
    /// Parts that are data.
    pub(super) values: u32,
}

impl<'a> Parts<'a> {
    /// Reads the numbers of parts from the front of `metadata`, and leaves the reader after the list.
    pub(super) fn new(metadata: &mut ByteReader<'a>, data: &'a [u8]) -> Result<Self> {
        let (count, values) = (metadata.u32()?, metadata.u32()?);
        let list = metadata.bytes_u64((u64::from(count) + u64::from(values)) * 8)?;
        let list = ByteReader::new(list, "parts of a chunk");
        Ok(Self { list, data: ByteReader::new(data, "parts of a chunk"), metadata: count, values })
    }

    /// The next part.
    pub(super) fn next(&mut self) -> Result<Part<'a>> {
        let length = self.list.u32()?;
        let stored = self.list.u32()?;
        let data = self.data.bytes_u64(stored.into())?;
        let length = usize::try_from(length).map_err(|_| self.list.invalid("a part that fits in memory", length))?;
        Ok(Part { length, data })
    }

    /// Checks that the parts are all of the data.
    pub(super) fn finish(self) -> Result<()> {
        self.list.finish()?;
        self.data.finish()
    }
}
