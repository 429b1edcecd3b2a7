//! The iterator over a read's batches, whichever engine reads them.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::library_reader::LibraryReader;
use crate::error::Result;
use crate::native::TileScan;
use crate::predicate::Predicate;

/// A running read: an iterator over record batches, none of which is empty. It keeps its snapshot open, and may move between threads.
#[derive(Debug)]
pub struct Reader(pub(super) Running);

#[derive(Debug)]
pub(super) enum Running {
    Library(Box<LibraryReader>),
    Native(Box<TileScan>),
}

impl Reader {
    /// The schema of the batches: the requested columns.
    pub fn schema(&self) -> SchemaRef {
        match &self.0 {
            Running::Library(reader) => reader.schema(),
            Running::Native(scan) => scan.schema(),
        }
    }
}

impl Reader {
    /// Leaves out rows that do not meet `condition` from now on, in addition to those that the request excludes, and in place of an
    /// earlier `restrict`. A read by libtiledb returns them nevertheless, and a read by tile those for which the condition compares a
    /// column that is not read.
    ///
    /// # Errors
    /// As for the condition of [`Array::read`](crate::Array::read).
    pub fn restrict(&mut self, condition: &Predicate) -> Result<()> {
        match &mut self.0 {
            Running::Library(_) => Ok(()),
            Running::Native(scan) => scan.restrict(condition),
        }
    }

    /// Bytes that the next step of a read by tile may hold at a time, estimated from the number of its cells; 0 at the end, and for a read
    /// by libtiledb, which has a budget of its own.
    pub fn step_memory(&self) -> usize {
        match &self.0 {
            Running::Library(_) => 0,
            Running::Native(scan) => scan.step_memory(),
        }
    }

    /// Bytes that a read by tile holds between its steps.
    pub fn kept_memory(&self) -> usize {
        match &self.0 {
            Running::Library(_) => 0,
            Running::Native(scan) => scan.kept_memory(),
        }
    }

    /// Makes the next steps of a read by tile half as large. Returns false if the next one is a single tile, which is decoded whole.
    pub fn halve_step(&mut self) -> bool {
        match &mut self.0 {
            Running::Library(_) => false,
            Running::Native(scan) => scan.halve_step(),
        }
    }

    /// As `next`, but a read by tile also returns, with no batch, after each step of some ten thousand rows. So a caller can stop, let
    /// others run or [restrict](Self::restrict) the read however rare the rows are that it looks for.
    pub fn next_step(&mut self) -> Option<Result<Option<RecordBatch>>> {
        match &mut self.0 {
            Running::Library(reader) => reader.next().map(|batch| batch.map(Some)),
            Running::Native(scan) => scan.next_step(),
        }
    }
}

impl Iterator for Reader {
    type Item = Result<RecordBatch>;

    /// Returns the next batch; ends after an error.
    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Running::Library(reader) => reader.next(),
            Running::Native(scan) => scan.next(),
        }
    }
}
