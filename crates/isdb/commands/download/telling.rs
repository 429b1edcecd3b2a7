//! How a download tells that it goes on, on standard error: a bar where that is a terminal, a line for each retry everywhere.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use isdb_cmr::DownloadProgress;

use crate::progress;

/// Sizes are not always known before a file has come; then the bar counts without an end.
const BAR: &str = "{spinner} [{bar:20}] {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left, {msg}";
const BAR_WITHOUT_END: &str = "{spinner} {bytes}, {bytes_per_sec}, {msg}";
const TICK: Duration = Duration::from_millis(200);

/// Tells progress; what it drew is gone when it is let go.
pub(super) struct Telling {
    bar: ProgressBar,
    files: usize,
    ended: usize,
    failed: usize,
}

impl Telling {
    /// Of so many files, of which so many bytes are known to be missing.
    pub(super) fn new(files: usize, missing: u64) -> Telling {
        eprintln!("files to look at: {files}");
        let bar = match std::io::stderr().is_terminal() && files > 0 {
            true => ProgressBar::new(missing),
            false => ProgressBar::hidden(),
        };
        let template = if missing > 0 { BAR } else { BAR_WITHOUT_END };
        // A template that cannot be read would show the default bar.
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let telling = Telling { bar: bar.with_style(style), files, ended: 0, failed: 0 };
        if !telling.bar.is_hidden() {
            progress::draw(&telling.bar);
            telling.bar.enable_steady_tick(TICK);
        }
        telling.count();
        telling
    }

    pub(super) fn tell(&mut self, progress: &DownloadProgress<'_>) {
        match progress {
            DownloadProgress::Received(bytes) => self.bar.inc(*bytes),
            DownloadProgress::Discarded(bytes) => self.bar.set_position(self.bar.position().saturating_sub(*bytes)),
            DownloadProgress::Retrying { request, error, pause } => {
                let line = format!(
                    "again in {:.1} s: {}: {}",
                    pause.as_secs_f64(),
                    request.name,
                    isdb_schema::printable::error_chain(error)
                );
                self.bar.suspend(|| eprintln!("{line}"));
            }
            _ => {}
        }
    }

    /// A file has come to its end, well or not.
    pub(super) fn ended(&mut self, well: bool) {
        self.ended += 1;
        self.failed += usize::from(!well);
        self.count();
    }

    fn count(&self) {
        let failed = if self.failed > 0 { format!(", {} failed", self.failed) } else { String::new() };
        self.bar.set_message(format!("files: {} of {}{failed}", self.ended, self.files));
    }

    /// Takes the bar away, for the report to follow.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}
