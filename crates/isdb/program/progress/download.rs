//! Progress of a download.

use std::sync::{Mutex, PoisonError};

use indicatif::ProgressBar;
use isdb_cmr::DownloadProgress;

use super::bar;

/// The size of a file may be unknown before its download; without any size the bar has no end.
const BAR: &str = "{spinner} [{bar:20}] {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left, {msg}";
const BAR_WITHOUT_END: &str = "{spinner} {bytes}, {bytes_per_sec}, {msg}";

/// Prints the progress of a download: a bar on a terminal, and a line for each retry.
pub(crate) struct DownloadReporter {
    bar: ProgressBar,
    files: usize,
    done: Mutex<Done>,
}

/// The number of files that are complete, or have failed.
#[derive(Clone, Copy, Default)]
struct Done {
    files: usize,
    failed: usize,
}

impl DownloadReporter {
    /// Creates the progress of `files` files, of which `missing_bytes` bytes are known to be missing.
    pub(crate) fn new(files: usize, missing_bytes: u64) -> DownloadReporter {
        eprintln!("files to download: {files}");
        let template = if missing_bytes > 0 { BAR } else { BAR_WITHOUT_END };
        let bar = if files > 0 { bar::draw(template, Some(missing_bytes)) } else { ProgressBar::hidden() };
        let reporter = DownloadReporter { bar, files, done: Mutex::new(Done::default()) };
        reporter.show(Done::default());
        reporter
    }

    pub(crate) fn report(&self, progress: &DownloadProgress<'_>) {
        match progress {
            DownloadProgress::Received(bytes) => self.bar.inc(*bytes),
            DownloadProgress::Discarded(bytes) => self.bar.set_position(self.bar.position().saturating_sub(*bytes)),
            DownloadProgress::Retrying { request, error, pause } => {
                let (pause, cause) = (pause.as_secs_f64(), isdb_schema::printable::error_chain(error));
                self.bar.suspend(|| eprintln!("retrying in {pause:.1} s: {}: {cause}", request.name));
            }
            _ => {}
        }
    }

    /// Counts a file that is complete, or has failed.
    pub(crate) fn count(&self, is_complete: bool) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.files += 1;
        done.failed += usize::from(!is_complete);
        self.show(*done);
    }

    fn show(&self, done: Done) {
        let failed = if done.failed > 0 { format!(", {} failed", done.failed) } else { String::new() };
        self.bar.set_message(format!("files: {} of {}{failed}", done.files, self.files));
    }

    /// Clears the bar.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
