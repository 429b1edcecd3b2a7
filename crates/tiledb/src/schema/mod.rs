//! Array schemas: the Arrow fields of an array ⇄ TileDB's dimensions and attributes.
//!
//! [`ArrayLayout`] and an Arrow schema become [`columns`](arrow), which [`build`] turns into TileDB's schema object;
//! [`load`] reads a stored one back, [`stored`] does so without libtiledb, and [`field_metadata`] restores the fields' metadata from the array's,
//! and [`meaning`] adds what an array of another program does not say.

pub(crate) mod arrow;
pub(crate) mod build;
pub(crate) mod column;
pub(crate) mod field_metadata;
mod filters;
pub(crate) mod layout;
pub(crate) mod load;
pub(crate) mod meaning;
pub(crate) mod physical;
pub(crate) mod stored;

pub use column::{ADDED_LATER, ENUMERATION, NULL_IS_NAN, NULL_KEY};
pub use layout::{ArrayLayout, CellOrder, Dimension, Domain};
pub use meaning::Meaning;
