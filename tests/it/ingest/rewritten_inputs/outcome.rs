//! The expected result for an input.

use std::path::Path;

use super::inputs::{Columns, columns, ingest, original};
use crate::support::TestFolder;

/// The expected result for a rewritten granule.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome {
    /// The rows of the original, with equal columns except these.
    Rows(&'static [&'static str]),
    /// One error with the name of the file and these texts.
    Error(&'static [&'static str]),
    /// The rows if the HDF5 library that wrote the file used a layout that isdb reads, else the error.
    RowsOr(&'static [&'static str]),
}

/// Ingests `name` of `folder` and compares with `outcome`; the error describes the difference.
pub(crate) fn check(place: &TestFolder, folder: &Path, name: &str, outcome: Outcome) -> Result<(), String> {
    let Some(original) = original() else { return Ok(()) };
    let run = ingest(place, folder, name);
    let failed = || run.stderr.lines().filter(|line| line.starts_with("failed: ")).collect::<Vec<_>>();
    match (outcome, run.code) {
        (Outcome::Rows(but), Some(0)) => same(original, &columns(place, &format!("{name}.db")), but),
        (Outcome::RowsOr(_), Some(0)) => same(original, &columns(place, &format!("{name}.db")), &[]),
        (Outcome::Error(causes) | Outcome::RowsOr(causes), Some(3)) => match failed()[..] {
            [line] if !line.contains(name) => Err(format!("the error does not name the file: {line}")),
            [line] => match causes.iter().find(|cause| !run.stderr.contains(**cause)) {
                Some(cause) => Err(format!("expected {cause:?}, found: {line}")),
                None => Ok(()),
            },
            _ => Err(format!("expected one line of failure, found {}", run.stderr)),
        },
        (expected, code) => Err(format!("expected {expected:?}, found exit code {code:?}: {}", run.stderr)),
    }
    .map_err(|problem| format!("{name}: {problem}"))
}

/// Compares all columns with the original except those of `but`, which need to exist only.
pub(crate) fn same(original: &Columns, found: &Columns, but: &[&str]) -> Result<(), String> {
    // A profile is a column for each element: canopy_h_metrics_p10.
    let is_one_of = |column: &str, but: &str| {
        column.strip_prefix(but).is_some_and(|rest| matches!(rest.chars().next(), None | Some('_')))
    };
    for (column, expected) in original.iter().filter(|(column, _)| !but.iter().any(|but| is_one_of(column, but))) {
        let Some(found) = found.get(column) else { return Err(format!("unknown column {column}")) };
        if let Some((expected, found)) = expected.iter().zip(found).find(|(expected, found)| expected != found) {
            return Err(format!("{column}: expected {expected}, found {found}"));
        }
        if expected.len() != found.len() {
            return Err(format!("{column}: expected {} rows, found {}", expected.len(), found.len()));
        }
    }
    Ok(())
}

/// Asserts that no result is an error, and shows all errors.
pub(crate) fn all_good(results: impl IntoIterator<Item = Result<(), String>>) {
    let problems: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
