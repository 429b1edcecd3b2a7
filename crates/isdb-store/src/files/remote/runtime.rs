//! The threads that make the requests to object stores. They are the process's own and last as long as it does, so that a connection
//! outlives the caller's runtime, and a thread that waits for a request never waits for itself: a query waits on a thread of its
//! runtime, which may be the only one.

use std::future::Future;
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Handle, Runtime};

/// More threads than this gain nothing: they decrypt and copy, and the query decodes.
const MAX_THREADS: usize = 4;

/// The handle of the runtime, which the first call starts.
pub(super) fn runtime() -> std::io::Result<Handle> {
    static RUNTIME: Mutex<Option<Runtime>> = Mutex::new(None);
    let mut runtime = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(runtime) = &*runtime {
        return Ok(runtime.handle().clone());
    }
    let threads = available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
    let started = Builder::new_multi_thread().worker_threads(threads).thread_name("isdb-store").enable_all().build()?;
    let handle = started.handle().clone();
    *runtime = Some(started);
    Ok(handle)
}

/// Runs `work` on the runtime, and waits for it. The caller may be a thread of any other runtime. None if `work` panicked.
pub(super) fn wait<T: Send + 'static>(runtime: &Handle, work: impl Future<Output = T> + Send + 'static) -> Option<T> {
    let (sender, receiver) = sync_channel(1);
    runtime.spawn(async move {
        // The receiver waits until this is sent.
        let _ = sender.send(work.await);
    });
    receiver.recv().ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn the_only_thread_of_a_runtime_can_wait() {
        let work = async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            5
        };
        assert_eq!(wait(&runtime().unwrap(), work), Some(5));
    }
}
