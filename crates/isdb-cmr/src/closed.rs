//! Whether the archive is open to this login at all: where file after file is refused, the rest is not requested.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Error, Result};

/// Files in a row: one or two may want a licence of their own.
const IN_A_ROW: usize = 5;
/// Every file of this number is requested all the same, since what follows in a list may be open.
const TRIED: usize = 32;

/// How many files in a row were refused to a login that is right.
#[derive(Debug, Default)]
pub(crate) struct Closed(AtomicUsize);

impl Closed {
    /// Counts how a file has ended.
    pub(crate) fn count<T>(&self, result: &Result<T>) {
        match result {
            Ok(_) => self.0.store(0, Ordering::Relaxed),
            Err(Error::Forbidden { .. }) => {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
            Err(_) => {}
        }
    }

    /// Whether the next file will be refused as well.
    pub(crate) fn is_closed(&self) -> bool {
        let refused = self.0.load(Ordering::Relaxed);
        refused >= IN_A_ROW && !refused.is_multiple_of(TRIED)
    }
}
