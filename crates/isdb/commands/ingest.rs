//! `isdb ingest`: runs the ingest and tells how it goes, on standard error.

use isdb_ingest::{Report, Request, ingest};

use crate::cli::Ingest;
use crate::failure::{Failure, SOME_FAILED, SUCCESS};
use crate::progress::Telling;
use crate::settings::Settings;

pub(crate) async fn run(arguments: Ingest, settings: Settings) -> Result<u8, Failure> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let database = settings.location.uri();
    let request = Request {
        paths: arguments.paths,
        location: settings.location,
        config: settings.config,
        config_is_explicit: settings.config_is_explicit,
        threads: arguments.threads.map_or(processors, usize::from),
    };
    let mut telling = Telling::new();
    let report = ingest(request, |progress| telling.tell(progress)).await?;
    telling.end();
    tell_report(&report, &database);
    Ok(if report.failed.is_empty() { SUCCESS } else { SOME_FAILED })
}

fn tell_report(report: &Report, database: &str) {
    for failure in &report.failed {
        let path = failure.path.display().to_string();
        // Most errors name the file themselves.
        let place = if failure.error.contains(&path) { String::new() } else { format!("{path}: ") };
        eprintln!("failed: {place}{}", failure.error);
    }
    let parts = [
        (report.ingested, "ingested"),
        (report.empty, "empty"),
        (report.skipped, "skipped"),
        (report.failed.len(), "failed"),
    ];
    let told: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    eprintln!("granules: {}", told.join(", "));
    eprintln!("segments: {} stored, no quality filter", report.rows);
    if report.rows_rejected > 0 {
        eprintln!("segments without position or time, left out: {}", report.rows_rejected);
    }
    eprintln!("database: {database}");
}
