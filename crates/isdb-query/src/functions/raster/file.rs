//! A GeoTIFF that an argument names.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::Arc;

use datafusion::common::ScalarValue;
use isdb_raster::{Raster, RasterError};

use crate::error::Error;
use crate::session::files::{UserFiles, check_open};

/// An open raster, which is equal to others of the same name: a plan reads a file once.
#[derive(Clone)]
pub(super) struct RasterFile {
    name: String,
    raster: Arc<Raster>,
}

impl RasterFile {
    /// Opens the file that `argument` names; None for NULL and arguments that are not texts.
    ///
    /// # Errors
    /// [`Error::FilesClosed`], and [`Error::Statement`] for a file that is not a raster.
    pub(super) fn open(argument: &ScalarValue, files: UserFiles) -> Result<Option<RasterFile>, Error> {
        let Some(name) = argument.try_as_str().flatten() else { return Ok(None) };
        check_open(name, files)?;
        let raster = Raster::open(Path::new(name)).map_err(|error| refused(&error))?;
        Ok(Some(RasterFile { name: name.to_owned(), raster: Arc::new(raster) }))
    }

    pub(super) fn raster(&self) -> &Raster {
        &self.raster
    }
}

/// Returns the error of a statement.
pub(super) fn refused(error: &RasterError) -> Error {
    Error::statement(error.to_string(), error.hint())
}

impl fmt::Debug for RasterFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.raster)
    }
}

impl PartialEq for RasterFile {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for RasterFile {}

impl Hash for RasterFile {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}
