//! Decodes ATL08 HDF5 granules into Arrow record batches.
//!
//! [`Granule::open`] takes any [`ByteSource`] and reads structure only; [`Granule::decode`] fetches and inflates the HDF5 chunks of the
//! requested variables, in parallel and straight into Arrow buffers, and returns one batch per beam with the columns of
//! [`isdb_schema::segments::segment_fields`]. The flow through the modules:
//!
//! 1. `container` checks that the file is complete ([`end_of_file`]) and gives access to its groups within a budget, because a file is
//!    not trusted,
//! 2. `metadata` reads the file's metadata, and `identity` resolves the granule's id, track, cycle, region and release from them,
//! 3. `beam` finds the beams and checks their shapes,
//! 4. `decode` reads datasets into columns; a fill value becomes NULL there (`decode/fill_to_null.rs`),
//! 5. `rows` assembles the columns of a beam into a batch and leaves out rows without a position or a time.
//!
//! A value becomes NULL if the granule marks it as fill: by the `_FillValue` attribute, the dataset's HDF5 fill value or the
//! catalogue's fill; and so does any float that is NaN or at least 3.4e38. Zero is a value even if a file declares it as fill, and so is
//! the −1 of some flags.
//!
//! The crate does not know where granules come from or what becomes of the batches.
//!
//! ```no_run
//! use isdb_granule::{FileSource, Granule};
//! use isdb_schema::catalogue::variable;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let granule = Granule::open(FileSource::open("ATL08_20200821122613_08730802_004_01.h5")?)?;
//! let variables: Vec<_> = ["h_canopy", "h_te_best_fit"].into_iter().filter_map(variable).collect();
//! let decoded = granule.decode(&variables, 4)?;
//! println!("{}: {} rows", granule.identity().id, decoded.rows_read);
//! # Ok(())
//! # }
//! ```

mod beam;
mod checksum;
mod container;
mod decode;
mod error;
mod granule;
mod identity;
mod metadata;
mod note;
mod pages;
mod rows;
mod source;
#[cfg(test)]
mod testing;
mod time;

pub use checksum::checksum;
pub use container::superblock::{SIGNATURE, SUPERBLOCK_BYTES, end_of_file};
pub use error::{Error, Result};
pub use granule::{Decoded, Granule, MAX_DECODED_BYTES};
pub use identity::Identity;
pub use identity::source::IdentitySource;
pub use note::Note;
pub use source::{ByteSource, FileSource};
