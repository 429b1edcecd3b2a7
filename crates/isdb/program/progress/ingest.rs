//! Progress of an ingest.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use crate::{IngestProgress, IngestRegions};
use indicatif::{HumanDuration, ProgressBar};
use isdb_schema::filters::presets;

use super::bar;
use crate::program::units::megabytes;

/// The bar moves by bytes: a granule with six beams is ten times the work of a clip with one.
const BAR: &str = "{spinner} [{bar:20}] {prefix} {wide_msg}";
/// Without a terminal, a line is printed at least this often while rows are read.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// Prints the progress of an ingest: a bar on a terminal; elsewhere a line for each window, and further lines while a window takes
/// long.
pub(crate) struct IngestReporter {
    /// None where standard error is not a terminal.
    bar: Option<ProgressBar>,
    /// When the ingest began, including the search for files.
    began: Instant,
    /// When the ingest began to read the files.
    reading_since: Instant,
    /// When the last line was printed.
    last_line: Instant,
}

/// The work done so far, out of all work.
struct Work {
    granules: usize,
    of_granules: usize,
    rows: u64,
    bytes: u64,
    of_bytes: u64,
}

impl IngestReporter {
    pub(crate) fn new() -> IngestReporter {
        let bar = std::io::stderr().is_terminal().then(ProgressBar::hidden);
        let now = Instant::now();
        IngestReporter { bar, began: now, reading_since: now, last_line: now }
    }

    pub(crate) fn report(&mut self, progress: IngestProgress) {
        match progress {
            IngestProgress::Region { regions } => {
                if let Some(line) = describe_regions(&regions) {
                    eprintln!("region: {line}");
                }
            }
            IngestProgress::Filters { names } if names.is_empty() => {
                let presets: Vec<&str> = presets().iter().map(|preset| preset.name).collect();
                eprintln!("filters: none; a new database can have {} (`isdb filters`)", presets.join(", "));
            }
            IngestProgress::Filters { names } => eprintln!("filters: {}", names.join(", ")),
            IngestProgress::Found { new, skipped, bytes } => {
                match skipped {
                    0 => eprintln!("granules to ingest: {new}"),
                    _ => eprintln!("granules to ingest: {new}, skipped: {skipped}"),
                }
                (self.reading_since, self.last_line) = (Instant::now(), Instant::now());
                if let (Some(bar), true) = (&mut self.bar, new > 0) {
                    *bar = bar::draw(BAR, Some(bytes));
                    let work = Work { granules: 0, of_granules: new, rows: 0, bytes: 0, of_bytes: bytes };
                    bar.set_message(line(&work, Duration::ZERO));
                }
            }
            IngestProgress::Read { granules, of, rows, bytes, of_bytes } => {
                let is_due = is_due(self.last_line, Instant::now());
                self.show(&Work { granules, of_granules: of, rows, bytes, of_bytes }, is_due);
            }
            IngestProgress::Committed { granules, of, rows, bytes, of_bytes } => {
                self.show(&Work { granules, of_granules: of, rows, bytes, of_bytes }, true);
            }
            IngestProgress::ToDownload { granules, bytes, folder, free } => {
                let (bytes, free, folder) = (megabytes(bytes), megabytes(free), folder.display());
                eprintln!("to download: {granules} granules, {bytes:.1} MB, into {folder} ({free:.1} MB free)");
            }
            IngestProgress::DownloadRetried { name, error, pause } => {
                let pause = pause.as_secs_f64();
                bar::above_bar(|| eprintln!("retrying in {pause:.1} s: {name}: {error}"));
            }
            IngestProgress::WindowRetried { granules, error } => {
                bar::above_bar(|| eprintln!("trying a window of {granules} granules once more: {error}"));
            }
            IngestProgress::Downloaded { granules, bytes } => {
                if let Some(bar) = &self.bar {
                    bar.set_prefix(format!("downloaded: {granules} granules, {:.1} MB", megabytes(bytes)));
                }
            }
            IngestProgress::Consolidated { group, of } => match &self.bar {
                Some(bar) => bar.set_message(format!("groups of fragments joined: {group} of {of}")),
                None => eprintln!("groups of fragments joined: {group} of {of}"),
            },
            _ => {}
        }
    }

    /// Moves the bar; without a bar, prints a line if one is due.
    fn show(&mut self, work: &Work, is_due: bool) {
        let line = line(work, self.reading_since.elapsed());
        match &self.bar {
            Some(bar) => {
                bar.set_length(work.of_bytes);
                bar.set_position(work.bytes);
                bar.set_message(line);
            }
            None if is_due => {
                self.last_line = Instant::now();
                eprintln!("{line}");
            }
            None => {}
        }
    }

    /// Clears the bar, and returns the duration of the ingest.
    pub(crate) fn finish(self) -> Duration {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
        self.began.elapsed()
    }
}

/// Describes the region that segments are kept in; None for whole granules of a database without a region.
pub(crate) fn describe_regions(IngestRegions { kept, before, after, .. }: &IngestRegions) -> Option<String> {
    match (kept, before) {
        (Some(kept), Some(before)) if before != kept => Some(format!("{kept} (the database's was {before})")),
        (Some(kept), Some(_)) => Some(format!("{kept} (the database's)")),
        (Some(kept), None) => Some(kept.clone()),
        (None, Some(before)) if after.is_none() => Some(format!("whole granules (the database's was {before})")),
        (None, Some(before)) => Some(format!("whole granules (the database's is {before})")),
        (None, None) => None,
    }
}

fn is_due(last_line: Instant, now: Instant) -> bool {
    now.saturating_duration_since(last_line) >= LINE_INTERVAL
}

fn line(work: &Work, elapsed: Duration) -> String {
    let pace = pace(work.bytes, work.of_bytes, elapsed).map(|pace| format!(", {pace}")).unwrap_or_default();
    format!("granules: {} of {}, segments: {}{pace}", work.granules, work.of_granules, work.rows)
}

/// Describes the megabytes per second, and the time left at that pace; None before anything is read.
fn pace(bytes: u64, of_bytes: u64, elapsed: Duration) -> Option<String> {
    if bytes == 0 {
        return None;
    }
    let (done, left) = (bytes as f64, of_bytes.saturating_sub(bytes) as f64);
    let seconds = elapsed.as_secs_f64().max(1e-3);
    let left = Duration::try_from_secs_f64(left / done * seconds).unwrap_or(Duration::MAX);
    Some(format!("{:.1} MB/s, {} left", megabytes(bytes) / seconds, HumanDuration(left)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_includes_the_time_left() {
        assert_eq!(pace(30_000_000, 90_000_000, Duration::from_secs(10)).unwrap(), "3.0 MB/s, 20 seconds left");
        assert_eq!(pace(90_000_000, 90_000_000, Duration::from_secs(30)).unwrap(), "3.0 MB/s, 0 seconds left");
    }

    #[test]
    fn a_region_is_compared_with_the_region_of_the_database() {
        let line = |kept: Option<&str>, before: Option<&str>, after: Option<&str>| {
            let [kept, before, after] = [kept, before, after].map(|region| region.map(str::to_owned));
            describe_regions(&IngestRegions { kept, before, after })
        };
        let (a, b) = (Some("0,0,1,1"), Some("0,0,2,2"));
        assert_eq!(line(a, a, a).unwrap(), "0,0,1,1 (the database's)");
        assert_eq!(line(b, a, b).unwrap(), "0,0,2,2 (the database's was 0,0,1,1)");
        assert_eq!(line(None, a, a).unwrap(), "whole granules (the database's is 0,0,1,1)");
        assert_eq!(line(None, a, None).unwrap(), "whole granules (the database's was 0,0,1,1)");
        assert_eq!(line(a, None, a).unwrap(), "0,0,1,1");
        assert_eq!(line(None, None, None), None);
    }

    #[test]
    fn no_pace_is_shown_before_anything_is_read() {
        let work = Work { granules: 0, of_granules: 5, rows: 0, bytes: 0, of_bytes: 90_000_000 };
        assert_eq!(line(&work, Duration::ZERO), "granules: 0 of 5, segments: 0");
    }

    #[test]
    fn lines_are_at_most_ten_seconds_apart() {
        let last_line = Instant::now();
        assert!(!is_due(last_line, last_line + Duration::from_secs(9)));
        assert!(is_due(last_line, last_line + Duration::from_secs(10)));
    }
}
