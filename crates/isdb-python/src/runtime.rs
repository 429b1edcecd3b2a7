//! The threads that run the engine, and the wait for what they do: the interpreter is released meanwhile, signals are handled, and what is
//! no longer awaited is dropped.

use std::future::Future;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use isdb::embed::Failure;
use pyo3::prelude::*;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::failure::{exception, raise};
use crate::logging;

/// How often signals are looked for, so that a stop button answers at once.
const INTERVAL: Duration = Duration::from_millis(200);

/// Time that a cancelled write may take to end, as for the command.
pub(crate) const WRITE_PATIENCE: Duration = Duration::from_secs(30);

/// Time after which threads that do not begin a task are busy.
const BUSY: Duration = Duration::from_millis(500);

/// The runtime, and the process that started it. It is never dropped: nothing of it runs while the interpreter ends.
static RUNTIME: Mutex<Option<(u32, &'static Runtime)>> = Mutex::new(None);

/// Returns the runtime, which starts at the first call.
///
/// # Errors
/// In a process that was forked from the one that started it: threads do not survive a fork, and what they held stays locked.
pub(crate) fn runtime(py: Python<'_>) -> PyResult<&'static Runtime> {
    let mut current = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if current.is_none() {
        logging::start();
        *current = Some((std::process::id(), Box::leak(Box::new(Runtime::new()?))));
    }
    match *current {
        Some((process, runtime)) if process == std::process::id() => Ok(runtime),
        _ => Err(exception(
            py,
            "Forked",
            "isdb was used before this process was forked, and its threads are not in the fork",
            Some(
                "start processes with multiprocessing.get_context(\"spawn\") or \"forkserver\", or use isdb after the fork only",
            ),
        )),
    }
}

/// Starts other threads if all of the runtime are busy after an interrupt: an operator that was cancelled, such as a join without an
/// equality, ends only after its present batch, which may take minutes.
pub(crate) fn replace_if_busy(py: Python<'_>) {
    let Ok(runtime) = runtime(py) else { return };
    let (sender, receiver) = mpsc::channel();
    runtime.spawn(async move {
        let _ = sender.send(());
    });
    let is_busy = py.detach(move || receiver.recv_timeout(BUSY)).is_err();
    // Without another runtime the present one stays.
    if let (true, Ok(other)) = (is_busy, Runtime::new()) {
        let other = (std::process::id(), &*Box::leak(Box::new(other)));
        *RUNTIME.lock().unwrap_or_else(PoisonError::into_inner) = Some(other);
    }
}

/// What a task sends to the thread that waits for it.
enum Message<E, T> {
    Event(E),
    Done(Result<T, Failure>),
}

/// Runs the future that `make` returns, and waits for it.
///
/// # Errors
/// Its error, as an exception; `KeyboardInterrupt`, after which the future is dropped.
pub(crate) fn wait<T, F>(py: Python<'_>, make: impl FnOnce() -> F + Send + 'static) -> PyResult<T>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Failure>>,
{
    wait_with(py, |_: Events<()>| make(), |_, ()| Ok(()), Duration::ZERO)
}

/// Sends events to the thread that waits for a task.
pub(crate) struct Events<E>(Arc<dyn Fn(E) + Send + Sync>);

impl<E> Clone for Events<E> {
    fn clone(&self) -> Self {
        Events(Arc::clone(&self.0))
    }
}

impl<E> Events<E> {
    pub(crate) fn send(&self, event: E) {
        (self.0)(event);
    }
}

/// As [`wait`], with events for which `listen` is called on this thread. Its error ends the task as well. A task that is ended gets
/// `patience` to end.
pub(crate) fn wait_with<E, T, F>(
    py: Python<'_>,
    make: impl FnOnce(Events<E>) -> F + Send + 'static,
    mut listen: impl FnMut(Python<'_>, E) -> PyResult<()>,
    patience: Duration,
) -> PyResult<T>
where
    E: Send + 'static,
    T: Send + 'static,
    F: Future<Output = Result<T, Failure>>,
{
    let (sender, receiver) = mpsc::channel();
    let receiver = Mutex::new(receiver);
    let (alive, abandoned) = oneshot::channel::<()>();
    start(py, make, sender, abandoned)?;
    let ended_by = loop {
        let step = match next(py, &receiver, INTERVAL) {
            Ok(Message::Done(result)) => {
                logging::deliver(py)?;
                return result.map_err(|failure| raise(py, &failure));
            }
            Ok(Message::Event(event)) => listen(py, event),
            Err(RecvTimeoutError::Timeout) => py.check_signals(),
            Err(RecvTimeoutError::Disconnected) => {
                break exception(py, "Error", "a thread of the engine has ended with a panic", None);
            }
        };
        if let Err(error) = step.and_then(|()| logging::deliver(py)) {
            break error;
        }
    };
    drop(alive);
    let deadline = Instant::now() + patience;
    while let Some(rest) = deadline.checked_duration_since(Instant::now()) {
        if matches!(next(py, &receiver, rest), Ok(Message::Done(_)) | Err(_)) {
            break;
        }
    }
    replace_if_busy(py);
    Err(ended_by)
}

fn next<M: Send>(py: Python<'_>, receiver: &Mutex<Receiver<M>>, time: Duration) -> Result<M, RecvTimeoutError> {
    py.detach(|| receiver.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(time))
}

/// Runs a future on a thread of its own, because it need not be `Send`. It is dropped when `abandoned` resolves.
fn start<E, T, F>(
    py: Python<'_>,
    make: impl FnOnce(Events<E>) -> F + Send + 'static,
    sender: Sender<Message<E, T>>,
    abandoned: oneshot::Receiver<()>,
) -> PyResult<()>
where
    E: Send + 'static,
    T: Send + 'static,
    F: Future<Output = Result<T, Failure>>,
{
    let engine = runtime(py)?.handle().clone();
    let events = sender.clone();
    let events = Events(Arc::new(move |event| {
        // After an interrupt the receiver is gone.
        let _ = events.send(Message::Event(event));
    }));
    runtime(py)?.spawn_blocking(move || {
        engine.block_on(async move {
            tokio::select! {
                result = make(events) => {
                    let _ = sender.send(Message::Done(result));
                }
                _ = abandoned => {}
            }
        });
    });
    Ok(())
}
