//! Buffers for reading datasets. A granule's threads end with it, so its buffers are kept for the next granule: new ones would cost a
//! page fault for each page.

use std::sync::{Mutex, PoisonError};

use crate::decode::filters::Unfilter;

/// The most buffers that are kept, those of as many threads.
const MOST: usize = 64;
/// The largest buffers that are kept, in bytes. Those of a granule with all variables have 2 MB.
const LARGEST: usize = 8 << 20;

/// The buffers that no thread uses.
static UNUSED: Mutex<Vec<ReadBuffers>> = Mutex::new(Vec::new());

/// A thread's buffers, reused for every dataset.
pub(crate) struct ReadBuffers {
    pub(super) unfilter: Unfilter,
    /// A whole dataset of which only some rows are chosen. It only grows and is never cleared, because chosen rows are always
    /// overwritten.
    pub(super) dataset: Vec<u8>,
}

impl ReadBuffers {
    /// Returns buffers that were kept, or new ones.
    pub(crate) fn take() -> Self {
        let kept = UNUSED.lock().unwrap_or_else(PoisonError::into_inner).pop();
        kept.unwrap_or_else(|| Self { unfilter: Unfilter::new(), dataset: Vec::new() })
    }

    /// Keeps the buffers for another thread.
    pub(crate) fn keep(self) {
        let mut unused = UNUSED.lock().unwrap_or_else(PoisonError::into_inner);
        if unused.len() < MOST && self.dataset.len() + self.unfilter.bytes() <= LARGEST {
            unused.push(self);
        }
    }
}
