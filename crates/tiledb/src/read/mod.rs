//! Reading: a request becomes record batches, by libtiledb's queries or by this crate's own scan of tiles.

mod buffers;
mod condition;
mod library_reader;
mod reader;
mod subarray;

pub use reader::Reader;

use library_reader::LibraryReader;
use reader::Running;

use crate::array::Array;
use crate::array::snapshot;
use crate::error::Result;
use crate::native::TileScan;
use crate::request::ReadRequest;

impl Array {
    /// Starts a read. Batches come in no particular order, with the columns in the requested order.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`](crate::Error::UnknownColumn), [`Error::NotRepresentable`](crate::Error::NotRepresentable) and
    /// [`Error::Condition`](crate::Error::Condition) for columns, values and conditions that the array cannot answer.
    pub fn read(&self, request: &ReadRequest) -> Result<Reader> {
        self.read_within(request, None)
    }

    /// Starts a [`read`](Self::read) in which libtiledb uses at most `memory` bytes for tiles; `None` for its default of 10 GB.
    /// The buffers of the batches need memory in addition.
    ///
    /// # Errors
    /// As for [`read`](Self::read); the reader ends with [`Error::Library`](crate::Error::Library) if `memory` is too small for a
    /// single tile.
    pub fn read_within(&self, request: &ReadRequest, memory: Option<u64>) -> Result<Reader> {
        Ok(Reader(match &self.0 {
            snapshot::Engine::Library(array) => Running::Library(Box::new(LibraryReader::new(array, request, memory)?)),
            snapshot::Engine::Native(array) => Running::Native(Box::new(TileScan::new(array, request)?)),
        }))
    }
}
