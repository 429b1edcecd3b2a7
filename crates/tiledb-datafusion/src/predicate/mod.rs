//! Filters of a statement as coordinate ranges and a TileDB query condition.

mod column;
mod pushed;
#[cfg(test)]
mod tests;
mod translate;

pub(crate) use pushed::{Pushed, all_of};
pub(crate) use translate::Vocabulary;
