//! What fails for a moment is tried again: a timeout, a broken connection, an interrupted call. A full disk is not.

use std::error::Error as _;
use std::io::{self, ErrorKind};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};

/// The wait before the second try; it doubles from one to the next.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const TRIES_MORE: usize = 5;

/// Does `work`, and again a few times while it fails for a moment.
pub(crate) async fn patiently<T, F: Future<Output = object_store::Result<T>>>(
    work: impl FnMut() -> F,
) -> object_store::Result<T> {
    let waits = ExponentialBuilder::default().with_min_delay(FIRST_WAIT).with_max_times(TRIES_MORE);
    let told = |error: &object_store::Error, wait: Duration| tracing::debug!(%error, ?wait, "tried again");
    work.retry(waits).when(is_transient).notify(told).await
}

/// Whether the next try may well succeed.
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

    async fn tries_until_told(kind: ErrorKind, failures: usize) -> (usize, bool) {
        let tries = Cell::new(0);
        let ended = patiently(async || {
            tries.set(tries.get() + 1);
            if tries.get() <= failures { Err(failure(kind)) } else { Ok(()) }
        })
        .await;
        (tries.get(), ended.is_ok())
    }

    #[tokio::test]
    async fn a_broken_connection_costs_a_moment_and_not_the_window() {
        assert_eq!(tries_until_told(ErrorKind::ConnectionReset, 2).await, (3, true));
    }

    #[tokio::test]
    async fn a_full_disk_or_a_missing_permission_is_told_at_once() {
        for kind in [ErrorKind::StorageFull, ErrorKind::PermissionDenied, ErrorKind::AlreadyExists] {
            assert_eq!(tries_until_told(kind, 2).await, (1, false));
        }
    }
}
