//! Ctrl-C, heard by a thread of its own: the threads of a runtime may all be busy with rows that nobody wants any more.

use std::sync::Arc;

use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

/// From its start on Ctrl-C ends nothing by itself, but is told to who waits for it.
pub(crate) struct Interrupts {
    heard: Arc<Notify>,
}

impl Interrupts {
    /// Starts to listen.
    pub(crate) fn listen() -> std::io::Result<Interrupts> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let inside = runtime.enter();
        let mut interrupts = signal(SignalKind::interrupt())?;
        drop(inside);
        let heard = Arc::new(Notify::new());
        let told = Arc::clone(&heard);
        let listen = async move {
            while interrupts.recv().await.is_some() {
                told.notify_waiters();
            }
        };
        std::thread::Builder::new().name("ctrl-c".to_owned()).spawn(move || runtime.block_on(listen))?;
        Ok(Interrupts { heard })
    }

    /// Waits for the next Ctrl-C; one that came before is forgotten.
    pub(crate) async fn next(&self) {
        self.heard.notified().await;
    }
}
