//! The tiles of one column: its cells in the array's order, encoded.

use tiledb_format::fragment::FieldMetadata;
use tiledb_format::{Field, FilePart, Pipeline, Schema, Shape, TileEncoder};

use super::cells::{Cells, TileCells};
use super::order::CellSequence;
use super::statistics::Statistics;

/// Bytes of a text offset.
const OFFSET: usize = size_of::<u64>();

/// Encodes columns, one after the other. What it allocates for one is used for the next.
#[derive(Debug)]
pub(super) struct ColumnEncoder {
    encoder: TileEncoder,
    tile: TileCells,
    /// The offsets of a tile's texts as bytes.
    offsets: Vec<u8>,
    /// The content of the column's files.
    fixed: Vec<u8>,
    variable: Vec<u8>,
    valid: Vec<u8>,
}

/// One column of a schema.
#[derive(Clone, Copy, Debug)]
pub(super) struct FieldOf<'s> {
    pub(super) schema: &'s Schema,
    pub(super) field: Field,
    pub(super) shape: Shape,
    pub(super) filters: &'s Pipeline,
}

impl<'s> FieldOf<'s> {
    pub(super) fn find(schema: &'s Schema, name: &str) -> Option<Self> {
        let field = Field::find(schema, name)?;
        Some(Self { schema, field, shape: schema.shape(field)?, filters: schema.filters(field)? })
    }
}

impl ColumnEncoder {
    pub(super) fn new() -> Self {
        Self {
            encoder: TileEncoder::new(true),
            tile: TileCells::default(),
            offsets: Vec::new(),
            fixed: Vec::new(),
            variable: Vec::new(),
            valid: Vec::new(),
        }
    }

    /// Encodes a column, and returns where its tiles are, and what is in them. The files are replaced by the column's.
    pub(super) fn encode(
        &mut self,
        field: FieldOf<'_>,
        cells: &Cells<'_>,
        sequence: &CellSequence,
    ) -> Result<(FieldMetadata, Statistics), tiledb_format::Error> {
        for file in [&mut self.fixed, &mut self.variable, &mut self.valid] {
            file.clear();
        }
        let mut metadata = FieldMetadata::default();
        let mut statistics = Statistics::new(field.shape);
        let size = field.shape.datatype.size();
        let cell = field.shape.cell_size.and_then(|size| usize::try_from(size).ok());
        for runs in sequence.tiles() {
            cells.copy(cell, runs, &mut self.tile);
            let TileCells { values, offsets, validity } = &self.tile;
            if field.shape.nullable {
                metadata.validity_offsets.push(self.valid.len() as u64);
                self.encoder.encode(validity, &field.schema.validity, 1, 1, &mut self.valid)?;
            }
            metadata.tile_offsets.push(self.fixed.len() as u64);
            match cell {
                Some(cell) => self.encoder.encode(values, field.filters, size, cell, &mut self.fixed)?,
                None => {
                    metadata.var_offsets.push(self.variable.len() as u64);
                    metadata.var_sizes.push(values.len() as u64);
                    self.encoder.encode_var(values, offsets, field.filters, size, &mut self.variable)?;
                    self.offsets.clear();
                    self.offsets.extend(offsets.iter().flat_map(|offset| offset.to_le_bytes()));
                    self.encoder.encode(&self.offsets, &field.schema.offsets, OFFSET, OFFSET, &mut self.fixed)?;
                }
            }
            statistics.add(values, field.shape.nullable.then_some(validity));
        }
        metadata.file_size = self.fixed.len() as u64;
        metadata.var_file_size = self.variable.len() as u64;
        metadata.validity_file_size = self.valid.len() as u64;
        Ok((metadata, statistics))
    }

    /// The files of the column that was encoded last.
    pub(super) fn files(&self, shape: Shape) -> impl Iterator<Item = (FilePart, &[u8])> {
        let variable = shape.cell_size.is_none().then_some((FilePart::Variable, self.variable.as_slice()));
        let validity = shape.nullable.then_some((FilePart::Validity, self.valid.as_slice()));
        [Some((FilePart::Fixed, self.fixed.as_slice())), variable, validity].into_iter().flatten()
    }
}
