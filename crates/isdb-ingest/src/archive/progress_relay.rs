//! Progress of two tasks at once: the download of the next window, and the ingest of the current one.

use std::sync::{Mutex, PoisonError};

use tokio::sync::mpsc::UnboundedReceiver;

use crate::report::progress::Progress;

/// An event of the download task.
pub(super) enum DownloadEvent {
    /// This many bytes were received.
    Received(u64),
    /// A file was downloaded or failed.
    FileDone,
    /// Anything else, passed on unchanged.
    Other(Progress),
}

/// The caller's progress function, shared between the ingest and the [`ProgressRelay`].
pub(super) struct ProgressReporter<'p, P> {
    progress: Mutex<&'p mut P>,
}

/// Passes on the events of the download task, with totals.
pub(super) struct ProgressRelay<'t, 'p, P> {
    reporter: &'t ProgressReporter<'p, P>,
    events: UnboundedReceiver<DownloadEvent>,
    granules: usize,
    bytes: u64,
}

impl<'p, P: FnMut(Progress)> ProgressReporter<'p, P> {
    pub(super) fn new(progress: &'p mut P) -> ProgressReporter<'p, P> {
        ProgressReporter { progress: Mutex::new(progress) }
    }

    pub(super) fn report(&self, event: Progress) {
        (self.progress.lock().unwrap_or_else(PoisonError::into_inner))(event);
    }

    pub(super) fn relay(&self, events: UnboundedReceiver<DownloadEvent>) -> ProgressRelay<'_, 'p, P> {
        ProgressRelay { reporter: self, events, granules: 0, bytes: 0 }
    }
}

impl<P: FnMut(Progress)> ProgressRelay<'_, '_, P> {
    /// Awaits `work`, and passes on events meanwhile.
    pub(super) async fn during<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                Some(event) = self.events.recv() => self.pass_on(event),
            }
        }
    }

    fn pass_on(&mut self, event: DownloadEvent) {
        match event {
            DownloadEvent::Received(bytes) => self.bytes += bytes,
            DownloadEvent::FileDone => self.granules += 1,
            DownloadEvent::Other(event) => return self.reporter.report(event),
        }
        self.reporter.report(Progress::Downloaded { granules: self.granules, bytes: self.bytes });
    }
}
