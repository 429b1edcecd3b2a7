//! How an ingest tells that it goes on, on standard error: a bar where that is a terminal, a line for each window elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use isdb_ingest::Progress;
use isdb_schema::filters::presets;

/// The bar moves by bytes; a granule with six beams is ten times the work of one with a clip of one.
const BAR: &str = "{spinner} [{bar:20}] {wide_msg}";
const TICK: Duration = Duration::from_millis(200);

/// Tells progress; what it drew is gone when it is let go.
pub(crate) enum Telling {
    /// On a terminal.
    Bar { bar: ProgressBar, started: Instant },
    /// Into a file or pipe.
    Lines,
}

impl Telling {
    /// A bar if a person looks on.
    pub(crate) fn new() -> Telling {
        match std::io::stderr().is_terminal() {
            true => Telling::Bar { bar: ProgressBar::hidden(), started: Instant::now() },
            false => Telling::Lines,
        }
    }

    pub(crate) fn tell(&mut self, progress: Progress) {
        match (self, progress) {
            (_, Progress::Filters { names }) if names.is_empty() => {
                let presets: Vec<&str> = presets().iter().map(|preset| preset.name).collect();
                eprintln!("filters: none; --filters can keep only {} (`isdb filters`)", presets.join(", "));
            }
            (_, Progress::Filters { names }) => eprintln!("filters: {}", names.join(", ")),
            (telling, Progress::Found { new, skipped, bytes }) => {
                match skipped {
                    0 => eprintln!("granules to ingest: {new}"),
                    _ => eprintln!("granules to ingest: {new}, already in the database: {skipped}"),
                }
                if let (Telling::Bar { bar, started }, true) = (telling, new > 0) {
                    (*bar, *started) = (shown(bytes, new), Instant::now());
                }
            }
            (_, Progress::ToFetch { granules, bytes, folder, free }) => {
                let [bytes, free] = [bytes, free].map(|bytes| bytes as f64 / 1e6);
                eprintln!(
                    "to fetch: {granules} granules, {bytes:.1} MB, into {} ({free:.1} MB free)",
                    folder.display()
                );
            }
            (telling, Progress::FetchAgain { name, error, pause }) => {
                let line = format!("again in {:.1} s: {name}: {error}", pause.as_secs_f64());
                match telling {
                    Telling::Bar { bar, .. } => bar.suspend(|| eprintln!("{line}")),
                    Telling::Lines => eprintln!("{line}"),
                }
            }
            (Telling::Bar { bar, .. }, Progress::Fetched { granules, bytes }) => {
                bar.set_prefix(format!("fetched: {granules} granules, {:.1} MB", bytes as f64 / 1e6));
            }
            (Telling::Lines, Progress::Committed { granules, of, rows }) => {
                eprintln!("granules: {granules} of {of}, segments: {rows}");
            }
            (Telling::Bar { bar, started }, Progress::Read { bytes }) => {
                bar.set_prefix(pace(bytes, bar.length().unwrap_or(bytes), started.elapsed()));
                bar.set_position(bytes);
            }
            (Telling::Bar { bar, .. }, Progress::Committed { granules, of, rows }) => {
                bar.set_message(format!("granules: {granules} of {of}, segments: {rows}"));
            }
            _ => {}
        }
    }

    /// Takes the bar away, for the report to follow.
    pub(crate) fn end(self) {
        if let Telling::Bar { bar, .. } = self {
            bar.finish_and_clear();
        }
    }
}

fn shown(bytes: u64, granules: usize) -> ProgressBar {
    // A template that cannot be read would show the default bar.
    let style = ProgressStyle::with_template(BAR).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(bytes)
        .with_style(style)
        .with_message(format!("granules: 0 of {granules}"))
        .with_prefix("reading");
    bar.enable_steady_tick(TICK);
    bar
}

/// Megabytes a second since the start, and the time left at that pace.
fn pace(done: u64, of: u64, elapsed: Duration) -> String {
    let (done, left) = (done as f64, of.saturating_sub(done) as f64);
    let seconds = elapsed.as_secs_f64().max(1e-3);
    let left = Duration::try_from_secs_f64(left / done.max(1.0) * seconds).unwrap_or(Duration::MAX);
    format!("{:.1} MB/s, {} left", done / seconds / 1e6, HumanDuration(left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_says_how_long_it_will_still_take() {
        assert_eq!(pace(30_000_000, 90_000_000, Duration::from_secs(10)), "3.0 MB/s, 20 seconds left");
        assert_eq!(pace(90_000_000, 90_000_000, Duration::from_secs(30)), "3.0 MB/s, 0 seconds left");
        assert!(pace(0, 90_000_000, Duration::ZERO).starts_with("0.0 MB/s, "));
    }
}
