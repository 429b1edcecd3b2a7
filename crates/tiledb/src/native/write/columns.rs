//! The columns of a fragment, which several threads write: each reads and encodes one column after the other, until there are none. The
//! values of a column are freed once it is written.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use arrow::array::ArrayRef;
use tiledb_format::Field;
use tiledb_format::fragment::FieldMetadata;

use super::cells::Cells;
use super::folder::Files;
use super::order::CellSequence;
use super::statistics::Statistics;
use super::step::{BeforeStep, WriteStep};
use super::target::Target;
use super::tiles::{ColumnEncoder, FieldOf};
use crate::error::{Error, Result};
use crate::schema::column::Column;
use crate::write::check::check;
use crate::write::gather::stored;
use crate::write::rows::{Rows, read_column};

/// The columns of a fragment that are not written yet.
pub(super) struct Columns<'w> {
    target: &'w Target,
    /// The indices of all columns, the widest first: a wide one at the end would leave the other threads without work.
    order: Vec<usize>,
    /// How many columns were begun.
    begun: AtomicUsize,
    rows: &'w dyn Rows,
    /// The rows of each batch.
    counts: &'w [usize],
    /// The parts of the dimensions, which were read before.
    coordinates: Mutex<Vec<Vec<ArrayRef>>>,
    sequence: &'w CellSequence,
    before: &'w BeforeStep<'w>,
}

/// A column that was written: where its tiles are, and what is in them.
pub(super) struct WrittenColumn {
    pub(super) field: Field,
    pub(super) metadata: FieldMetadata,
    pub(super) statistics: Statistics,
}

impl<'w> Columns<'w> {
    /// All columns of `rows`, of which the parts of the dimensions are known.
    pub(super) fn new(
        target: &'w Target,
        rows: &'w dyn Rows,
        counts: &'w [usize],
        coordinates: Vec<Vec<ArrayRef>>,
        sequence: &'w CellSequence,
        before: &'w BeforeStep<'w>,
    ) -> Self {
        let mut order: Vec<usize> = (0..target.columns.len()).collect();
        order.sort_by_key(|index| Reverse(target.columns.get(*index).map(|column| column.width)));
        let coordinates = Mutex::new(coordinates);
        Self { target, order, begun: AtomicUsize::new(0), rows, counts, coordinates, sequence, before }
    }

    /// Writes all columns with `threads` threads, and returns them in their order.
    pub(super) fn write(&self, files: &Files<'_>, threads: usize) -> Result<Vec<WrittenColumn>> {
        let others = threads.min(self.target.columns.len()).saturating_sub(1);
        let written: Vec<Result<Vec<_>>> = thread::scope(|scope| {
            let others: Vec<_> = (0..others).map(|_| scope.spawn(|| self.write_next(files))).collect();
            let own = self.write_next(files);
            let others = others.into_iter().map(|other| other.join().unwrap_or_else(|p| std::panic::resume_unwind(p)));
            others.chain([own]).collect()
        });
        let written: Vec<Vec<_>> = written.into_iter().collect::<Result<_>>()?;
        let mut columns: Vec<_> = written.into_iter().flatten().collect();
        columns.sort_by_key(|(index, _)| *index);
        Ok(columns.into_iter().map(|(_, column)| column).collect())
    }

    /// Writes columns that no other thread writes, until there are none, and returns them with their indices.
    fn write_next(&self, files: &Files<'_>) -> Result<Vec<(usize, WrittenColumn)>> {
        let (mut encoder, mut written) = (ColumnEncoder::new(), Vec::new());
        loop {
            let index = self.order.get(self.begun.fetch_add(1, Ordering::Relaxed)).copied();
            let Some((index, column)) = index.and_then(|index| Some((index, self.target.columns.get(index)?))) else {
                return Ok(written);
            };
            (self.before)(WriteStep::Column);
            match self.read(index, column).and_then(|parts| self.write_column(column, parts, files, &mut encoder)) {
                Ok(column) => written.push((index, column)),
                Err(error) => {
                    // The other threads begin no more columns.
                    self.begun.store(self.order.len(), Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
    }

    /// Reads and checks the parts of a column.
    fn read(&self, index: usize, column: &Column) -> Result<Vec<ArrayRef>> {
        let mut coordinates = self.coordinates.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(parts) = coordinates.get_mut(index) {
            return Ok(std::mem::take(parts));
        }
        drop(coordinates);
        let parts = read_column(&self.target.uri, column, self.rows, self.counts)?;
        check(&self.target.uri, column, None, &parts)?;
        Ok(parts)
    }

    fn write_column(
        &self,
        column: &Column,
        parts: Vec<ArrayRef>,
        files: &Files<'_>,
        encoder: &mut ColumnEncoder,
    ) -> Result<WrittenColumn> {
        let uri = &self.target.uri;
        let field = FieldOf::find(&self.target.schema, &column.name)
            .ok_or_else(|| Error::UnknownColumn { uri: uri.clone(), column: column.name.clone() })?;
        let parts = parts.into_iter().map(|part| stored(uri, column, part)).collect::<Result<Vec<_>>>()?;
        let encoded = encoder.encode(field, &Cells::new(column, &parts), self.sequence);
        let (mut metadata, statistics) = encoded.map_err(|source| self.target.encode_error(&column.name, source))?;
        drop(parts);
        for (part, content) in encoder.files(field.shape) {
            files.write(&field.field.file(part), content)?;
        }
        statistics.describe(&mut metadata);
        Ok(WrittenColumn { field: field.field, metadata, statistics })
    }
}
