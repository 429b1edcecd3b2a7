//! The metadata of one fragment, decoded part by part.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::field::{Field, Numbering, Shape};
use crate::fragment::footer::{FieldFooter, Footer};
use crate::fragment::rtree::RTree;
use crate::fragment::statistics::{self, FieldStatistics, TileValues};
use crate::fragment::vectors::{self, TileOffsets};
use crate::generic_tile;
use crate::schema::Schema;

const TILE_OFFSETS: &str = "offsets of tiles";
const VAR_OFFSETS: &str = "offsets of tiles of variable size";
const VAR_SIZES: &str = "sizes of tiles of variable size";
const VALIDITY_OFFSETS: &str = "offsets of validity tiles";
const SUMS: &str = "sums of tiles";
const NULL_COUNTS: &str = "counts of NULLs";

/// The bytes of a fragment's metadata, and their footer. Methods decode what they return each time, so that callers keep
/// only what they use.
#[derive(Debug, Clone)]
pub struct FragmentMetadata {
    bytes: Arc<[u8]>,
    schema: Arc<Schema>,
    footer: Footer,
}

impl FragmentMetadata {
    /// Parses the footer of a whole metadata file. `schema` is the one that [`Footer::schema_name`] names.
    pub fn parse(bytes: impl Into<Arc<[u8]>>, schema: Arc<Schema>) -> Result<Self> {
        let bytes = bytes.into();
        let footer = Footer::parse(&bytes, bytes.len() as u64, &schema)?;
        Ok(Self { bytes, schema, footer })
    }

    /// The footer.
    pub fn footer(&self) -> &Footer {
        &self.footer
    }

    /// The schema that the fragment was written with.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// The number of tiles.
    pub fn tile_count(&self) -> u64 {
        self.footer.tile_count
    }

    /// The number of cells.
    pub fn cell_count(&self) -> u64 {
        // The footer's check excludes more than fit.
        self.footer.cell_count(self.schema.capacity).unwrap_or(u64::MAX)
    }

    /// The number of cells of a tile. 0 if the fragment has fewer tiles.
    pub fn tile_cells(&self, tile: u64) -> u64 {
        match self.footer.tile_count.checked_sub(1) {
            Some(last) if tile < last => self.schema.capacity,
            Some(last) if tile == last => self.footer.last_tile_cells,
            _ => 0,
        }
    }

    /// The cells of each tile.
    fn cells(&self) -> impl Iterator<Item = u64> {
        (0..self.footer.tile_count).map(|tile| self.tile_cells(tile))
    }

    /// The numbers of the fragment's fields.
    pub fn numbering(&self) -> Numbering {
        self.footer.numbering(&self.schema)
    }

    /// The footer's numbers of a field.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the fragment does not have the field.
    pub fn field(&self, field: Field) -> Result<&FieldFooter> {
        self.footer.field(&self.schema, field).ok_or_else(|| Error::Invalid {
            what: "fragment",
            expected: "a field of its schema".to_owned(),
            found: field.stem(),
        })
    }

    fn shape(&self, field: Field) -> Result<Shape> {
        self.field(field)?;
        self.schema.shape(field).ok_or_else(|| Error::Invalid {
            what: "fragment",
            expected: "a field of its schema".to_owned(),
            found: field.stem(),
        })
    }

    fn content(&self, offset: u64) -> Result<Vec<u8>> {
        generic_tile::read(&self.bytes, offset)
    }

    fn offsets(&self, at: u64, file_size: u64, what: &'static str) -> Result<TileOffsets> {
        TileOffsets::new(vectors::parse(&self.content(at)?, what, self.tile_count())?, file_size, what)
    }

    /// Where tiles are in the file of a field's values of fixed size, or of offsets.
    pub fn tile_offsets(&self, field: Field) -> Result<TileOffsets> {
        let found = self.field(field)?;
        self.offsets(found.tile_offsets, found.file_size, TILE_OFFSETS)
    }

    /// Where tiles are in the file of a field's values of variable size. The field must have such values.
    pub fn var_offsets(&self, field: Field) -> Result<TileOffsets> {
        let found = self.field(field)?;
        self.offsets(found.var_offsets, found.var_file_size, VAR_OFFSETS)
    }

    /// The decoded size of each tile in the file of a field's values of variable size.
    pub fn var_sizes(&self, field: Field) -> Result<Vec<u64>> {
        vectors::parse(&self.content(self.field(field)?.var_sizes)?, VAR_SIZES, self.tile_count())
    }

    /// Where tiles are in the file of a field's validity bytes. The field must be nullable.
    pub fn validity_offsets(&self, field: Field) -> Result<TileOffsets> {
        let found = self.field(field)?;
        self.offsets(found.validity_offsets, found.validity_file_size, VALIDITY_OFFSETS)
    }

    /// The least value of each tile. `None` if the field's type has none.
    pub fn mins(&self, field: Field) -> Result<Option<TileValues>> {
        TileValues::parse(&self.content(self.field(field)?.mins)?, self.shape(field)?, self.tile_count())
    }

    /// The greatest value of each tile. `None` if the field's type has none.
    pub fn maxs(&self, field: Field) -> Result<Option<TileValues>> {
        TileValues::parse(&self.content(self.field(field)?.maxs)?, self.shape(field)?, self.tile_count())
    }

    /// The bits of the sum of each tile; see [`Number::of_sum`](crate::Number::of_sum). `None` if the field's type has
    /// none.
    pub fn sums(&self, field: Field) -> Result<Option<Vec<u64>>> {
        self.optional(self.field(field)?.sums, SUMS)
    }

    /// The number of NULLs of each tile. `None` if the field is not nullable.
    pub fn null_counts(&self, field: Field) -> Result<Option<Vec<u64>>> {
        let counts = self.optional(self.field(field)?.null_counts, NULL_COUNTS)?;
        statistics::check_null_counts(counts.as_deref().unwrap_or_default(), self.cells())?;
        Ok(counts)
    }

    /// A vector that has as many numbers as there are tiles, or none.
    fn optional(&self, at: u64, what: &'static str) -> Result<Option<Vec<u64>>> {
        let content = self.content(at)?;
        if content == [0; 8] && self.tile_count() > 0 {
            return Ok(None);
        }
        vectors::parse(&content, what, self.tile_count()).map(Some)
    }

    /// The rectangles of all tiles.
    pub fn rtree(&self) -> Result<RTree> {
        let tree = RTree::parse(&self.content(self.footer.rtree)?, &self.schema)?;
        if tree.tile_count() as u64 == self.tile_count() {
            Ok(tree)
        } else {
            let expected = format!("rectangles of {} tiles", self.tile_count());
            Err(Error::Invalid { what: "R-tree", expected, found: tree.tile_count().to_string() })
        }
    }

    /// The statistics of a field over the whole fragment.
    pub fn statistics(&self, field: Field) -> Result<FieldStatistics> {
        self.field(field)?;
        let mut all = self.all_statistics()?;
        match self.numbering().number(field) {
            Some(number) if number < all.len() => Ok(all.swap_remove(number)),
            _ => Ok(FieldStatistics::default()),
        }
    }

    /// The statistics of all fields, in the order of [`Numbering`]; the unused number has empty ones.
    pub fn all_statistics(&self) -> Result<Vec<FieldStatistics>> {
        FieldStatistics::parse(&self.content(self.footer.statistics)?, self.numbering().count())
    }

    /// The names of the conditions of deletion that were applied when fragments were consolidated.
    pub fn processed_conditions(&self) -> Result<Vec<String>> {
        statistics::parse_conditions(&self.content(self.footer.processed_conditions)?)
    }
}
