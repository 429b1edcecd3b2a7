//! Decode an ATL08 HDF5 granule into Arrow record batches.
//!
//! [`Granule::open`] takes any [`ByteSource`] and looks at the structure; [`Granule::decode`] fetches and inflates the
//! chunks of the wanted variables, in parallel and straight into Arrow buffers, and hands out one batch per beam with the
//! columns of [`isdb_schema::segments::segment_fields`]. Nothing is known here of where granules come from or go to.
//!
//! NULL is what the granule marks as fill: the `_FillValue` attribute, the dataset's HDF5 fill value, the catalogue's
//! fill, and any float that is NaN or at least 3.4e38. Zero is a value even then, and so is the −1 of some flags.

mod beam;
mod checksum;
mod container;
mod content;
mod dataset;
mod element;
mod error;
mod fills;
mod filters;
mod granule;
mod identity;
mod laser;
mod lookup;
mod metadata;
mod note;
mod orientation;
mod reference;
mod scalar;
mod source;
mod storage;
mod structure;
#[cfg(test)]
mod testing;
mod time;
mod validity;
mod values;

pub use checksum::checksum;
pub use error::{Error, Result};
pub use granule::{Decoded, Granule, MOST_DECODED_BYTES};
pub use identity::{Identity, IdentitySource};
pub use note::Note;
pub use source::{ByteSource, FileSource};
