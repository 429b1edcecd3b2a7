//! Reading: a request becomes a query, and its buffers become record batches.

mod buffers;
mod ranges;
mod reader;
mod request;

pub use reader::Reader;
pub use request::{DimensionRange, ReadRequest};
