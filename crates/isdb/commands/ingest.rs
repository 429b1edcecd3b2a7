//! `isdb ingest`: runs the ingest and tells how it goes, on standard error.

use isdb_ingest::{Asked, Report, Request, Skip, Source, ingest};
use isdb_schema::config::Config;
use isdb_schema::filters::choose;
use isdb_schema::ledger::Removed;
use isdb_schema::period::Period;

use crate::cli::Ingest;
use crate::failure::{Failure, SOME_FAILED, SUCCESS};
use crate::progress::Telling;
use crate::settings::{self, Settings, region_and_period};

mod source;

pub(crate) async fn run(arguments: Ingest, settings: Settings) -> Result<u8, Failure> {
    let database = settings.location.uri();
    let (threads, memory) = arguments.means.in_force(&settings.config);
    let (region, period) = region_and_period(&arguments.place)?;
    let source = source::of(&arguments, &settings, region.as_ref(), &period).await?;
    // A search has found them by their time, footprints and all.
    let period =
        if matches!(source, Source::Archive(_)) && arguments.paths.is_empty() { Period::default() } else { period };
    let request = Request {
        source,
        location: settings.location,
        asked: asked(&settings.config, arguments.filters.as_deref())?,
        area: region.filter(|_| !arguments.whole_granules),
        period,
        window: settings.config.window,
        threads,
        memory,
        consolidate: settings.config.consolidate,
        retry: arguments.retry,
        replace_release: arguments.replace_release,
        refilter: arguments.refilter,
    };
    let mut telling = Telling::new();
    let report = ingest(request, |progress| telling.tell(progress)).await?;
    telling.end();
    tell_report(&report, &database);
    Ok(if report.failed.is_empty() && report.failed_before.is_empty() { SUCCESS } else { SOME_FAILED })
}

/// What the config asks for; the flag's filters come before its own.
fn asked(config: &Config, filters: Option<&str>) -> Result<Asked, Failure> {
    let mut asked = settings::asked(config);
    if let Some(list) = filters {
        asked.filters = Some(choose(list)?);
    }
    Ok(asked)
}

/// So many warnings are told one by one.
const WARNINGS_TOLD: usize = 10;

fn tell_report(report: &Report, database: &str) {
    for warning in report.warnings.iter().take(WARNINGS_TOLD) {
        eprintln!("warning: {}: {}", warning.path.display(), warning.text);
    }
    if let Some(more) = report.warnings.len().checked_sub(WARNINGS_TOLD).filter(|more| *more > 0) {
        eprintln!("warnings: {more} more; SELECT granule, notes, missing_variables FROM granules");
    }
    for failure in &report.failed {
        let path = failure.path.display().to_string();
        // Most errors name the file themselves.
        let place = if failure.error.contains(&path) { String::new() } else { format!("{path}: ") };
        eprintln!("failed: {place}{}", failure.error);
    }
    let parts = [
        (report.ingested, "ingested"),
        (report.replaced, "replaced"),
        (report.empty, "empty"),
        (report.skipped(), "skipped"),
        (report.failed.len(), "failed"),
        (report.failed_before.len(), "failed before"),
    ];
    let told: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    eprintln!("granules: {}", told.join(", "));
    let skipped = report.skipped.iter().filter(|(why, _)| **why != Skip::Stored);
    let reasons: Vec<String> = skipped.map(|(why, count)| format!("{count} {}", why.as_str())).collect();
    if !reasons.is_empty() {
        eprintln!("of those skipped: {}", reasons.join(", "));
    }
    if !report.failed_before.is_empty() {
        eprintln!("hint: files that failed before are tried again with --retry; `SELECT source, error FROM granules`");
    }
    let [read, empty, missing] = report.beams;
    if read + empty + missing > 0 {
        eprintln!("beams: {read} read, {empty} without segments, {missing} not in their granule");
    }
    eprintln!("segments: {} stored", report.rows);
    if report.rows_rejected > 0 {
        eprintln!("segments without position or time, left out: {}", report.rows_rejected);
    }
    if !report.removed.is_empty() {
        tell_removed(&report.removed);
    }
    eprintln!("database: {database}");
}

/// A line for each filter. `removed` counts a segment once, for the first filter that it does not pass.
fn tell_removed(removed: &[Removed]) {
    let width = removed.iter().map(|filter| filter.filter.len()).max().unwrap_or(0).max(6);
    eprintln!("{:width$} {:>12} {:>12} {:>12}", "filter", "removed", "of them NULL", "by itself");
    for Removed { filter, removed, null, alone } in removed {
        eprintln!("{filter:width$} {removed:>12} {null:>12} {alone:>12}");
    }
}
