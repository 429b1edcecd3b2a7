//! Writing: record batches are checked as a whole, then written as one fragment, some columns at a time.

mod buffers;
mod check;
mod fragment;
mod fragment_writer;

pub use fragment::write_fragment;
