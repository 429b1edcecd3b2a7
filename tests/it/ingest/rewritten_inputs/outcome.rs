//! What an input must lead to.

use std::path::Path;

use super::inputs::{Columns, columns, ingest, original};
use crate::support::Place;

/// What an input of a granule leads to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome {
    /// The original's rows, every column the same but for these.
    Rows(&'static [&'static str]),
    /// One error, whose lines name the file and hold these texts.
    Error(&'static [&'static str]),
    /// The rows where the HDF5 library that wrote the file kept to what isdb reads, else the error.
    RowsOr(&'static [&'static str]),
}

/// Ingests `name` of `folder` and demands `outcome`, telling what went wrong.
pub(crate) fn check(place: &Place, folder: &Path, name: &str, outcome: Outcome) -> Result<(), String> {
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

/// Whether all columns are the original's but for those of `but`, which need only be there, if in the original.
pub(crate) fn same(original: &Columns, found: &Columns, but: &[&str]) -> Result<(), String> {
    for (column, expected) in original.iter().filter(|(column, _)| !but.contains(&column.as_str())) {
        let Some(found) = found.get(column) else { return Err(format!("there is no column {column}")) };
        if let Some((expected, found)) = expected.iter().zip(found).find(|(expected, found)| expected != found) {
            return Err(format!("{column}: expected {expected}, found {found}"));
        }
        if expected.len() != found.len() {
            return Err(format!("{column}: expected {} rows, found {}", expected.len(), found.len()));
        }
    }
    Ok(())
}

/// Demands that there was no problem, and shows all there were.
pub(crate) fn all_good(results: impl IntoIterator<Item = Result<(), String>>) {
    let problems: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
