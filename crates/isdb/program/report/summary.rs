//! The summary of an ingest on standard error: warnings, failures, and a table of counts.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::{GranuleOutcome, IngestReport, OutcomeKind};
use comfy_table::CellAlignment::{Left, Right};
use isdb_pipeline::stage;
use isdb_schema::ledger::Removed;
use isdb_schema::printable::Printable;

use crate::program::aligned::aligned;
use crate::program::error::shared_cause_hint;
use crate::program::messages::print_some;
use crate::program::report::failures::{FailedFile, print_failures};
use crate::program::units::megabytes;

/// At most this many warnings are listed.
const LISTED: usize = 10;

/// The outcomes, in the order of the table.
const OUTCOMES: [(OutcomeKind, &str); 6] = [
    (OutcomeKind::Ingested, "ingested"),
    (OutcomeKind::Replaced, "replaced"),
    (OutcomeKind::Empty, "empty"),
    (OutcomeKind::Skipped, "skipped"),
    (OutcomeKind::Failed, "failed"),
    (OutcomeKind::FailedBefore, "failed before"),
];

/// A row of the table: the counted objects, their outcome, their number, and a remark.
struct Count {
    group: &'static str,
    name: &'static str,
    count: String,
    remark: String,
}

/// Prints `report` of an ingest into `database` that took `elapsed`.
pub(crate) fn print_summary(report: &IngestReport, database: &str, elapsed: Duration) {
    print_some(
        report.warnings.iter(),
        LISTED,
        |warning| eprintln!("warning: {}: {}", Printable(&warning.path), Printable(&warning.text)),
        |more| eprintln!("warnings: {more} more; SELECT granule, notes, missing_variables FROM granules"),
    );
    if let Some(problem) = &report.maintenance_error {
        eprintln!("warning: the granules are in the database, but its fragments could not be joined: {problem}");
    }
    print_replacements(report);
    let failed = report.granules.iter().filter(|granule| granule.state == OutcomeKind::Failed);
    let failed = failed.map(|granule| FailedFile {
        name: granule.granule.clone(),
        text: failure(granule),
        shared_cause: granule.shared_cause,
        hint: granule.shared_cause.map(shared_cause_hint),
    });
    print_failures(&failed.collect::<Vec<_>>());
    for line in table(&counts(report, elapsed)) {
        eprintln!("{line}");
    }
    if !report.removed.is_empty() {
        print_removed(&report.removed);
    }
    if report.granules.iter().any(|granule| granule.stage.as_deref() == Some(stage::REPLACE)) {
        eprintln!(
            "hint: if the file is right, --force lets it replace what is stored; otherwise the stored segments stay"
        );
    }
    if report.count(OutcomeKind::FailedBefore) > 0 {
        eprintln!("hint: --retry retries files that failed before; `SELECT source, error FROM granules`");
        let has_too_few = |granule: &GranuleOutcome| {
            granule.error.as_deref().is_some_and(|error| error.ends_with("nothing was replaced"))
        };
        let mut failed_before = report.granules.iter().filter(|granule| granule.state == OutcomeKind::FailedBefore);
        if failed_before.any(has_too_few) {
            eprintln!("hint: a file with too few segments replaces what is stored with --force");
        }
    }
    eprintln!("granules: {}", describe_outcomes(report));
    eprintln!("database: {database}");
}

/// Describes a failure: the stage, the file and the reason.
fn failure(granule: &GranuleOutcome) -> String {
    let error = granule.error.as_deref().unwrap_or_default();
    // Most errors contain the path.
    let path = Printable(&granule.path).to_string();
    let path = if error.contains(&path) { String::new() } else { format!("{path}: ") };
    let stage = granule.stage.as_ref().map_or_else(String::new, |stage| format!("{stage}: "));
    format!("{stage}{path}{error}")
}

fn is_replacement(granule: &GranuleOutcome) -> bool {
    !granule.replaces.is_empty() || !granule.replaces_in_part.is_empty()
}

/// Prints the numbers of segments before and after each replacement.
fn print_replacements(report: &IngestReport) {
    let replacements: Vec<&GranuleOutcome> = report.granules.iter().filter(|granule| is_replacement(granule)).collect();
    let print = |granule: &GranuleOutcome| {
        let GranuleOutcome { path, rows_read, rows_kept, rows_read_before, rows_kept_before, .. } = granule;
        let part = if granule.replaces_in_part.is_empty() { "" } else { "; segments that it lacks stay" };
        eprintln!(
            "replaced: {path}: {rows_read_before} segments read and {rows_kept_before} kept before, {rows_read} and \
             {rows_kept} now{part}"
        );
    };
    let more = |more| eprintln!("replaced: {more} more; --report lists all");
    print_some(replacements.into_iter(), LISTED, print, more);
}

/// Describes the outcomes in one line.
fn describe_outcomes(report: &IngestReport) -> String {
    let counts = OUTCOMES.iter().map(|(outcome, name)| (report.count(*outcome), *name));
    let described = describe_counts(counts.filter(|(count, _)| *count > 0));
    if described.is_empty() { "none".to_owned() } else { described }
}

fn counts(report: &IngestReport, elapsed: Duration) -> Vec<Count> {
    let count = |group, name, count: u64| Count { group, name, count: count.to_string(), remark: String::new() };
    let granules = OUTCOMES.iter().map(|(outcome, name)| Count {
        remark: match outcome {
            OutcomeKind::Skipped => {
                describe_counts(report.skipped().into_iter().map(|(reason, count)| (count, reason.as_str())))
            }
            OutcomeKind::Failed => {
                describe_counts(failures_by_stage(report).into_iter().map(|(stage, count)| (count, stage)))
            }
            _ => String::new(),
        },
        ..count("granules", name, report.count(*outcome) as u64)
    });
    let mut counts: Vec<Count> = granules.filter(|line| line.count != "0").collect();
    if report.windows.is_empty() {
        return counts;
    }
    counts.push(count("segments", "read", report.sum(|granule| granule.rows_read)));
    counts.push(count("segments", "kept", report.sum(|granule| granule.rows_kept)));
    counts.push(count("segments", "without position or time", report.sum(|granule| granule.rows_rejected)));
    counts.push(count("segments", "removed", report.sum(|granule| granule.rows_removed)));
    if report.granules.iter().any(is_replacement) {
        counts.push(count("segments", "read before", report.sum(|granule| granule.rows_read_before)));
        counts.push(count("segments", "kept before", report.sum(|granule| granule.rows_kept_before)));
    }
    let [read, empty, missing] = report.beams;
    counts.push(count("beams", "read", read));
    counts.push(count("beams", "without segments", empty));
    counts.push(count("beams", "not in their granule", missing));
    counts.push(count("database", "windows", report.windows.len() as u64));
    let fragments: usize = report.windows.iter().map(|window| window.fragments).sum();
    counts.push(count("database", "fragments", fragments as u64));
    let megabytes = megabytes(report.windows.iter().map(|window| window.bytes).sum());
    let seconds = elapsed.as_secs_f64().max(1e-3);
    let pace = |name, number: f64| Count { group: "pace", name, count: format!("{number:.1}"), remark: String::new() };
    counts.extend([pace("seconds", seconds), pace("MB", megabytes), pace("MB/s", megabytes / seconds)]);
    counts
}

/// Returns the number of failed granules by the stage of their failure.
fn failures_by_stage(report: &IngestReport) -> BTreeMap<&str, usize> {
    let mut stages = BTreeMap::new();
    for granule in report.granules.iter().filter(|granule| granule.state == OutcomeKind::Failed) {
        *stages.entry(granule.stage.as_deref().unwrap_or("together with others of their window")).or_default() += 1;
    }
    stages
}

/// `3 decode, 1 identify`
fn describe_counts<'a>(counts: impl Iterator<Item = (usize, &'a str)>) -> String {
    counts.map(|(count, name)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
}

/// Returns the lines of the table; a group is named only in its first line.
fn table(counts: &[Count]) -> Vec<String> {
    let mut last = "";
    let rows = counts.iter().map(|line| {
        let group = if line.group == last { "" } else { line.group };
        last = line.group;
        [group.to_owned(), line.name.to_owned(), line.count.clone(), line.remark.clone()]
    });
    aligned(rows, [Left, Left, Right, Left])
}

/// Prints a line for each filter. `removed` counts a segment once, for the first filter that it does not pass.
fn print_removed(removed: &[Removed]) {
    let header = ["filter", "removed", "of them NULL", "by itself"].map(str::to_owned);
    let rows = removed.iter().map(|Removed { filter, removed, null, alone, .. }| {
        [filter.clone(), removed.to_string(), null.to_string(), alone.to_string()]
    });
    let lines = aligned(std::iter::once(header).chain(rows), [Left, Right, Right, Right]);
    lines.iter().for_each(|line| eprintln!("{line}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_named_once() {
        let count = |group, name| Count { group, name, count: "1".to_owned(), remark: String::new() };
        let lines = table(&[count("granules", "ingested"), count("granules", "failed")]);
        assert_eq!(lines, ["granules  ingested  1", "          failed    1"]);
    }
}
