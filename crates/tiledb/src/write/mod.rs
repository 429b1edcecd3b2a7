//! Writing: rows are checked and written as one fragment, some columns at a time: by `native` where it can, else by libtiledb.

pub(crate) mod buffers;
pub(crate) mod check;
mod dictionary;
mod fragment;
mod fragment_writer;
pub(crate) mod gather;
pub(crate) mod rows;

#[cfg(test)]
pub(crate) use fragment::write_by_library;
pub use fragment::write_fragment;
pub use rows::Rows;
