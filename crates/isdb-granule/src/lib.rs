//! Decodes ATL08 HDF5 granules into Arrow record batches.
//!
//! [`Granule::open`] takes any [`ByteSource`] and reads structure only; [`Granule::decode`] fetches and inflates the HDF5 chunks of the
//! requested variables, in parallel and straight into Arrow buffers, and returns one batch per beam with the columns of
//! [`isdb_schema::segments::segment_fields`]. The flow through the modules:
//!
//! 1. `container` checks that the file is complete ([`end_of_file`]) and gives access to its groups within a budget, because a file is
//!    not trusted,
//! 2. `metadata` reads what the file says about itself, and `identity` resolves which granule that is,
//! 3. `beam` finds the beams and checks their shapes,
//! 4. `decode` reads datasets into columns; a fill value becomes NULL there (`decode/fill_to_null.rs`),
//! 5. `rows` assembles the columns of a beam into a batch and leaves out rows without a position or a time.
//!
//! NULL is what the granule marks as fill: the `_FillValue` attribute, the dataset's HDF5 fill value, the catalogue's fill, and any
//! float that is NaN or at least 3.4e38. Zero is a value even if a file declares it as fill, and so is the −1 of some flags.
//!
//! The crate does not know where granules come from or what becomes of the batches.

mod beam;
mod checksum;
mod container;
mod decode;
mod error;
mod granule;
mod identity;
mod metadata;
mod note;
mod rows;
mod source;
#[cfg(test)]
mod testing;
mod time;

pub use checksum::checksum;
pub use container::superblock::{SUPERBLOCK_BYTES, end_of_file};
pub use error::{Error, Result};
pub use granule::{Decoded, Granule, MOST_DECODED_BYTES};
pub use identity::Identity;
pub use identity::source::IdentitySource;
pub use note::Note;
pub use source::{ByteSource, FileSource};
