//! Arrays of other programs, such as those of the Python packages icesat2db and gedidb, on a local disk or in an object store.

use tiledb::{Array, Context};

use crate::error::{Error, Result};
use crate::files::array_files::SCHEMAS;
use crate::files::location::{Location, SEGMENTS};
use crate::files::remote::array_files::store_error;
use crate::log::commit_log::COMMITS;

/// The name that icesat2db and gedidb give to the array in their folder or bucket.
const ARRAY_OF_PACKAGES: &str = "array_uri";

/// Opens the array at `location`, or the one that icesat2db or gedidb made in that folder or bucket, as of `timestamp` (milliseconds since
/// 1970) or of now. Its schema and fragments are listed, and read tile by tile. Blocks.
///
/// An array on a local disk that cannot be read by tile is read by libtiledb; one in an object store cannot be read then.
///
/// # Errors
/// [`Error::NotAnArray`] if something else or nothing is there, [`Error::TileDb`] if the array cannot be read, [`Error::Store`] if the
/// object store refuses a request.
pub fn open_array(location: &Location, timestamp: Option<u64>) -> Result<Array> {
    let path = array_path(location)?;
    let uri = if path.is_empty() { location.uri() } else { location.child(path) };
    let listed = Array::open_listed(&uri, location.files_of(path), timestamp);
    match (listed, location.folder()) {
        (Err(reason), Some(_)) => {
            tracing::debug!(uri, reason = &reason as &dyn std::error::Error, "libtiledb reads the array");
            Ok(Array::open_by_library(&Context::new([])?, &uri, timestamp)?)
        }
        (Err(error), None) => Err(store_error(error).unwrap_or_else(Error::TileDb)),
        (Ok(array), _) => Ok(array),
    }
}

/// The path of the array below `location`: empty, or that of the packages.
fn array_path(location: &Location) -> Result<&'static str> {
    let names = location.names("")?;
    let has = |name: &str| names.iter().any(|found| found == name);
    let not_an_array = |found: &'static str| Error::NotAnArray { uri: location.uri(), found };
    match () {
        () if has(SCHEMAS) => Ok(""),
        () if has(SEGMENTS) && has(COMMITS) => Err(not_an_array("an isdb database")),
        () if has(ARRAY_OF_PACKAGES) => Ok(ARRAY_OF_PACKAGES),
        () if names.is_empty() => Err(not_an_array("nothing")),
        () => Err(not_an_array("other files")),
    }
}
