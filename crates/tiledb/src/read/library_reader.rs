//! The iterator over the batches of a read by libtiledb: submits the query, grows buffers that are too small, and fails instead of looping without
//! progress.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema, SchemaRef};
use tiledb_sys as sys;

use super::buffers::{ColumnBuffers, Sizes};
use super::condition;
use super::subarray;
use crate::array::library::LibraryArray;
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::predicate::Predicate;
use crate::request::ReadRequest;
use crate::schema::column::Column;

const ACTION: &str = "read";

/// Rows per submit, unless batches have more: with 8,192 rows, a full read costs two and a half times as much CPU time.
/// Batches are slices of these rows, without copying. Tests use far fewer rows, so that every test also reads in several
/// submits.
const SUBMIT_ROWS: usize = if cfg!(test) { 256 } else { 65_536 };

/// Bytes per submit, which limits the number of wide rows.
const SUBMIT_BYTES: usize = 64 << 20;

/// With less tile memory than this, a submit reads only a small part of it, as a single batch: a consumer that keeps batches
/// counts the whole buffer of which each batch is a slice.
const SMALL_MEMORY: u64 = 192 << 20;
const SUBMITS_PER_MEMORY: u64 = 32;

/// No buffer grows beyond this.
const LARGEST_BUFFER: usize = 1 << 32;

/// A running read: an iterator over record batches. It keeps its snapshot open, and may move between threads.
pub(crate) struct LibraryReader {
    // Fields are dropped in this order: the query before the array it reads.
    state: State,
    array: LibraryArray,
    /// The columns read, each once.
    columns: Vec<Column>,
    /// For each output column, its index in `columns`.
    output: Vec<usize>,
    schema: SchemaRef,
    batch_rows: usize,
    capacity: Capacity,
    ready: VecDeque<RecordBatch>,
}

enum State {
    Running(Handle<sys::tiledb_query_t>),
    Done,
}

/// Buffer capacity of one submit.
#[derive(Clone)]
struct Capacity {
    rows: usize,
    /// Bytes of text per column read.
    text: Vec<usize>,
}

/// The result of one submit.
enum Step {
    /// Rows, with more to follow.
    Rows(RecordBatch),
    /// The buffers are too small for a single row.
    TooSmall,
    /// The last rows, if any.
    Last(Option<RecordBatch>),
}

impl LibraryReader {
    pub(crate) fn new(array: &LibraryArray, request: &ReadRequest, memory: Option<u64>) -> Result<Self> {
        let (columns, output) = projection(array, &request.columns)?;
        let fields: Vec<Arc<Field>> = request
            .columns
            .iter()
            .map(|name| array.schema.field_with_name(name).cloned().map(Arc::new))
            .collect::<Result<_, _>>()
            .map_err(|source| Error::Data { uri: array.uri().to_owned(), column: String::new(), source })?;
        let batch_rows = request.batch_rows.max(1);
        let row_bytes = columns.iter().map(Column::cell_bytes).sum::<usize>().max(1);
        let rows = SUBMIT_ROWS.min(submit_bytes(memory) / row_bytes).max(batch_rows);
        let text = columns.iter().map(|column| rows.saturating_mul(column.cell_bytes())).collect();
        let query = match &request.condition {
            None => start(array, &columns, request, &Predicate::TRUE, memory)?,
            Some(predicate) => start(array, &columns, request, &condition::resolve(predicate, array)?, memory)?,
        };
        Ok(Self {
            state: query.map_or(State::Done, State::Running),
            array: array.clone(),
            columns,
            output,
            schema: Arc::new(Schema::new(fields)),
            batch_rows,
            capacity: Capacity { rows, text },
            ready: VecDeque::new(),
        })
    }

    /// The schema of the batches: the requested columns.
    pub(crate) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn advance(&mut self) -> Result<()> {
        let State::Running(query) = &self.state else { return Ok(()) };
        match self.submit(query)? {
            Step::Rows(batch) => self.queue(&batch),
            Step::TooSmall => self.grow()?,
            Step::Last(batch) => {
                self.state = State::Done;
                if let Some(batch) = batch {
                    self.queue(&batch);
                }
            }
        }
        Ok(())
    }

    fn submit(&self, query: &Handle<sys::tiledb_query_t>) -> Result<Step> {
        let (ctx, uri, q) = (self.array.ctx(), self.array.uri(), query.as_ptr());
        let (mut buffers, mut sizes): (Vec<ColumnBuffers>, Vec<Sizes>) = self
            .columns
            .iter()
            .zip(&self.capacity.text)
            .map(|(column, text)| ColumnBuffers::new(column, self.capacity.rows, *text))
            .unzip();
        let first = sizes.as_mut_ptr();
        for (at, (column, buffer)) in self.columns.iter().zip(&mut buffers).enumerate() {
            // SAFETY: both vectors stay as they are until the submit below has returned; `at` is below their length.
            unsafe { buffer.attach(&self.array, q, column, first.add(at))? };
        }
        // SAFETY: a live query whose buffers are in place.
        ctx.check(unsafe { sys::tiledb_query_submit(ctx.as_ptr(), q) }, ACTION, uri)?;
        // SAFETY: a live query and a valid out pointer.
        let status = ctx.get(ACTION, uri, |c, out| unsafe { sys::tiledb_query_get_status(c, q, out) })?;
        // SAFETY: one size per column was written through this pointer, which nothing has invalidated.
        let sizes: Vec<Sizes> = (0..self.columns.len()).map(|at| unsafe { first.add(at).read() }).collect();
        let rows = self.columns.first().zip(sizes.first()).map_or(0, |(column, sizes)| sizes.rows(column));
        let complete = match status {
            sys::TILEDB_COMPLETED => true,
            sys::TILEDB_INCOMPLETE => false,
            other => {
                let message = format!("unexpected query status {other}");
                return Err(Error::Library { action: ACTION, uri: uri.to_owned(), message });
            }
        };
        if rows == 0 {
            return Ok(if complete { Step::Last(None) } else { Step::TooSmall });
        }
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.columns.len());
        for ((column, buffer), sizes) in self.columns.iter().zip(buffers).zip(sizes) {
            // SAFETY: the submit succeeded, so that libtiledb has written as many bytes as the sizes say.
            arrays.push(unsafe { buffer.finish(&self.array, column, sizes, rows)? });
        }
        let arrays = self.output.iter().filter_map(|at| arrays.get(*at).cloned()).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(self.schema(), arrays, &options)
            .map_err(|source| Error::Data { uri: uri.to_owned(), column: String::new(), source })?;
        Ok(if complete { Step::Last(Some(batch)) } else { Step::Rows(batch) })
    }

    /// Slices a batch to the requested number of rows, without copying, and enlarges text buffers that ended the batch early.
    fn queue(&mut self, batch: &RecordBatch) {
        let rows = batch.num_rows();
        self.ready.extend((0..rows).step_by(self.batch_rows).map(|at| batch.slice(at, self.batch_rows.min(rows - at))));
        if rows < self.capacity.rows / 2 && matches!(self.state, State::Running(_)) {
            let enough = LARGEST_BUFFER / 2;
            self.capacity.text.iter_mut().filter(|bytes| **bytes <= enough).for_each(|bytes| *bytes *= 2);
        }
    }

    /// Doubles all buffers, up to a limit.
    fn grow(&mut self) -> Result<()> {
        let largest = self.columns.iter().zip(&self.capacity.text).map(|(column, text)| {
            if column.is_text() { *text } else { self.capacity.rows.saturating_mul(column.cell_bytes()) }
        });
        let largest = largest.max().unwrap_or(0);
        if largest >= LARGEST_BUFFER {
            return Err(Error::NoProgress { uri: self.array.uri().to_owned(), bytes: largest });
        }
        self.capacity.rows *= 2;
        self.capacity.text.iter_mut().for_each(|bytes| *bytes *= 2);
        Ok(())
    }
}

impl Iterator for LibraryReader {
    type Item = Result<RecordBatch>;

    /// Returns the next batch, which is never empty; ends after an error.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Some(Ok(batch));
            }
            if matches!(self.state, State::Done) {
                return None;
            }
            if let Err(error) = self.advance() {
                self.state = State::Done;
                return Some(Err(error));
            }
        }
    }
}

impl fmt::Debug for LibraryReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LibraryReader")
            .field("array", &self.array)
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

/// Bytes per submit of a read that has `memory` bytes for tiles.
fn submit_bytes(memory: Option<u64>) -> usize {
    let limited = memory.filter(|bytes| *bytes < SMALL_MEMORY).map(|bytes| bytes / SUBMITS_PER_MEMORY);
    limited.map_or(SUBMIT_BYTES, |bytes| usize::try_from(bytes).unwrap_or(SUBMIT_BYTES))
}

/// Returns the columns to read, each once, and for each requested column its index among them.
fn projection(array: &LibraryArray, names: &[String]) -> Result<(Vec<Column>, Vec<usize>)> {
    let mut columns: Vec<Column> = Vec::with_capacity(names.len());
    let mut output = Vec::with_capacity(names.len());
    for name in names {
        let at = columns.iter().position(|column| column.name == *name).unwrap_or(columns.len());
        if at == columns.len() {
            columns.push(array.column(name)?.clone());
        }
        output.push(at);
    }
    if columns.is_empty() {
        // Rows can only be counted by reading something: the narrowest column.
        let plain = array.columns().iter().filter(|column| !column.is_text() && !column.nullable);
        columns.extend(plain.min_by_key(|column| column.cell_bytes()).cloned());
    }
    Ok((columns, output))
}

/// Prepares the query; `None` if no cell can match.
fn start(
    array: &LibraryArray,
    columns: &[Column],
    request: &ReadRequest,
    resolved: &Predicate,
    memory: Option<u64>,
) -> Result<Option<Handle<sys::tiledb_query_t>>> {
    let (ctx, uri) = (array.ctx(), array.uri());
    // libtiledb 2.30 crashes when it copies whole tiles of a fragment that lacks the attribute. With a range it reads cell by
    // cell.
    let some_fragment_lacks_column = columns.iter().any(|column| column.schemas_without > 0);
    let subarray = match array.layout().dimensions.first() {
        Some(first) if some_fragment_lacks_column && request.ranges.is_empty() => {
            subarray::subarray(array, &[subarray::whole(first)])?
        }
        _ => subarray::subarray(array, &request.ranges)?,
    };
    let (Some(subarray), false) = (subarray, *resolved == Predicate::FALSE) else { return Ok(None) };
    // SAFETY: an open array and a valid out pointer.
    let query = ctx.make(ACTION, uri, sys::tiledb_query_free, |c, out| unsafe {
        sys::tiledb_query_alloc(c, array.as_ptr(), sys::TILEDB_READ, out)
    })?;
    let (c, q) = (ctx.as_ptr(), query.as_ptr());
    if let Some(bytes) = memory {
        let config = ctx.config_with(&[("sm.mem.total_budget", &bytes.to_string())])?;
        // SAFETY: a live query and configuration, which the query copies.
        ctx.check(unsafe { sys::tiledb_query_set_config(c, q, config.as_ptr()) }, ACTION, uri)?;
    }
    // SAFETY: a live query and subarray, which the query copies.
    unsafe {
        ctx.check(sys::tiledb_query_set_layout(c, q, sys::TILEDB_UNORDERED), ACTION, uri)?;
        ctx.check(sys::tiledb_query_set_subarray_t(c, q, subarray.as_ptr()), ACTION, uri)?;
    }
    if let Some(condition) = condition::native(resolved, array)? {
        // SAFETY: a live query and condition, which the query copies.
        ctx.check(unsafe { sys::tiledb_query_set_condition(c, q, condition.as_ptr()) }, ACTION, uri)?;
    }
    Ok(Some(query))
}
