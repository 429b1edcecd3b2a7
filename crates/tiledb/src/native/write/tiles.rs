//! The tiles of one column: its cells in the array's order, encoded.

use tiledb_format::fragment::FieldMetadata;
use tiledb_format::{Field, FilePart, Pipeline, Schema, Shape, TileEncoder};

use super::order::{CellSequence, Run};
use super::statistics::Statistics;
use crate::write::buffers::WriteBuffers;

/// Bytes of a text offset.
const OFFSET: usize = size_of::<u64>();

/// Encodes columns, one after the other. What it allocates for one is used for the next.
#[derive(Debug)]
pub(super) struct ColumnEncoder {
    encoder: TileEncoder,
    /// The cells of a tile, their validity and their offsets.
    cells: Vec<u8>,
    validity: Vec<u8>,
    offsets: Vec<u64>,
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
            cells: Vec::new(),
            validity: Vec::new(),
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
        column: &WriteBuffers,
        sequence: &CellSequence,
    ) -> Result<(FieldMetadata, Statistics), tiledb_format::Error> {
        for file in [&mut self.fixed, &mut self.variable, &mut self.valid] {
            file.clear();
        }
        let mut metadata = FieldMetadata::default();
        let mut statistics = Statistics::new(field.shape);
        for runs in sequence.tiles() {
            self.validity.clear();
            if let Some(validity) = &column.validity {
                copy_cells(validity, 1, runs, &mut self.validity);
                metadata.validity_offsets.push(self.valid.len() as u64);
                self.encoder.encode(&self.validity, &field.schema.validity, 1, 1, &mut self.valid)?;
            }
            metadata.tile_offsets.push(self.fixed.len() as u64);
            self.cells.clear();
            match (&column.offsets, field.shape.cell_size) {
                (Some(offsets), _) => {
                    self.offsets.clear();
                    copy_texts(&column.data, offsets.typed_data(), runs, &mut self.cells, &mut self.offsets);
                    metadata.var_offsets.push(self.variable.len() as u64);
                    metadata.var_sizes.push(self.cells.len() as u64);
                    let size = field.shape.datatype.size();
                    self.encoder.encode_var(&self.cells, &self.offsets, field.filters, size, &mut self.variable)?;
                    self.cells.clear();
                    self.cells.extend(self.offsets.iter().flat_map(|offset| offset.to_le_bytes()));
                    self.encoder.encode(&self.cells, &field.schema.offsets, OFFSET, OFFSET, &mut self.fixed)?;
                }
                (None, cell_size) => {
                    let cell = cell_size.and_then(|size| usize::try_from(size).ok()).unwrap_or(1);
                    copy_cells(&column.data, cell, runs, &mut self.cells);
                    let size = field.shape.datatype.size();
                    self.encoder.encode(&self.cells, field.filters, size, cell, &mut self.fixed)?;
                }
            }
            statistics.add(&self.cells, column.validity.is_some().then_some(&self.validity));
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

/// Appends the cells of `runs`, of `size` bytes each, to `out`.
fn copy_cells(cells: &[u8], size: usize, runs: &[Run], out: &mut Vec<u8>) {
    match size {
        1 => copy_cells_of::<1>(cells, runs, out),
        2 => copy_cells_of::<2>(cells, runs, out),
        4 => copy_cells_of::<4>(cells, runs, out),
        8 => copy_cells_of::<8>(cells, runs, out),
        _ => {
            for run in runs {
                let rows = run.rows();
                out.extend_from_slice(&cells[rows.start * size..rows.end * size]);
            }
        }
    }
}

fn copy_cells_of<const N: usize>(cells: &[u8], runs: &[Run], out: &mut Vec<u8>) {
    let (cells, _) = cells.as_chunks::<N>();
    let start = out.len();
    out.resize(start + N * runs.iter().map(|run| run.rows().len()).sum::<usize>(), 0);
    let (mut rest, _) = out[start..].as_chunks_mut::<N>();
    for run in runs {
        let rows = run.rows();
        let (target, after) = rest.split_at_mut(rows.len());
        // Where satellites' tracks cross, runs are of one cell.
        match target {
            [cell] => *cell = cells[rows.start],
            target => target.copy_from_slice(&cells[rows]),
        }
        rest = after;
    }
}

/// Appends the texts of `runs`, and where each begins among them. `offsets` has the end of the last row's text, too.
fn copy_texts(texts: &[u8], offsets: &[i64], runs: &[Run], out: &mut Vec<u8>, starts: &mut Vec<u64>) {
    for run in runs {
        let offsets = &offsets[run.rows().start..=run.rows().end];
        let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else { continue };
        let before = out.len() as u64;
        starts.extend(offsets.iter().take(offsets.len() - 1).map(|start| before + start.abs_diff(*first)));
        let text = |offset: i64| usize::try_from(offset).unwrap_or(usize::MAX);
        out.extend_from_slice(&texts[text(*first)..text(*last)]);
    }
}
