//! Retries of transient storage errors: timeouts, broken connections, interrupted calls. A full disk is not retried.

use std::error::Error as _;
use std::io::{self, ErrorKind};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};

/// The wait before the first retry; it doubles with each one.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const MAX_RETRIES: usize = 5;

/// Runs `work`, and again up to five times while it fails with a transient error.
pub(crate) async fn with_retries<T, F: Future<Output = object_store::Result<T>>>(
    work: impl FnMut() -> F,
) -> object_store::Result<T> {
    let waits = ExponentialBuilder::default().with_min_delay(FIRST_WAIT).with_max_times(MAX_RETRIES);
    let log = |error: &object_store::Error, wait: Duration| tracing::debug!(%error, ?wait, "retrying");
    work.retry(waits).when(is_transient).notify(log).await
}

/// Whether a retry is likely to succeed.
fn is_transient(error: &object_store::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return is_transient_io(error.kind());
        }
        cause = error.source();
    }
    false
}

fn is_transient_io(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Interrupted
            | ErrorKind::TimedOut
            | ErrorKind::WouldBlock
            | ErrorKind::ResourceBusy
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionRefused
            | ErrorKind::NotConnected
            | ErrorKind::BrokenPipe
            | ErrorKind::UnexpectedEof
            | ErrorKind::StaleNetworkFileHandle
    )
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn failure(kind: ErrorKind) -> object_store::Error {
        object_store::Error::Generic { store: "test", source: Box::new(io::Error::from(kind)) }
    }

    async fn count_tries(kind: ErrorKind, failures: usize) -> (usize, bool) {
        let tries = Cell::new(0);
        let result = with_retries(async || {
            tries.set(tries.get() + 1);
            if tries.get() <= failures { Err(failure(kind)) } else { Ok(()) }
        })
        .await;
        (tries.get(), result.is_ok())
    }

    #[tokio::test]
    async fn a_broken_connection_is_retried() {
        assert_eq!(count_tries(ErrorKind::ConnectionReset, 2).await, (3, true));
    }

    #[tokio::test]
    async fn a_full_disk_or_a_missing_permission_is_not_retried() {
        for kind in [ErrorKind::StorageFull, ErrorKind::PermissionDenied, ErrorKind::AlreadyExists] {
            assert_eq!(count_tries(kind, 2).await, (1, false));
        }
    }
}
