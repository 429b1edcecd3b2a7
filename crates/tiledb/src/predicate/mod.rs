//! Predicates on cells, and their pushdown into an array.
//!
//! A [`Predicate`] is a tree over dimensions and attributes. A read evaluates one in TileDB; a query engine calls
//! [`Array::pushdown`](crate::Array::pushdown) for the part of its own predicate that the array can answer: [`Ranges`] of
//! dimensions, a condition, and whether they are exact.

mod attribute;
mod display;
mod enumeration;
mod interval;
mod normal_form;
mod pushdown;
mod ranges;
mod split;
#[cfg(test)]
mod tests;
mod tree;

pub(crate) use attribute::single_below;
pub use display::DisplayRanges;
pub use interval::{Axis, Intervals};
pub use pushdown::Pushdown;
pub use ranges::{DimensionRange, Ranges};
pub use tree::{Op, Predicate};
