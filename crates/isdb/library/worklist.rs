//! Work lists: the granules of a search as an NDJSON file, for a later download or ingest.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;

use isdb_cmr::{GranuleDescription, worklist};

use crate::library::error::{Error, Result};

/// Whether `path` has the extension of a work list, `.ndjson`.
#[must_use]
pub fn is_work_list(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case(OsStr::new("ndjson")))
}

/// Reads the granules of the work list at `path`; `-` is standard input.
///
/// # Errors
/// [`Error::Read`] when the file cannot be opened, [`Error::WorkList`] for an invalid line.
pub fn read_work_list(path: &Path) -> Result<Vec<GranuleDescription>> {
    let invalid = |source| Error::WorkList { path: path.to_path_buf(), source };
    let source: Box<dyn BufRead> = match path == Path::new("-") {
        true => Box::new(std::io::stdin().lock()),
        false => {
            let failed = |source| Error::Read { path: path.to_path_buf(), source };
            Box::new(BufReader::new(std::fs::File::open(path).map_err(failed)?))
        }
    };
    worklist::read(source).collect::<Result<_, _>>().map_err(invalid)
}
