//! Vectors with a number per tile: offsets of tiles in files, decoded sizes, sums, counts.

use std::ops::Range;

use crate::bytes::{ByteReader, ByteWriter};
use crate::error::{Error, Result};

/// Parses a vector whose length must be `tiles`.
pub(crate) fn parse(content: &[u8], what: &'static str, tiles: u64) -> Result<Vec<u64>> {
    let numbers = parse_any(content, what)?;
    if numbers.len() as u64 == tiles {
        Ok(numbers)
    } else {
        Err(Error::Invalid {
            what,
            expected: format!("a number for each of {tiles} tiles"),
            found: numbers.len().to_string(),
        })
    }
}

/// Parses a vector, whose length must be that of the content.
pub(crate) fn parse_any(content: &[u8], what: &'static str) -> Result<Vec<u64>> {
    let mut reader = ByteReader::new(content, what);
    let count = reader.u64()?;
    let (numbers, rest) = reader.rest().as_chunks::<8>();
    if numbers.len() as u64 != count || !rest.is_empty() {
        return Err(reader.invalid(format!("{count} numbers of 8 bytes"), format!("{} bytes", reader.rest().len())));
    }
    Ok(numbers.iter().map(|number| u64::from_le_bytes(*number)).collect())
}

/// The content of the vector's generic tile.
pub(crate) fn write(numbers: &[u64]) -> Vec<u8> {
    let mut writer = ByteWriter::new();
    writer.u64(numbers.len() as u64);
    for number in numbers {
        writer.u64(*number);
    }
    writer.finish()
}

/// Where the tiles of one file begin and end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TileOffsets {
    offsets: Vec<u64>,
    file_size: u64,
}

impl TileOffsets {
    /// Checks that the offsets ascend and stay within the file.
    pub(crate) fn new(offsets: Vec<u64>, file_size: u64, what: &'static str) -> Result<Self> {
        let ends = offsets.iter().skip(1).chain([&file_size]);
        let descent = offsets.iter().zip(ends).find(|(start, end)| start > end);
        match descent {
            Some((start, end)) => {
                let expected = format!("ascending offsets in a file of {file_size} bytes");
                Err(Error::Invalid { what, expected, found: format!("{start} before {end}") })
            }
            None => Ok(Self { offsets, file_size }),
        }
    }

    /// The number of tiles.
    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    /// Whether the file is without tiles.
    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    /// The bytes of a tile in the file. `None` if the file has fewer.
    pub fn tile(&self, tile: usize) -> Option<Range<u64>> {
        self.tiles(tile..tile.checked_add(1)?)
    }

    /// The bytes of neighbouring tiles in the file. `None` if the file has fewer.
    pub fn tiles(&self, tiles: Range<usize>) -> Option<Range<u64>> {
        let edge = |at: usize| match self.offsets.get(at) {
            Some(offset) => Some(*offset),
            None => (at == self.offsets.len()).then_some(self.file_size),
        };
        (tiles.start <= tiles.end).then_some(edge(tiles.start)?..edge(tiles.end)?)
    }

    /// The offsets, one per tile.
    pub fn offsets(&self) -> &[u64] {
        &self.offsets
    }

    /// The size of the file, where the last tile ends.
    pub fn file_size(&self) -> u64 {
        self.file_size
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A vector written is read; one cut short or with a false count is an error.
        #[test]
        fn vectors_have_their_length(numbers: Vec<u64>, count: u64) {
            let bytes = write(&numbers);
            let tiles = numbers.len() as u64;
            prop_assert_eq!(&parse(&bytes, "vector", tiles).unwrap(), &numbers);
            prop_assert!(parse(&bytes, "vector", tiles + 1).is_err());
            for length in 0..bytes.len() {
                prop_assert!(parse_any(&bytes[..length], "vector").is_err());
            }
            let mut claimed = bytes;
            claimed[..8].copy_from_slice(&count.to_le_bytes());
            prop_assert_eq!(parse_any(&claimed, "vector").is_ok(), count == tiles);
        }
    }

    #[test]
    fn tiles_are_never_outside_the_file() {
        let offsets = TileOffsets::new(vec![0, 10, 10], 25, "vector").unwrap();
        assert_eq!(offsets.tile(0), Some(0..10));
        assert_eq!(offsets.tile(1), Some(10..10));
        assert_eq!(offsets.tile(2), Some(10..25));
        assert_eq!(offsets.tiles(0..3), Some(0..25));
        assert_eq!(offsets.tile(3), None);
        assert_eq!(offsets.tile(usize::MAX), None);
        assert!(TileOffsets::new(vec![0, 10, 9], 25, "vector").is_err());
        assert!(TileOffsets::new(vec![0, 26], 25, "vector").is_err());
    }
}
