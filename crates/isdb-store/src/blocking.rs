//! libtiledb blocks; this is the one way from async code to it.

use crate::error::{Error, Result};

/// Runs `work` on a thread that may block. Must be called within a tokio runtime.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(joined) => match joined.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => {
                let source = std::io::Error::other("the runtime shut down");
                Err(Error::Io { path: "blocking work".to_owned(), source })
            }
        },
    }
}
