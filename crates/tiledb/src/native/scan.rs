//! The iterator over the batches of a read. It reads the columns of the condition first, and of the others only the tiles in which
//! some cell remains.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{BatchCoalescer, FilterBuilder, FilterPredicate};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use tiledb_format::TileDecoder;

use super::ahead::ReadAhead;
use super::array::NativeArray;
use super::decode::{ColumnBytes, DecodeError, Selection};
use super::fragment::OpenFragment;
use super::order::in_order;
use super::prune::{TileTests, range_mask};
use super::requests::Requests;
use super::selected::{ReadColumn, columns, dimension_ranges};
use super::step::StepSize;
use super::storage::file_error;
use super::test::Test;
use super::tiles::{kept_tiles, with_both_zeros};
use crate::error::{Error, Result};
use crate::predicate::{Predicate, Ranges};
use crate::request::{ReadRequest, TileRun};

/// Runs of tiles whose fragments' metadata are read together.
const PREPARED: usize = 64;

/// Batches with fewer rows than half of this are copied together; larger ones are passed on as they are.
const SMALL_BATCH: usize = if cfg!(test) { 32 } else { 8_192 };

/// A running read of tiles.
pub(crate) struct TileScan {
    array: NativeArray,
    schema: SchemaRef,
    columns: Vec<ReadColumn>,
    /// For each output column, its index in `columns`.
    output: Vec<usize>,
    ranges: Ranges,
    tests: Arc<[Test]>,
    /// How many of the tests the request has; the others restrict it further.
    requested_tests: usize,
    work: VecDeque<TileRun>,
    /// The requests for later steps; `None` where a read takes no longer than its bytes.
    ahead: Option<ReadAhead>,
    size: StepSize,
    batch_rows: usize,
    decoder: TileDecoder,
    requests: Requests,
    small: BatchCoalescer,
}

/// The columns of some tiles as far as they are decoded, by position.
type Decoded = Vec<Option<ArrayRef>>;

impl TileScan {
    pub(crate) fn new(array: &NativeArray, request: &ReadRequest) -> Result<Self> {
        let ranges = with_both_zeros(&dimension_ranges(array, &request.ranges)?, &array.layout);
        let tests = match &request.condition {
            Some(condition) => Test::new(condition, array)?.into_conjuncts(),
            None => Vec::new(),
        };
        let work = match &request.tiles {
            // No metadata are read for a condition that is never true.
            _ if is_never(&tests) => Vec::new(),
            Some(tiles) => tiles.clone(),
            None => array.tiles(&ranges)?,
        };
        let work = match &request.order {
            Some(order) => in_order(array, order, work)?,
            None => work,
        };
        let (columns, output) = columns(array, &request.columns, &tests)?;
        let fields = request.columns.iter().map(|name| array.schema.field_with_name(name).cloned());
        let schema =
            Arc::new(Schema::new(fields.collect::<Result<Vec<_>, _>>().map_err(|error| array.data_error("", error))?));
        let batch_rows = request.batch_rows.max(1);
        let cell_bytes = columns.iter().map(|column| column.column.cell_bytes()).sum();
        let small = BatchCoalescer::new(Arc::clone(&schema), batch_rows.min(SMALL_BATCH));
        // A consumer with little memory asks for small batches, and counts the whole buffer of which a batch is a slice.
        let is_copied = batch_rows < SMALL_BATCH;
        let small = small.with_biggest_coalesce_batch_size((!is_copied).then_some(SMALL_BATCH / 2));
        Ok(Self {
            array: array.clone(),
            schema,
            columns,
            output,
            ranges,
            requested_tests: tests.len(),
            tests: tests.into(),
            ahead: array.storage().is_remote().then(|| ReadAhead::new(&work)),
            work: work.into(),
            size: StepSize::new(array.layout.capacity, cell_bytes, batch_rows),
            batch_rows,
            decoder: TileDecoder::new(),
            requests: Requests::default(),
            small,
        })
    }

    pub(crate) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// As [`Reader::restrict`](crate::Reader::restrict).
    pub(crate) fn restrict(&mut self, condition: &Predicate) -> Result<()> {
        let requested = self.tests.iter().take(self.requested_tests).cloned();
        let more = Test::new(condition, &self.array)?.into_conjuncts();
        let is_read = |test: &Test| {
            let mut is_read = true;
            test.columns(&mut |column| is_read &= self.columns.iter().any(|read| read.column.name == column.name));
            is_read
        };
        self.tests = requested.chain(more.into_iter().filter(is_read)).collect();
        Ok(())
    }

    /// As [`Reader::next_step`](crate::Reader::next_step).
    pub(crate) fn next_step(&mut self) -> Option<Result<Option<RecordBatch>>> {
        if let Some(batch) = self.small.next_completed_batch() {
            return Some(Ok(Some(batch)));
        }
        match self.advance() {
            Ok(true) => Some(Ok(self.small.next_completed_batch())),
            Ok(false) => {
                if let Err(error) = self.small.finish_buffered_batch() {
                    return Some(Err(self.array.data_error("", error)));
                }
                self.small.next_completed_batch().map(|batch| Ok(Some(batch)))
            }
            Err(error) => {
                // Nothing follows an error, so the rows that were waiting are dropped as well.
                self.work.clear();
                self.ahead = None;
                self.small = BatchCoalescer::new(self.schema(), SMALL_BATCH);
                Some(Err(error))
            }
        }
    }

    /// As [`Reader::step_memory`](crate::Reader::step_memory).
    pub(crate) fn step_memory(&self) -> usize {
        self.size.memory(self.step_tiles())
    }

    /// As [`Reader::kept_memory`](crate::Reader::kept_memory).
    pub(crate) fn kept_memory(&self) -> usize {
        self.requests.kept()
    }

    /// As [`Reader::halve_step`](crate::Reader::halve_step).
    pub(crate) fn halve_step(&mut self) -> bool {
        self.size.halve(self.step_tiles())
    }

    /// The number of tiles of the next step; 0 at the end.
    fn step_tiles(&self) -> usize {
        self.work.front().map_or(0, |run| self.size.tiles(run.count))
    }

    /// Reads some tiles; returns false at the end.
    fn advance(&mut self) -> Result<bool> {
        let count = self.step_tiles();
        let Some(run) = self.work.pop_front() else { return Ok(false) };
        let step = if count < run.count {
            let (step, rest) = run.split_at(count, self.array.layout.capacity);
            self.work.push_front(rest);
            step
        } else {
            run
        };
        // No metadata are read for a condition that is never true; a later restriction may be another one.
        if !is_never(&self.tests) {
            self.read_ahead()?;
            let next = self.work.iter().take(PREPARED).map(|run| run.fragment);
            self.array.prepare([step.fragment].into_iter().chain(next));
            let fragment = self.array.fragment(step.fragment)?;
            self.step(&fragment, &step)?;
        }
        self.size.grow();
        if let Some(ahead) = &mut self.ahead {
            ahead.passed(step.count);
        }
        Ok(true)
    }

    /// Requests tiles of this step and of later ones, all columns of them.
    fn read_ahead(&mut self) -> Result<()> {
        let Some(ahead) = self.ahead.as_mut().filter(|ahead| ahead.is_due()) else { return Ok(()) };
        let mut requests = Requests::default();
        self.array.prepare(ahead.fragments().take(PREPARED));
        while let Some(run) = ahead.next(self.size.most_tiles(), self.array.layout.capacity) {
            let fragment = self.array.fragment(run.fragment)?;
            let mut tiles: Vec<usize> = run.tiles().filter(|tile| *tile < fragment.tiles()).collect();
            let mut tests = TileTests::new(&self.tests);
            tests.prune(&fragment, &mut tiles)?;
            let before = requests.total_bytes();
            let cells: Vec<usize> = tiles.iter().map(|tile| fragment.cells_of(*tile)).collect();
            let selection = Selection { tiles: &tiles, cells: &cells, rows: cells.iter().sum() };
            for (at, read) in self.columns.iter().enumerate() {
                let is_cut = run.is_cut && self.ranges.get(at).is_some();
                if read.is_output || is_cut || tests.needs(&read.column.name) {
                    let tiles = fragment.column(&read.column)?;
                    ColumnBytes::request(&read.column, tiles.as_deref(), &selection, &mut requests);
                }
            }
            ahead.requested(run.count, requests.total_bytes() - before);
        }
        ahead.grow();
        self.array.storage().prefetch(requests.ranges());
        Ok(())
    }

    /// Reads tiles that follow each other.
    fn step(&mut self, fragment: &OpenFragment, run: &TileRun) -> Result<()> {
        let mut tiles: Vec<usize> = run.tiles().filter(|tile| *tile < fragment.tiles()).collect();
        let all_tests = Arc::clone(&self.tests);
        let mut tests = TileTests::new(&all_tests);
        tests.prune(fragment, &mut tiles)?;
        if tiles.is_empty() {
            return Ok(());
        }
        let mut decoded: Decoded = vec![None; self.columns.len()];
        let cut: Vec<usize> = if run.is_cut { self.ranges.dimensions().collect() } else { Vec::new() };
        let is_first = |at: usize, column: &ReadColumn| tests.needs(&column.column.name) || cut.contains(&at);
        let first: Vec<bool> = self.columns.iter().enumerate().map(|(at, column)| is_first(at, column)).collect();
        let mut mask: Option<BooleanBuffer> = None;
        if first.contains(&true) {
            let cells: Vec<usize> = tiles.iter().map(|tile| fragment.cells_of(*tile)).collect();
            let selection = Selection { tiles: &tiles, cells: &cells, rows: cells.iter().sum() };
            self.decode(fragment, &selection, &first, &mut decoded)?;
            let evaluated = self.evaluate(&selection, &tests, &cut, &decoded);
            match evaluated.count_set_bits() {
                0 => return Ok(()),
                all if all == selection.rows => {}
                _ => mask = Some(evaluated),
            }
        }
        self.finish(fragment, &tiles, decoded, mask)
    }

    /// Evaluates ranges and tests on the decoded columns.
    fn evaluate(
        &self,
        selection: &Selection<'_>,
        tests: &TileTests<'_>,
        cut: &[usize],
        decoded: &Decoded,
    ) -> BooleanBuffer {
        let column = |name: &str| {
            let at = self.columns.iter().position(|column| column.column.name == name)?;
            decoded.get(at)?.clone()
        };
        let in_ranges = cut.iter().filter_map(|dimension| {
            let array = decoded.get(*dimension)?.as_ref()?;
            Some(range_mask(array, self.array.layout.dimensions.get(*dimension)?, self.ranges.get(*dimension)?))
        });
        let tested = tests.remaining().map(|test| test.mask(selection.rows, &column));
        in_ranges.chain(tested).reduce(|a, b| &a & &b).unwrap_or_else(|| BooleanBuffer::new_set(selection.rows))
    }

    /// Decodes the other columns of the tiles in which `mask` leaves a cell, and adds the cells that remain to the output.
    fn finish(
        &mut self,
        fragment: &OpenFragment,
        tiles: &[usize],
        mut decoded: Decoded,
        mask: Option<BooleanBuffer>,
    ) -> Result<()> {
        let (kept, late_mask) = match &mask {
            Some(mask) => kept_tiles(fragment, tiles, mask),
            None => (tiles.to_vec(), None),
        };
        let filter =
            |mask: &BooleanBuffer| FilterBuilder::new(&BooleanArray::new(mask.clone(), None)).optimize().build();
        let early_filter = mask.as_ref().map(filter);
        let late_filter = if kept.len() == tiles.len() { None } else { late_mask.as_ref().map(filter) };
        let cells: Vec<usize> = kept.iter().map(|tile| fragment.cells_of(*tile)).collect();
        let selection = Selection { tiles: &kept, cells: &cells, rows: cells.iter().sum() };
        let late: Vec<bool> =
            self.columns.iter().zip(&decoded).map(|(column, done)| column.is_output && done.is_none()).collect();
        self.decode(fragment, &selection, &late, &mut decoded)?;
        let rows = mask.as_ref().map_or(selection.rows, BooleanBuffer::count_set_bits);
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.output.len());
        for at in &self.output {
            let Some(array) = decoded.get(*at).and_then(Option::as_ref) else { continue };
            let is_late = late.get(*at).copied().unwrap_or(false);
            let filter = if is_late { late_filter.as_ref().or(early_filter.as_ref()) } else { early_filter.as_ref() };
            arrays.push(filtered(array, filter).map_err(|error| self.array.data_error("", error))?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(self.schema(), arrays, &options);
        let pushed = batch.and_then(|batch| {
            let mut slices = (0..rows).step_by(self.batch_rows);
            slices.try_for_each(|at| self.small.push_batch(batch.slice(at, self.batch_rows.min(rows - at))))
        });
        pushed.map_err(|error| self.array.data_error("", error))
    }

    /// Reads and decodes the columns that `wanted` marks.
    fn decode(
        &mut self,
        fragment: &OpenFragment,
        selection: &Selection<'_>,
        wanted: &[bool],
        decoded: &mut Decoded,
    ) -> Result<()> {
        let wanted = |(at, _): &(usize, &ReadColumn)| wanted.get(*at).copied().unwrap_or(false);
        let columns: Vec<(usize, &ReadColumn)> = self.columns.iter().enumerate().filter(wanted).collect();
        let tiles = columns.iter().map(|(_, column)| fragment.column(&column.column));
        let tiles = tiles.collect::<Result<Vec<_>>>()?;
        self.requests.clear();
        let requested: Vec<ColumnBytes<'_>> = columns
            .iter()
            .zip(&tiles)
            .map(|((_, column), tiles)| {
                ColumnBytes::request(&column.column, tiles.as_deref(), selection, &mut self.requests)
            })
            .collect();
        let uri = &self.array.uri;
        self.requests.read(self.array.storage()).map_err(|(path, source)| file_error(uri, &path, source))?;
        for ((at, column), requested) in columns.iter().zip(requested) {
            let cells = requested.decode(&column.column, selection, &self.requests, &mut self.decoder);
            let cells = cells.map_err(|error| self.array.decode_error(fragment, &column.column.name, error))?;
            if let Some(place) = decoded.get_mut(*at) {
                *place = Some(cells);
            }
        }
        Ok(())
    }
}

/// Whether no row meets all tests, whatever the tiles contain.
fn is_never(tests: &[Test]) -> bool {
    tests.iter().any(|test| matches!(test, Test::Constant(false)))
}

impl Iterator for TileScan {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(batch) = self.next_step()?.transpose() {
                return Some(batch);
            }
        }
    }
}

impl fmt::Debug for TileScan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TileScan").field("array", &self.array).field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl NativeArray {
    /// The error of a column of a fragment.
    pub(super) fn decode_error(&self, fragment: &OpenFragment, column: &str, error: DecodeError) -> Error {
        match error {
            DecodeError::Format(path, source) => fragment.format_error(column, &path, source),
            DecodeError::Arrow(source) => self.data_error(column, source),
        }
    }

    fn data_error(&self, column: &str, source: ArrowError) -> Error {
        Error::Data { uri: self.uri.clone(), column: column.to_owned(), source }
    }
}

fn filtered(array: &ArrayRef, filter: Option<&FilterPredicate>) -> Result<ArrayRef, ArrowError> {
    filter.map_or_else(|| Ok(Arc::clone(array)), |filter| filter.filter(array))
}
