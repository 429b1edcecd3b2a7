//! Ctrl-C, received by a separate thread, because the threads of a runtime may all be busy with rows of a cancelled query.

use std::sync::Arc;

use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

/// Receives Ctrl-C. While it exists, Ctrl-C does not end the process; it wakes the tasks that wait in [`next`](Self::next).
pub(crate) struct Interrupts {
    received: Arc<Notify>,
}

impl Interrupts {
    /// Starts to listen.
    pub(crate) fn listen() -> std::io::Result<Interrupts> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let inside = runtime.enter();
        let mut interrupts = signal(SignalKind::interrupt())?;
        drop(inside);
        let received = Arc::new(Notify::new());
        let waiting = Arc::clone(&received);
        let listen = async move {
            while interrupts.recv().await.is_some() {
                waiting.notify_waiters();
            }
        };
        std::thread::Builder::new().name("ctrl-c".to_owned()).spawn(move || runtime.block_on(listen))?;
        Ok(Interrupts { received })
    }

    /// Waits for the next Ctrl-C; an earlier one does not count.
    pub(crate) async fn next(&self) {
        self.received.notified().await;
    }
}
