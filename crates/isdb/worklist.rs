//! Work lists, as `isdb search -o list.ndjson` writes them: what `isdb download` and `isdb ingest` take.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;

use isdb_cmr::{GranuleDescription, worklist};

use crate::failure::Failure;

/// Whether `path` is named like a work list.
pub(crate) fn is_list(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case(OsStr::new("ndjson")))
}

/// The granules of the work list at `path`; `-` is standard input.
pub(crate) fn read(path: &Path) -> Result<Vec<GranuleDescription>, Failure> {
    let wrong = |source| Failure::WorkList { path: path.to_path_buf(), source };
    let source: Box<dyn BufRead> = match path == Path::new("-") {
        true => Box::new(std::io::stdin().lock()),
        false => {
            let failed = |source| Failure::Read { path: path.to_path_buf(), source };
            Box::new(BufReader::new(std::fs::File::open(path).map_err(failed)?))
        }
    };
    worklist::read(source).collect::<Result<_, _>>().map_err(wrong)
}
