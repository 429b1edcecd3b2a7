//! Blocking work on a thread of its own: libtiledb and file systems block, and tasks of the async runtime must not.

use crate::error::{Error, Result};

/// Runs `work` on a thread that may block, and continues its panic in the caller. Must be called within a tokio runtime.
///
/// # Errors
/// [`Error::Shutdown`] when the runtime shut down before `work` ran.
pub async fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => Error::Shutdown,
    })
}

/// [`run_blocking`] for the fallible work of this crate.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    run_blocking(work).await?
}
