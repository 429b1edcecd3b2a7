//! The rows of a window until they are written: collected in memory or in a file, then divided into fragments by chunk, and read again
//! column by column.

mod batches;
pub(crate) mod collector;
pub(crate) mod fragment_rows;
mod packing;
mod spilled;
#[cfg(test)]
mod tests;
