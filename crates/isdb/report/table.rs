//! The end of an ingest on standard error: what is odd, what failed, and a table of what became of everything.

use std::collections::BTreeMap;
use std::time::Duration;

use isdb_ingest::{GranuleOutcome, IngestReport, OutcomeKind};
use isdb_pipeline::stage;
use isdb_schema::ledger::Removed;
use isdb_schema::printable::Printable;

use crate::failure::refusal_hint;
use crate::report::failed::{Failed, tell_failed};

/// So many warnings are told one by one.
const WARNINGS_TOLD: usize = 10;

/// A line of the table: what is counted, how it ended, how many, and a remark.
struct Line {
    of: &'static str,
    what: &'static str,
    count: String,
    remark: String,
}

/// Tells `report` of an ingest into `database` that took `elapsed`.
pub(crate) fn tell(report: &IngestReport, database: &str, elapsed: Duration) {
    for warning in report.warnings.iter().take(WARNINGS_TOLD) {
        eprintln!("warning: {}: {}", Printable(&warning.path), Printable(&warning.text));
    }
    if let Some(more) = report.warnings.len().checked_sub(WARNINGS_TOLD).filter(|more| *more > 0) {
        eprintln!("warnings: {more} more; SELECT granule, notes, missing_variables FROM granules");
    }
    if let Some(problem) = &report.maintenance_error {
        eprintln!("warning: the granules are in the database, but its fragments could not be tidied up: {problem}");
    }
    tell_replaced(report);
    let failed = report.granules.iter().filter(|told| told.state == OutcomeKind::Failed);
    let failed = failed.map(|told| Failed {
        name: told.granule.clone(),
        text: failure(told),
        refusal: told.shared_cause,
        hint: told.shared_cause.map(refusal_hint),
    });
    tell_failed(&failed.collect::<Vec<_>>());
    for line in aligned(&lines(report, elapsed)) {
        eprintln!("{line}");
    }
    if !report.removed.is_empty() {
        tell_removed(&report.removed);
    }
    if report.granules.iter().any(|told| told.stage.as_deref() == Some(stage::REPLACE)) {
        eprintln!("hint: if the file is right, --force replaces what is stored by it; until then that stays");
    }
    if report.count(OutcomeKind::FailedBefore) > 0 {
        eprintln!("hint: files that failed before are tried again with --retry; `SELECT source, error FROM granules`");
        let has_too_few =
            |told: &GranuleOutcome| told.error.as_deref().is_some_and(|error| error.ends_with("nothing was replaced"));
        if report.granules.iter().any(|told| told.state == OutcomeKind::FailedBefore && has_too_few(told)) {
            eprintln!("hint: one that has too few segments replaces what is stored with --force");
        }
    }
    eprintln!("granules: {}", sum(report));
    eprintln!("database: {database}");
}

/// The stage, the file and the reason.
fn failure(told: &GranuleOutcome) -> String {
    let error = told.error.as_deref().unwrap_or_default();
    // Most errors name the file themselves.
    let path = Printable(&told.path).to_string();
    let place = if error.contains(&path) { String::new() } else { format!("{path}: ") };
    let stage = told.stage.as_ref().map_or_else(String::new, |stage| format!("{stage}: "));
    format!("{stage}{place}{error}")
}

/// What files replaced, in segments.
fn tell_replaced(report: &IngestReport) {
    let is_replacement = |told: &&GranuleOutcome| !told.replaces.is_empty() || !told.replaces_in_part.is_empty();
    let replaced: Vec<&GranuleOutcome> = report.granules.iter().filter(is_replacement).collect();
    for told in replaced.iter().take(WARNINGS_TOLD) {
        let GranuleOutcome { path, rows_read, rows_kept, rows_read_before, rows_kept_before, .. } = told;
        let part = if told.replaces_in_part.is_empty() { "" } else { "; what it does not have stays" };
        eprintln!(
            "replaced: {path}: {rows_read_before} segments read and {rows_kept_before} kept before, {rows_read} and \
             {rows_kept} now{part}"
        );
    }
    if let Some(more) = replaced.len().checked_sub(WARNINGS_TOLD).filter(|more| *more > 0) {
        eprintln!("replaced: {more} more; --report tells them all");
    }
}

/// What became of the files, in a line.
fn sum(report: &IngestReport) -> String {
    let told: Vec<String> = ENDS
        .iter()
        .map(|(ended, what)| (report.count(*ended), what))
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if told.is_empty() { "none".to_owned() } else { told.join(", ") }
}

const ENDS: [(OutcomeKind, &str); 6] = [
    (OutcomeKind::Ingested, "ingested"),
    (OutcomeKind::Replaced, "replaced"),
    (OutcomeKind::Empty, "empty"),
    (OutcomeKind::Skipped, "skipped"),
    (OutcomeKind::Failed, "failed"),
    (OutcomeKind::FailedBefore, "failed before"),
];

fn lines(report: &IngestReport, elapsed: Duration) -> Vec<Line> {
    let line = |of, what, count: u64| Line { of, what, count: count.to_string(), remark: String::new() };
    let granules = ENDS.iter().map(|(ended, what)| Line {
        remark: match ended {
            OutcomeKind::Skipped => reasons(report.skipped().into_iter().map(|(why, count)| (count, why.as_str()))),
            OutcomeKind::Failed => reasons(stages(report).into_iter().map(|(stage, count)| (count, stage))),
            _ => String::new(),
        },
        ..line("granules", what, report.count(*ended) as u64)
    });
    let mut lines: Vec<Line> = granules.filter(|line| line.count != "0").collect();
    if report.windows.is_empty() {
        return lines;
    }
    lines.push(line("segments", "read", report.sum(|told| told.rows_read)));
    lines.push(line("segments", "kept", report.sum(|told| told.rows_kept)));
    lines.push(line("segments", "without position or time", report.sum(|told| told.rows_rejected)));
    lines.push(line("segments", "removed", report.sum(|told| told.rows_removed)));
    if report.granules.iter().any(|told| !told.replaces.is_empty() || !told.replaces_in_part.is_empty()) {
        lines.push(line("segments", "read before", report.sum(|told| told.rows_read_before)));
        lines.push(line("segments", "kept before", report.sum(|told| told.rows_kept_before)));
    }
    let [read, empty, missing] = report.beams;
    lines.push(line("beams", "read", read));
    lines.push(line("beams", "without segments", empty));
    lines.push(line("beams", "not in their granule", missing));
    lines.push(line("database", "windows", report.windows.len() as u64));
    let fragments: usize = report.windows.iter().map(|window| window.fragments).sum();
    lines.push(line("database", "fragments", fragments as u64));
    let bytes: u64 = report.windows.iter().map(|window| window.bytes).sum();
    let (megabytes, seconds) = (bytes as f64 / 1e6, elapsed.as_secs_f64().max(1e-3));
    let number = |what, count: f64| Line { of: "pace", what, count: format!("{count:.1}"), remark: String::new() };
    lines.extend([number("seconds", seconds), number("MB", megabytes), number("MB/s", megabytes / seconds)]);
    lines
}

/// Failed granules by the stage that they failed at.
fn stages(report: &IngestReport) -> BTreeMap<&str, usize> {
    let mut stages = BTreeMap::new();
    for told in report.granules.iter().filter(|told| told.state == OutcomeKind::Failed) {
        *stages.entry(told.stage.as_deref().unwrap_or("together with others of their window")).or_default() += 1;
    }
    stages
}

fn reasons<'a>(counted: impl Iterator<Item = (usize, &'a str)>) -> String {
    counted.map(|(count, why)| format!("{count} {why}")).collect::<Vec<_>>().join(", ")
}

/// The lines with their columns one below the other; what is counted is told once.
fn aligned(lines: &[Line]) -> Vec<String> {
    let width = |of: fn(&Line) -> usize| lines.iter().map(of).max().unwrap_or(0);
    let (of, what, count) =
        (width(|line| line.of.len()), width(|line| line.what.len()), width(|line| line.count.len()));
    let mut last = "";
    let told = lines.iter().map(|line| {
        let group = if line.of == last { "" } else { line.of };
        last = line.of;
        let told = format!("{group:of$}  {:what$}  {:>count$}  {}", line.what, line.count, line.remark);
        told.trim_end().to_owned()
    });
    told.collect()
}

/// A line for each filter. `removed` counts a segment once, for the first filter that it does not pass.
fn tell_removed(removed: &[Removed]) {
    let width = removed.iter().map(|filter| filter.filter.len()).max().unwrap_or(0).max(6);
    eprintln!("{:width$} {:>12} {:>12} {:>12}", "filter", "removed", "of them NULL", "by itself");
    for Removed { filter, removed, null, alone, .. } in removed {
        eprintln!("{filter:width$} {removed:>12} {null:>12} {alone:>12}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_below_each_other() {
        let line = |of, what, count: &str, remark: &str| Line { of, what, count: count.into(), remark: remark.into() };
        let lines = [
            line("granules", "ingested", "12", ""),
            line("granules", "failed", "1", "1 decode"),
            line("pace", "MB", "350.5", ""),
        ];
        let expected =
            ["granules  ingested     12", "          failed        1  1 decode", "pace      MB        350.5"];
        assert_eq!(aligned(&lines), expected);
    }
}
