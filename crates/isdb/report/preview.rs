//! What an ingest would do, for `--dry-run`, on standard error.

use isdb_ingest::{OutcomeKind, PlannedWindow, Preview};
use isdb_schema::printable::Printable;

use crate::estimate;
use crate::instant::instant;
use crate::progress::region;

/// So many windows, granules and files are told one by one.
const TOLD: usize = 20;
/// A line of the plan is no longer, in characters: operators name every column. `--log debug` tells plans in full.
const LINE: usize = 160;

/// Tells what would become of `database`.
pub(crate) fn tell_preview(preview: &Preview, database: &str) {
    let windows = &preview.windows;
    if let Some(line) = region(&preview.regions) {
        eprintln!("region: {line}");
    }
    let filters: Vec<&str> = preview.selection.filters.iter().map(|filter| filter.name.as_str()).collect();
    eprintln!("filters: {}", if filters.is_empty() { "none".to_owned() } else { filters.join(", ") });
    tell_windows(windows);
    let replaced = windows.iter().flat_map(|window| &window.replaced);
    tell_list("would be replaced", &replaced.collect::<Vec<_>>());
    let again: Vec<(String, String)> = preview.reread.iter().map(|path| (String::new(), path.clone())).collect();
    tell_list("would be read again", &again.iter().collect::<Vec<_>>());
    let unreadable = windows.iter().flat_map(|window| &window.unreadable);
    // Descriptions that no granule can be made of have failed already.
    let failed = preview.report.granules.iter().filter(|told| told.state == OutcomeKind::Failed);
    let failed: Vec<_> = failed.map(|told| (told.granule.clone(), told.error.clone().unwrap_or_default())).collect();
    tell_list("would fail", &unreadable.chain(&failed).collect::<Vec<_>>());
    for (why, count) in preview.report.skipped() {
        eprintln!("would be skipped: {count} {}", why.as_str());
    }
    let failed_before = preview.report.count(OutcomeKind::FailedBefore);
    if failed_before > 0 {
        eprintln!("would not be tried again: {failed_before}; --retry does");
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
    eprintln!("granules to ingest: {granules} in {} windows, {}", windows.len(), estimate::told(bytes));
    eprintln!(
        "estimate: {} segments, {} of database with all variables; filters and a region make it smaller",
        estimate::segments(bytes),
        estimate::told(estimate::database(bytes))
    );
    let place = if preview.is_new { " (would be created)" } else { "" };
    eprintln!("database: {database}{place}");
    eprintln!("nothing was changed");
}

fn tell_windows(windows: &[PlannedWindow]) {
    if windows.is_empty() {
        return;
    }
    eprintln!("{:>6} {:>8} {:>10}  granules begin", "window", "granules", "size");
    for (index, window) in windows.iter().enumerate().take(TOLD) {
        let span = window.span.map(|(first, last)| format!("{} to {}", second(first), second(last)));
        let (granules, size) = (window.granules, estimate::told(window.bytes));
        eprintln!("{:>6} {granules:>8} {size:>10}  {}", index + 1, span.unwrap_or_default());
    }
    tell_more(windows.len());
}

fn tell_list(what: &str, list: &[&(String, String)]) {
    for (name, why) in list.iter().take(TOLD) {
        let name = Printable(name).to_string();
        let name = if why.contains(&name) { String::new() } else { format!("{name}: ") };
        eprintln!("{what}: {name}{}", Printable(why));
    }
    tell_more(list.len());
}

fn tell_more(count: usize) {
    if let Some(more) = count.checked_sub(TOLD).filter(|more| *more > 0) {
        eprintln!("and {more} more");
    }
}

/// An instant in seconds since 1970.
fn second(seconds: i64) -> String {
    instant(seconds.saturating_mul(1_000_000_000))
}

fn shortened(line: &str) -> String {
    match line.char_indices().nth(LINE) {
        Some((end, _)) => format!("{} …", line.get(..end).unwrap_or(line)),
        None => line.to_owned(),
    }
}
