//! The order of cells: along the array's Hilbert curve, as libtiledb stores them.

use std::cmp::Ordering;

use arrow::buffer::Buffer;
use tiledb_format::HilbertCurve;

use crate::schema::layout::{ArrayLayout, Domain};

/// Rows whose positions on the curve are computed together: their coordinates as doubles stay in a processor's cache.
const BLOCK: usize = 4_096;

/// Rows that follow each other both in a batch and among the cells of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    batch: u32,
    start: u32,
    count: u32,
}

impl Run {
    /// The index of the batch.
    pub(super) fn batch(self) -> usize {
        self.batch as usize
    }

    /// The rows in the batch.
    pub(super) fn rows(self) -> std::ops::Range<usize> {
        self.start as usize..self.start as usize + self.count as usize
    }
}

/// All rows, in the order of their cells. Along a satellite's track, runs are long.
#[derive(Debug)]
pub(super) struct CellSequence {
    runs: Vec<Run>,
    /// The number of runs up to the end of each tile.
    tiles: Vec<usize>,
}

impl CellSequence {
    /// Sorts rows by their positions on the curve, those with the same one by their coordinates, the first dimension first, and cuts
    /// them into tiles of `capacity` cells. There are coordinates of each dimension for all rows, batch after batch. `starts` are the
    /// numbers of the first row of each batch, and of all rows.
    pub(super) fn new(
        curve: &HilbertCurve,
        layout: &ArrayLayout,
        coordinates: &[Buffer],
        starts: &[u32],
        capacity: usize,
    ) -> Result<Self, tiledb_format::Error> {
        let columns: Vec<Coordinates<'_>> = layout
            .dimensions
            .iter()
            .zip(coordinates)
            .map(|(dimension, buffer)| Coordinates::new(dimension.domain, buffer))
            .collect();
        let rows = starts.last().copied().unwrap_or(0);
        let mut cells: Vec<(u64, u32)> = positions(curve, &columns, rows as usize)?.into_iter().zip(0..rows).collect();
        cells.sort_unstable();
        for same in cells.chunk_by_mut(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
            // Stable, so that cells with the same coordinates keep the order of the rows.
            same.sort_by(|a, b| {
                let orders = columns.iter().map(|column| column.compare(a.1 as usize, b.1 as usize));
                orders.fold(Ordering::Equal, Ordering::then)
            });
        }
        let mut sequence = Self { runs: Vec::new(), tiles: Vec::new() };
        for tile in cells.chunks(capacity.max(1)) {
            sequence.push_tile(tile.iter().map(|(_, row)| *row), starts);
        }
        Ok(sequence)
    }

    fn push_tile(&mut self, rows: impl Iterator<Item = u32>, starts: &[u32]) {
        // The current run, the row that would continue it, and the end of its batch.
        let mut current: Option<(Run, u32, u32)> = None;
        for row in rows {
            match &mut current {
                Some((run, next, end)) if *next == row && row < *end => {
                    run.count += 1;
                    *next += 1;
                }
                _ => {
                    self.runs.extend(current.map(|(run, ..)| run));
                    let after = starts.partition_point(|start| *start <= row);
                    let first = after.checked_sub(1).and_then(|batch| starts.get(batch)).copied().unwrap_or(0);
                    let batch = u32::try_from(after.saturating_sub(1)).unwrap_or(u32::MAX);
                    let end = starts.get(after).copied().unwrap_or(u32::MAX);
                    current = Some((Run { batch, start: row - first, count: 1 }, row + 1, end));
                }
            }
        }
        self.runs.extend(current.map(|(run, ..)| run));
        self.tiles.push(self.runs.len());
    }

    /// The runs of each tile.
    pub(super) fn tiles(&self) -> impl Iterator<Item = &[Run]> {
        let starts = std::iter::once(0).chain(self.tiles.iter().copied());
        starts.zip(&self.tiles).map(|(start, end)| self.runs.get(start..*end).unwrap_or_default())
    }
}

/// Coordinates of one dimension.
enum Coordinates<'b> {
    Singles(&'b [f32]),
    Floats(&'b [f64]),
    Integers(&'b [i64]),
}

impl<'b> Coordinates<'b> {
    fn new(domain: Domain, buffer: &'b Buffer) -> Self {
        match domain {
            Domain::Float32 { .. } => Self::Singles(buffer.typed_data()),
            Domain::Float64 { .. } => Self::Floats(buffer.typed_data()),
            Domain::Int64 { .. } | Domain::TimestampNs { .. } => Self::Integers(buffer.typed_data()),
        }
    }

    /// Replaces `out` by the coordinates of some rows as doubles.
    fn doubles(&self, rows: std::ops::Range<usize>, out: &mut Vec<f64>) {
        out.clear();
        match self {
            Self::Singles(values) => {
                out.extend(values.get(rows).unwrap_or_default().iter().map(|value| f64::from(*value)))
            }
            Self::Floats(values) => out.extend(values.get(rows).unwrap_or_default()),
            Self::Integers(values) => {
                out.extend(values.get(rows).unwrap_or_default().iter().map(|value| *value as f64))
            }
        }
    }

    /// Checked coordinates are never NaN.
    fn compare(&self, a: usize, b: usize) -> Ordering {
        match self {
            Self::Singles(values) => values[a].partial_cmp(&values[b]).unwrap_or(Ordering::Equal),
            Self::Floats(values) => values[a].partial_cmp(&values[b]).unwrap_or(Ordering::Equal),
            Self::Integers(values) => values[a].cmp(&values[b]),
        }
    }
}

/// The position of each row on the curve.
fn positions(curve: &HilbertCurve, columns: &[Coordinates<'_>], rows: usize) -> Result<Vec<u64>, tiledb_format::Error> {
    let mut positions = Vec::with_capacity(rows);
    let mut block: Vec<Vec<f64>> = vec![Vec::new(); columns.len()];
    for start in (0..rows).step_by(BLOCK) {
        for (column, out) in columns.iter().zip(&mut block) {
            column.doubles(start..rows.min(start + BLOCK), out);
        }
        let block: Vec<&[f64]> = block.iter().map(Vec::as_slice).collect();
        curve.values(&block, &mut positions)?;
    }
    Ok(positions)
}
