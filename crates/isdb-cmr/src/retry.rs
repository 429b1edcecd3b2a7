//! Pauses between attempts.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// An endless series of pauses: each is about twice as long as the one before, up to a maximum, with random jitter.
pub(crate) struct Pauses {
    builder: ExponentialBuilder,
    backoff: ExponentialBackoff,
    max: Duration,
}

impl Pauses {
    pub(crate) fn new(first: Duration, max: Duration) -> Pauses {
        let builder =
            ExponentialBuilder::new().with_min_delay(first).with_max_delay(max).with_jitter().without_max_times();
        Pauses { builder, backoff: builder.build(), max }
    }

    pub(crate) fn next(&mut self) -> Duration {
        self.backoff.next().unwrap_or(self.max)
    }

    /// Starts again with the shortest pause.
    pub(crate) fn restart(&mut self) {
        self.backoff = self.builder.build();
    }
}
