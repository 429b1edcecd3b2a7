//! Progress of a search.

use crate::SearchProgress;
use indicatif::ProgressBar;

use super::bar;

/// Prints the progress of a search.
pub(crate) struct SearchReporter {
    bar: ProgressBar,
}

impl SearchReporter {
    pub(crate) fn new() -> SearchReporter {
        SearchReporter { bar: bar::draw("{spinner} {msg}", None) }
    }

    pub(crate) fn report(&self, progress: SearchProgress) {
        match progress {
            SearchProgress::DatabaseRelease(release) => {
                bar::above_bar(|| eprintln!("release: {release:03}, from the database"));
            }
            SearchProgress::NewestRelease(release) => {
                bar::above_bar(|| eprintln!("release: {release:03}, the newest"));
            }
            SearchProgress::Page { granules, hits } => {
                self.bar.set_message(format!("granules: {granules} of {hits}"));
                self.bar.tick();
            }
        }
    }

    /// Clears the bar.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
