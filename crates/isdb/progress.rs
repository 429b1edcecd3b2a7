//! How an ingest tells that it goes on, on standard error: a bar where that is a terminal, elsewhere a line for each window, and
//! one now and then while a window takes long.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use isdb_ingest::{Progress, Regions};
use isdb_schema::filters::presets;

/// The bar moves by bytes; a granule with six beams is ten times the work of one with a clip of one.
const BAR: &str = "{spinner} [{bar:20}] {prefix} {wide_msg}";
const TICK: Duration = Duration::from_millis(200);
/// No longer without a line.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// The bar that is on the terminal, for lines that come meanwhile.
static DRAWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Lets lines that come while `bar` is on the terminal go above it.
pub(crate) fn draw(bar: &ProgressBar) {
    *DRAWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
}

/// Writes to the terminal beside the bar, if one is drawn.
pub(crate) fn aside<T>(write: impl FnOnce() -> T) -> T {
    let drawn = DRAWN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match drawn {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// Tells progress; what it drew is gone when it ends.
pub(crate) struct Telling {
    /// Where a person looks on.
    bar: Option<ProgressBar>,
    /// When the ingest began, looking for files included, and when it began to read them.
    began: Instant,
    started: Instant,
    /// When a line was told last.
    told: Instant,
}

impl Telling {
    /// A bar if a person looks on.
    pub(crate) fn new() -> Telling {
        let bar = std::io::stderr().is_terminal().then(ProgressBar::hidden);
        let now = Instant::now();
        Telling { bar, began: now, started: now, told: now }
    }

    pub(crate) fn tell(&mut self, progress: Progress) {
        match progress {
            Progress::Region { regions } => {
                if let Some(line) = region(&regions) {
                    eprintln!("region: {line}");
                }
            }
            Progress::Filters { names } if names.is_empty() => {
                let presets: Vec<&str> = presets().iter().map(|preset| preset.name).collect();
                eprintln!("filters: none; --filters can keep only {} (`isdb filters`)", presets.join(", "));
            }
            Progress::Filters { names } => eprintln!("filters: {}", names.join(", ")),
            Progress::Found { new, skipped, bytes } => {
                match skipped {
                    0 => eprintln!("granules to ingest: {new}"),
                    _ => eprintln!("granules to ingest: {new}, already in the database: {skipped}"),
                }
                (self.started, self.told) = (Instant::now(), Instant::now());
                if let (Some(bar), true) = (&mut self.bar, new > 0) {
                    *bar = shown(bytes, new);
                    draw(bar);
                }
            }
            Progress::Read { granules, of, rows, bytes, of_bytes } => {
                let is_due = is_due(self.told, Instant::now());
                self.go_on(granules, of, rows, (bytes, of_bytes), is_due);
            }
            Progress::ToDownload { granules, bytes, folder, free } => {
                let [bytes, free] = [bytes, free].map(|bytes| bytes as f64 / 1e6);
                let folder = folder.display();
                eprintln!("to fetch: {granules} granules, {bytes:.1} MB, into {folder} ({free:.1} MB free)");
            }
            Progress::DownloadRetried { name, error, pause } => {
                let line = format!("again in {:.1} s: {name}: {error}", pause.as_secs_f64());
                match &self.bar {
                    Some(bar) => bar.suspend(|| eprintln!("{line}")),
                    None => eprintln!("{line}"),
                }
            }
            Progress::Downloaded { granules, bytes } => {
                if let Some(bar) = &self.bar {
                    bar.set_prefix(format!("fetched: {granules} granules, {:.1} MB", bytes as f64 / 1e6));
                }
            }
            Progress::Committed { granules, of, rows, bytes, of_bytes } => {
                self.go_on(granules, of, rows, (bytes, of_bytes), true);
            }
            Progress::Consolidated { group, of } => match &self.bar {
                Some(bar) => bar.set_message(format!("groups of fragments written again: {group} of {of}")),
                None => eprintln!("groups of fragments written again: {group} of {of}"),
            },
            _ => {}
        }
    }

    /// Moves the bar; without one tells a line, if one is due.
    fn go_on(&mut self, granules: usize, of: usize, rows: u64, (bytes, of_bytes): (u64, u64), is_due: bool) {
        let line = line(granules, of, rows, &pace(bytes, of_bytes, self.started.elapsed()));
        match &self.bar {
            Some(bar) => {
                bar.set_length(of_bytes);
                bar.set_position(bytes);
                bar.set_message(line);
            }
            None if is_due => {
                self.told = Instant::now();
                eprintln!("{line}");
            }
            None => {}
        }
    }

    /// Takes the bar away, for the report to follow, and says how long it took.
    pub(crate) fn end(self) -> Duration {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
        self.began.elapsed()
    }
}

/// Which segments are kept by their position; None when that is all of them, as in every database without a region.
pub(crate) fn region(Regions { kept, before, after }: &Regions) -> Option<String> {
    match (kept, before) {
        (Some(kept), Some(before)) if before != kept => Some(format!("{kept} (that of the database was {before})")),
        (Some(kept), Some(_)) => Some(format!("{kept} (that of the database)")),
        (Some(kept), None) => Some(kept.clone()),
        (None, Some(before)) if after.is_none() => Some(format!("whole granules (that of the database was {before})")),
        (None, Some(before)) => Some(format!("whole granules (that of the database is {before})")),
        (None, None) => None,
    }
}

fn shown(bytes: u64, granules: usize) -> ProgressBar {
    // A template that cannot be read would show the default bar.
    let style = ProgressStyle::with_template(BAR).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(bytes).with_style(style).with_message(line(0, granules, 0, ""));
    bar.enable_steady_tick(TICK);
    bar
}

fn is_due(told: Instant, now: Instant) -> bool {
    now.saturating_duration_since(told) >= LINE_EVERY
}

fn line(granules: usize, of: usize, rows: u64, pace: &str) -> String {
    let pace = if pace.is_empty() { String::new() } else { format!(", {pace}") };
    format!("granules: {granules} of {of}, segments: {rows}{pace}")
}

/// Megabytes a second since the start, and the time left at that pace. Nothing before anything is read.
fn pace(done: u64, of: u64, elapsed: Duration) -> String {
    if done == 0 {
        return String::new();
    }
    let (done, left) = (done as f64, of.saturating_sub(done) as f64);
    let seconds = elapsed.as_secs_f64().max(1e-3);
    let left = Duration::try_from_secs_f64(left / done * seconds).unwrap_or(Duration::MAX);
    format!("{:.1} MB/s, {} left", done / seconds / 1e6, HumanDuration(left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_says_how_long_it_will_still_take() {
        assert_eq!(pace(30_000_000, 90_000_000, Duration::from_secs(10)), "3.0 MB/s, 20 seconds left");
        assert_eq!(pace(90_000_000, 90_000_000, Duration::from_secs(30)), "3.0 MB/s, 0 seconds left");
    }

    #[test]
    fn a_region_says_what_becomes_of_that_of_the_database() {
        let line = |kept: Option<&str>, before: Option<&str>, after: Option<&str>| {
            let [kept, before, after] = [kept, before, after].map(|region| region.map(str::to_owned));
            region(&Regions { kept, before, after })
        };
        let (a, b) = (Some("0,0,1,1"), Some("0,0,2,2"));
        assert_eq!(line(a, a, a).unwrap(), "0,0,1,1 (that of the database)");
        assert_eq!(line(b, a, b).unwrap(), "0,0,2,2 (that of the database was 0,0,1,1)");
        assert_eq!(line(None, a, a).unwrap(), "whole granules (that of the database is 0,0,1,1)");
        assert_eq!(line(None, a, None).unwrap(), "whole granules (that of the database was 0,0,1,1)");
        assert_eq!(line(a, None, a).unwrap(), "0,0,1,1");
        assert_eq!(line(None, None, None), None);
    }

    #[test]
    fn nothing_read_yet_promises_nothing() {
        assert_eq!(line(0, 5, 0, &pace(0, 90_000_000, Duration::ZERO)), "granules: 0 of 5, segments: 0");
    }

    #[test]
    fn a_long_window_is_not_silent_for_longer_than_ten_seconds() {
        let told = Instant::now();
        assert!(!is_due(told, told + Duration::from_secs(9)));
        assert!(is_due(told, told + Duration::from_secs(10)));
    }
}
