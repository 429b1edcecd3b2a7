//! The cells of one column where the batches have them, copied tile by tile into the array's order. No column is copied as a whole: the
//! cells of a tile stay in a processor's cache until they are encoded.

use arrow::array::ArrayRef;
use arrow::buffer::{BooleanBuffer, NullBuffer};

use super::order::Run;
use crate::elements;
use crate::schema::column::{Column, ElementNull};
use crate::schema::physical::PhysicalType;
use crate::validity;
use crate::write::buffers::ValueBuffers;

/// One column of all batches.
pub(super) struct Cells<'c> {
    column: &'c Column,
    batches: Vec<ValueBuffers>,
}

/// The cells of one tile. The buffers are used for one tile after the other.
#[derive(Debug, Default)]
pub(super) struct TileCells {
    /// The values, or the texts one after the other.
    pub(super) values: Vec<u8>,
    /// Where each text begins.
    pub(super) offsets: Vec<u64>,
    /// A byte for each cell of a nullable column, 0 for NULL.
    pub(super) validity: Vec<u8>,
}

impl<'c> Cells<'c> {
    /// Converts a column, of which each batch has one of `parts` in the column's type.
    pub(super) fn new(column: &'c Column, parts: &[ArrayRef]) -> Self {
        Self { column, batches: parts.iter().map(|part| ValueBuffers::new(column, part)).collect() }
    }

    /// Replaces the content of `tile` by the cells of `runs`, of `size` bytes each, or by texts without a size.
    pub(super) fn copy(&self, size: Option<usize>, runs: &[Run], tile: &mut TileCells) {
        match size {
            Some(size) if self.column.width > 1 => self.copy_lists(size, runs, &mut tile.values),
            Some(1) => self.copy_numbers::<1>(runs, &mut tile.values),
            Some(2) => self.copy_numbers::<2>(runs, &mut tile.values),
            Some(4) => self.copy_numbers::<4>(runs, &mut tile.values),
            Some(_) => self.copy_numbers::<8>(runs, &mut tile.values),
            None => self.copy_texts(runs, tile),
        }
        if self.column.nullable {
            self.copy_validity(runs, &mut tile.validity);
        }
        if self.column.null_is_nan {
            elements::unite_nan_and_null(self.column.physical, &mut tile.values, &mut tile.validity);
        }
    }

    /// Iterates over `runs`, with the batch of each.
    fn each<'a>(&'a self, runs: &'a [Run]) -> impl Iterator<Item = (&'a ValueBuffers, Run)> {
        runs.iter().filter_map(|run| Some((self.batches.get(run.batch())?, *run)))
    }

    fn copy_numbers<const N: usize>(&self, runs: &[Run], out: &mut Vec<u8>) {
        // All tiles but the last have the same size, so that the buffer is cleared only once.
        out.resize(N * count(runs), 0);
        let (mut rest, _) = out.as_chunks_mut::<N>();
        for (batch, run) in self.each(runs) {
            let (cells, _) = batch.data.as_chunks::<N>();
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

    fn copy_lists(&self, size: usize, runs: &[Run], out: &mut Vec<u8>) {
        out.clear();
        for (batch, run) in self.each(runs) {
            let (rows, start) = (run.rows(), out.len());
            out.extend_from_slice(&batch.data[rows.start * size..rows.end * size]);
            if let (Some(nulls), Some(marker)) = (&batch.element_nulls, &self.column.element_null) {
                let width = usize::try_from(self.column.width).unwrap_or(1);
                let elements = rows.start * width..rows.end * width;
                mark_nulls(self.column.physical, marker, nulls, elements.start, &mut out[start..]);
            }
        }
    }

    /// The offsets of a batch have the end of the last row's text, too.
    fn copy_texts(&self, runs: &[Run], tile: &mut TileCells) {
        tile.values.clear();
        tile.offsets.clear();
        for (batch, run) in self.each(runs) {
            let Some(offsets) = &batch.offsets else { continue };
            let offsets = &offsets.typed_data::<i64>()[run.rows().start..=run.rows().end];
            let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else { continue };
            let before = tile.values.len() as u64;
            tile.offsets.extend(offsets.iter().take(offsets.len() - 1).map(|start| before + start.abs_diff(*first)));
            let text = |offset: i64| usize::try_from(offset).unwrap_or(usize::MAX);
            tile.values.extend_from_slice(&batch.data[text(*first)..text(*last)]);
        }
    }

    fn copy_validity(&self, runs: &[Run], out: &mut Vec<u8>) {
        out.resize(count(runs), 1);
        if self.batches.iter().all(|batch| batch.nulls.is_none()) {
            // Of an earlier column.
            return out.fill(1);
        }
        let mut rest = out.as_mut_slice();
        for (batch, run) in self.each(runs) {
            let rows = run.rows();
            let (target, after) = rest.split_at_mut(rows.len());
            match &batch.nulls {
                Some(nulls) => validity::unpack_to(nulls.inner(), rows.start, target),
                None => target.fill(1),
            }
            rest = after;
        }
    }
}

/// The number of cells of `runs`.
fn count(runs: &[Run]) -> usize {
    runs.iter().map(|run| run.rows().len()).sum()
}

/// Replaces the NULL elements of `values` by `marker`. The validity of the first one is at `first` in `nulls`.
fn mark_nulls(physical: PhysicalType, marker: &ElementNull, nulls: &NullBuffer, first: usize, values: &mut [u8]) {
    let bits = nulls.inner();
    match (physical, marker) {
        (PhysicalType::Float32, _) => mark(bits, first, values, f32::NAN.to_ne_bytes()),
        (_, ElementNull::Nan) => mark(bits, first, values, f64::NAN.to_ne_bytes()),
        (_, ElementNull::Bytes(bytes)) => match *bytes.as_slice() {
            [a] => mark(bits, first, values, [a]),
            [a, b] => mark(bits, first, values, [a, b]),
            [a, b, c, d] => mark(bits, first, values, [a, b, c, d]),
            ref bytes => mark(bits, first, values, <[u8; 8]>::try_from(bytes).unwrap_or_default()),
        },
    }
}

fn mark<const N: usize>(valid: &BooleanBuffer, first: usize, values: &mut [u8], marker: [u8; N]) {
    let (values, _) = values.as_chunks_mut::<N>();
    for (at, value) in values.iter_mut().enumerate() {
        if !valid.value(first + at) {
            *value = marker;
        }
    }
}
