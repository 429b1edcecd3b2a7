//! Progress of two works at once: the files that come in, in a task of their own, and the window that is ingested meanwhile.

use std::sync::{Mutex, PoisonError};

use tokio::sync::mpsc::UnboundedReceiver;

use crate::progress::Progress;

/// What the fetching task tells.
pub(super) enum Event {
    /// Bytes have come.
    Received(u64),
    /// A file has come or failed.
    Ended,
    /// To be told as it is.
    Told(Progress),
}

/// Who is told.
pub(super) struct Telling<'p, P> {
    progress: Mutex<&'p mut P>,
}

/// Passes on what the fetching task tells.
pub(super) struct Listening<'t, 'p, P> {
    telling: &'t Telling<'p, P>,
    events: UnboundedReceiver<Event>,
    granules: usize,
    bytes: u64,
}

impl<'p, P: FnMut(Progress)> Telling<'p, P> {
    pub(super) fn new(progress: &'p mut P) -> Telling<'p, P> {
        Telling { progress: Mutex::new(progress) }
    }

    pub(super) fn tell(&self, event: Progress) {
        (self.progress.lock().unwrap_or_else(PoisonError::into_inner))(event);
    }

    pub(super) fn listen(&self, events: UnboundedReceiver<Event>) -> Listening<'_, 'p, P> {
        Listening { telling: self, events, granules: 0, bytes: 0 }
    }
}

impl<P: FnMut(Progress)> Listening<'_, '_, P> {
    /// Does `work`, and passes on what comes in meanwhile.
    pub(super) async fn beside<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                Some(event) = self.events.recv() => self.pass_on(event),
            }
        }
    }

    fn pass_on(&mut self, event: Event) {
        match event {
            Event::Received(bytes) => self.bytes += bytes,
            Event::Ended => self.granules += 1,
            Event::Told(event) => return self.telling.tell(event),
        }
        self.telling.tell(Progress::Fetched { granules: self.granules, bytes: self.bytes });
    }
}
