//! Results on standard output or in a file: a stream of batches, in the requested format, in bounded memory.
//!
//! `format` chooses the format, `destination` opens the file, and `table`, `csv`, `json`, `parquet` and `ipc` write batches.
//! `origin` is the metadata about the query.

mod csv;
mod destination;
mod format;
mod ipc;
mod json;
mod origin;
mod parquet;
mod row_writer;
mod table;
mod write;

pub(crate) use origin::Origin;
pub(crate) use write::{print, write_batch, write_batch_to, write_rows, write_text};
