//! Writing fragments without libtiledb, for arrays in Hilbert order that allow duplicates. The files are those that libtiledb would
//! write, except that zstd frames have a checksum of their content, which libtiledb verifies too.
//!
//! [`Target`] is an array to write to, with its newest schema. `order` sorts the rows along the array's Hilbert curve; `columns` writes
//! several columns at a time: `cells` copies the cells of a tile in that order, `tiles` encodes and `statistics` summarises them; `folder`
//! stores the files, and makes them visible by the last one.

mod cells;
mod columns;
mod folder;
mod fragment;
mod order;
mod statistics;
mod step;
mod target;
mod tiles;

pub use fragment::{NewFragment, write_tiles, write_tiles_stepwise, write_tiles_to};
pub use step::{BeforeStep, WriteStep};

pub(crate) use target::Target;
