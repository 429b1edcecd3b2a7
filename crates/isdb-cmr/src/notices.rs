//! Notices to the user while requests are running: long waits, and credentials that are no longer used.

use std::fmt;
use std::sync::Arc;

type Listener = dyn Fn(&str) + Send + Sync;

/// Sends notices to a listener; without one they are logged as warnings.
#[derive(Clone, Default)]
pub(crate) struct Notices(Option<Arc<Listener>>);

impl Notices {
    pub(crate) fn new(listener: impl Fn(&str) + Send + Sync + 'static) -> Notices {
        Notices(Some(Arc::new(listener)))
    }

    pub(crate) fn send(&self, text: &str) {
        match &self.0 {
            Some(listener) => {
                tracing::info!("{text}");
                listener(text);
            }
            None => tracing::warn!("{text}"),
        }
    }
}

impl fmt::Debug for Notices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notices")
    }
}
