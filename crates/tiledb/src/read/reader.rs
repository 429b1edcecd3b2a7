//! The iterator over a read's batches, whichever engine reads them.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::library_reader::LibraryReader;
use crate::error::Result;
use crate::native::TileScan;

/// A running read: an iterator over record batches, none of which is empty. It keeps its snapshot open, and may move between threads.
#[derive(Debug)]
pub struct Reader(pub(super) Engine);

#[derive(Debug)]
pub(super) enum Engine {
    Library(Box<LibraryReader>),
    Native(Box<TileScan>),
}

impl Reader {
    /// The schema of the batches: the requested columns.
    pub fn schema(&self) -> SchemaRef {
        match &self.0 {
            Engine::Library(reader) => reader.schema(),
            Engine::Native(scan) => scan.schema(),
        }
    }
}

impl Iterator for Reader {
    type Item = Result<RecordBatch>;

    /// Returns the next batch; ends after an error.
    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Engine::Library(reader) => reader.next(),
            Engine::Native(scan) => scan.next(),
        }
    }
}
