//! Consecutive refusals: if the archive refuses file after file to a valid login, most of the rest are not requested.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Error, Result};

/// Refusals in a row after which files are skipped; one or two files may need a licence of their own.
const LIMIT: usize = 5;
/// One file out of this many is still requested: files later in a list may be accessible.
const PROBE_EVERY: usize = 32;

/// The number of files in a row that were refused to a valid login.
#[derive(Debug, Default)]
pub(crate) struct ConsecutiveRefusals(AtomicUsize);

impl ConsecutiveRefusals {
    /// Counts the result of a download.
    pub(crate) fn count<T>(&self, result: &Result<T>) {
        match result {
            Ok(_) => self.0.store(0, Ordering::Relaxed),
            Err(Error::Forbidden { .. }) => {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
            Err(_) => {}
        }
    }

    /// Whether to skip the next file, which will most likely be refused as well.
    pub(crate) fn skips_next(&self) -> bool {
        let refused = self.0.load(Ordering::Relaxed);
        refused >= LIMIT && !refused.is_multiple_of(PROBE_EVERY)
    }
}
