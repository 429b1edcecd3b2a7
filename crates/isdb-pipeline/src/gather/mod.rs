//! Gathers rows by chunk, spilling what does not fit in memory.

pub(crate) mod exec;
mod merge;
pub(crate) mod requirements;
mod run;
mod spilled;
#[cfg(test)]
mod tests;
