//! Gathers rows by chunk, spilling what memory does not hold.

pub(crate) mod by_chunk;
pub(crate) mod exec;
mod order;
mod run;
mod spilled;
#[cfg(test)]
mod tests;
