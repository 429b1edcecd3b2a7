//! The plan of an ingest on standard error, for `--dry-run`.

use crate::time::format_nanoseconds;
use crate::{IngestPreview, OutcomeKind, PlannedWindow, estimate};
use comfy_table::CellAlignment::{Left, Right};
use isdb_schema::printable::Printable;

use crate::program::aligned::aligned;
use crate::program::messages::print_some;
use crate::program::progress::describe_regions;
use crate::program::units::format_bytes;

/// At most this many windows, granules and files are listed.
const LISTED: usize = 20;
/// At most this many characters of a line of the plan are printed: operators list every column. `--log debug` prints plans in full.
const LINE_CHARACTERS: usize = 160;

/// Prints the preview of an ingest into `database`.
pub(crate) fn print_dry_run(preview: &IngestPreview, database: &str) {
    let windows = &preview.windows;
    if let Some(line) = describe_regions(&preview.regions) {
        eprintln!("region: {line}");
    }
    let filters: Vec<&str> = preview.selection.filters.iter().map(|filter| filter.name.as_str()).collect();
    eprintln!("filters: {}", if filters.is_empty() { "none".to_owned() } else { filters.join(", ") });
    print_windows(windows);
    let replaced = windows.iter().flat_map(|window| &window.replaced);
    print_list("would be replaced", &replaced.collect::<Vec<_>>());
    let again: Vec<(String, String)> = preview.reread.iter().map(|path| (String::new(), path.clone())).collect();
    print_list("would be read again", &again.iter().collect::<Vec<_>>());
    let unreadable = windows.iter().flat_map(|window| &window.unreadable);
    // Descriptions that do not identify a granule have failed already.
    let failed = preview.report.granules.iter().filter(|granule| granule.state == OutcomeKind::Failed);
    let failed: Vec<_> =
        failed.map(|granule| (granule.granule.clone(), granule.error.clone().unwrap_or_default())).collect();
    print_list("would fail", &unreadable.chain(&failed).collect::<Vec<_>>());
    for (reason, count) in preview.report.skipped() {
        eprintln!("would be skipped: {count} {}", reason.as_str());
    }
    let failed_before = preview.report.count(OutcomeKind::FailedBefore);
    if failed_before > 0 {
        eprintln!("would not be retried: {failed_before}; --retry retries them");
    }
    if preview.waiting > 0 {
        eprintln!("would wait for better files of the same granules: {}", preview.waiting);
    }
    if let Some(plan) = &preview.plan {
        eprintln!("plan of the first window:");
        plan.lines().for_each(|line| eprintln!("  {}", shortened(line)));
    }
    let granules: usize = windows.iter().map(|window| window.granules).sum();
    let bytes: u64 = windows.iter().map(|window| window.bytes).sum();
    eprintln!("granules to ingest: {granules} in {} windows, {}", windows.len(), format_bytes(bytes));
    eprintln!(
        "estimate: {} segments, {} of database with all variables; filters and a region make it smaller",
        estimate::segments(bytes),
        format_bytes(estimate::database_bytes(bytes))
    );
    let is_new = if preview.is_new { " (would be created)" } else { "" };
    eprintln!("database: {database}{is_new}");
    eprintln!("nothing was changed");
}

fn print_windows(windows: &[PlannedWindow]) {
    if windows.is_empty() {
        return;
    }
    let header = ["window", "granules", "size", "granules begin"].map(str::to_owned);
    let rows = windows.iter().enumerate().take(LISTED).map(|(index, window)| {
        let span = window.span.map(|(first, last)| format!("{} to {}", format_seconds(first), format_seconds(last)));
        let size = format_bytes(window.bytes);
        [(index + 1).to_string(), window.granules.to_string(), size, span.unwrap_or_default()]
    });
    let lines = aligned(std::iter::once(header).chain(rows), [Right, Right, Right, Left]);
    lines.iter().for_each(|line| eprintln!("{line}"));
    print_more(windows.len().saturating_sub(LISTED));
}

fn print_list(what: &str, list: &[&(String, String)]) {
    let print = |(name, reason): &(String, String)| {
        let name = Printable(name).to_string();
        let name = if reason.contains(&name) { String::new() } else { format!("{name}: ") };
        eprintln!("{what}: {name}{}", Printable(reason));
    };
    print_some(list.iter().copied(), LISTED, print, print_more);
}

fn print_more(more: usize) {
    if more > 0 {
        eprintln!("and {more} more");
    }
}

/// Formats an instant in seconds since 1970.
fn format_seconds(seconds: i64) -> String {
    format_nanoseconds(seconds.saturating_mul(1_000_000_000))
}

fn shortened(line: &str) -> String {
    match line.char_indices().nth(LINE_CHARACTERS) {
        Some((end, _)) => format!("{} …", line.get(..end).unwrap_or(line)),
        None => line.to_owned(),
    }
}
