//! The R-tree: the least rectangle around the cells of each tile, and of groups of tiles above.

use crate::bytes::{ByteReader, ByteWriter};
use crate::datatype::Datatype;
use crate::error::Result;
use crate::number::Number;
use crate::schema::Schema;

const WHAT: &str = "R-tree";
/// libtiledb's fan-out.
const FAN_OUT: u32 = 10;

/// Rectangles of tiles. A rectangle is the bytes of the least and the greatest coordinate of each dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RTree {
    fan_out: u32,
    /// The type of each dimension, and where its coordinates begin in a rectangle.
    dimensions: Vec<(Datatype, usize)>,
    /// Bytes of a rectangle.
    size: usize,
    /// The rectangles of each level, the root's first.
    levels: Vec<Vec<u8>>,
}

impl RTree {
    /// Parses the decoded generic tile.
    pub(crate) fn parse(content: &[u8], schema: &Schema) -> Result<Self> {
        let mut reader = ByteReader::new(content, WHAT);
        let fan_out = reader.u32()?;
        if fan_out < 2 {
            return Err(reader.invalid("a fan-out of at least 2", fan_out));
        }
        let mut tree = Self::empty(fan_out, schema);
        let mut above = None;
        for _ in 0..reader.u32()? {
            let count = reader.u64()?;
            let Some(length) = count.checked_mul(tree.size as u64) else {
                return Err(reader.invalid("fewer rectangles", count));
            };
            let level = reader.bytes_u64(length)?.to_vec();
            // A rectangle is above as many as the fan-out, the last of a level perhaps above fewer.
            let fits = match above {
                None => count <= 1,
                Some(above) => count.div_ceil(fan_out.into()) == above,
            };
            if !fits {
                let expected =
                    above.map_or("one root".to_owned(), |above| format!("rectangles for {above} above them"));
                return Err(reader.invalid(expected, count));
            }
            above = Some(count);
            tree.levels.push(level);
        }
        reader.finish()?;
        for tile in 0..tree.tile_count() {
            let ordered = |dimension| tree.range(tile, dimension).is_some_and(|[low, high]| low <= high);
            if !(0..tree.dimensions.len()).all(ordered) {
                return Err(
                    ByteReader::new(&[], WHAT).invalid("ranges in ascending order", format!("others in tile {tile}"))
                );
            }
        }
        Ok(tree)
    }

    /// Builds the tree above the rectangles of all tiles, which follow one another in `leaves`.
    ///
    /// # Errors
    /// If `leaves` does not consist of whole rectangles.
    pub fn build(leaves: Vec<u8>, schema: &Schema) -> Result<Self> {
        let mut tree = Self::empty(FAN_OUT, schema);
        if !leaves.len().is_multiple_of(tree.size) {
            let expected = format!("rectangles of {} bytes", tree.size);
            return Err(ByteReader::new(&[], WHAT).invalid(expected, format!("{} bytes", leaves.len())));
        }
        tree.levels.push(leaves);
        let group = tree.size * FAN_OUT as usize;
        while let Some(below) = tree.levels.first().filter(|level| level.len() > tree.size) {
            let above = below.chunks(group).flat_map(|group| tree.around(group)).collect();
            tree.levels.insert(0, above);
        }
        Ok(tree)
    }

    fn empty(fan_out: u32, schema: &Schema) -> Self {
        let mut size = 0;
        let mut dimensions = Vec::new();
        for dimension in &schema.dimensions {
            dimensions.push((dimension.datatype, size));
            size += 2 * dimension.datatype.size();
        }
        Self { fan_out, dimensions, size, levels: Vec::new() }
    }

    /// The least rectangle around rectangles.
    fn around(&self, rectangles: &[u8]) -> Vec<u8> {
        let mut rectangles = rectangles.chunks_exact(self.size);
        let mut around = rectangles.next().unwrap_or_default().to_vec();
        for rectangle in rectangles {
            for (datatype, start) in &self.dimensions {
                let (middle, end) = (start + datatype.size(), start + 2 * datatype.size());
                for (range, is_low) in [(*start..middle, true), (middle..end, false)] {
                    let (Some(old), Some(new)) = (around.get_mut(range.clone()), rectangle.get(range)) else {
                        continue;
                    };
                    let (a, b) = (Number::read(*datatype, old), Number::read(*datatype, new));
                    if if is_low { b < a } else { b > a } {
                        old.copy_from_slice(new);
                    }
                }
            }
        }
        around
    }

    /// The content of the generic tile.
    pub fn write(&self) -> Vec<u8> {
        let mut writer = ByteWriter::new();
        writer.u32(self.fan_out);
        // As many levels as a logarithm has digits.
        writer.u32(u32::try_from(self.levels.len()).unwrap_or(u32::MAX));
        for level in &self.levels {
            writer.u64((level.len() / self.size) as u64);
            writer.bytes(level);
        }
        writer.finish()
    }

    /// The number of tiles.
    pub fn tile_count(&self) -> usize {
        self.leaves().len() / self.size
    }

    /// The rectangles of all tiles, one after another.
    pub fn leaves(&self) -> &[u8] {
        self.levels.last().map_or(&[], Vec::as_slice)
    }

    /// The number of levels.
    pub fn level_count(&self) -> usize {
        self.levels.len()
    }

    /// The bytes of a tile's rectangle. `None` if the tree has fewer tiles.
    pub fn rectangle(&self, tile: usize) -> Option<&[u8]> {
        let start = tile.checked_mul(self.size)?;
        self.leaves().get(start..start.checked_add(self.size)?)
    }

    /// The least and the greatest coordinate of a tile's cells in a dimension. `None` if the tree has fewer tiles or
    /// dimensions.
    pub fn range(&self, tile: usize, dimension: usize) -> Option<[Number; 2]> {
        let (datatype, start) = self.dimensions.get(dimension)?;
        let coordinates = self.rectangle(tile)?.get(*start..)?;
        let mut values = coordinates.chunks_exact(datatype.size());
        Some([Number::read(*datatype, values.next()?)?, Number::read(*datatype, values.next()?)?])
    }

    /// The rectangle around all tiles. Empty if there are none.
    pub fn domain(&self) -> Vec<u8> {
        self.around(self.leaves())
    }
}
