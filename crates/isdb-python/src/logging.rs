//! Events of the engine in Python's `logging`. Threads of the engine queue them, and the thread that waits for the engine passes them on:
//! a thread of the engine that waited for the interpreter could be waited for by the thread that holds it.

use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// Events that may wait. Further ones are dropped.
const MOST_EVENTS: usize = 10_000;

/// Levels of Python's `logging`.
const ERROR: u8 = 40;
const WARNING: u8 = 30;
const INFO: u8 = 20;
const DEBUG: u8 = 10;
/// Python has no name for a level below DEBUG.
const TRACE: u8 = 5;

static QUEUE: Mutex<VecDeque<LogEvent>> = Mutex::new(VecDeque::new());

/// The level of the logger `isdb`, below which events are not queued.
static LEVEL: AtomicU8 = AtomicU8::new(WARNING);

/// An event as Python's `logging` gets it.
struct LogEvent {
    logger: String,
    level: u8,
    text: String,
}

/// Starts to queue events, unless the process has a subscriber already.
pub(crate) fn start() {
    let _ = tracing_subscriber::registry().with(Queue).try_init();
}

/// Passes the queued events on, and adopts the level of the logger `isdb`. An error of a handler is reported as that of the handler.
///
/// # Errors
/// An interrupt that arrives meanwhile.
pub(crate) fn deliver(py: Python<'_>) -> PyResult<()> {
    let events = std::mem::take(&mut *QUEUE.lock().unwrap_or_else(PoisonError::into_inner));
    let log = || -> PyResult<()> {
        let logging = py.import("logging")?;
        let get = |name: &str| logging.call_method1("getLogger", (name,));
        let level: u32 = get("isdb")?.call_method0("getEffectiveLevel")?.extract()?;
        LEVEL.store(u8::try_from(level).unwrap_or(u8::MAX), Ordering::Relaxed);
        for event in events {
            get(&event.logger)?.call_method1("log", (event.level, "%s", event.text))?;
        }
        Ok(())
    };
    match log() {
        Err(error) if error.is_instance_of::<PyException>(py) => {
            error.write_unraisable(py, None);
            Ok(())
        }
        result => result,
    }
}

/// The layer that queues events.
struct Queue;

impl<S: Subscriber> Layer<S> for Queue {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        !metadata.is_event()
            || (number(*metadata.level()) >= LEVEL.load(Ordering::Relaxed) && isdb::embed::is_safe_event(metadata))
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = Text::default();
        event.record(&mut text);
        let metadata = event.metadata();
        let entry = LogEvent {
            logger: logger(metadata.target()),
            level: number(*metadata.level()),
            text: format!("{}{}", text.message, text.fields),
        };
        let mut queue = QUEUE.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.len() < MOST_EVENTS {
            queue.push_back(entry);
        }
    }
}

fn number(level: Level) -> u8 {
    match level {
        Level::ERROR => ERROR,
        Level::WARN => WARNING,
        Level::INFO => INFO,
        Level::DEBUG => DEBUG,
        Level::TRACE => TRACE,
    }
}

/// The logger of a target: all are below `isdb`.
fn logger(target: &str) -> String {
    let target = target.replace("::", ".");
    match target.strip_prefix("isdb").map(|rest| rest.trim_start_matches(['_', '.'])) {
        Some("") => "isdb".to_owned(),
        Some(rest) => format!("isdb.{rest}"),
        None => format!("isdb.{target}"),
    }
}

/// The message and the other fields of an event.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    #[expect(clippy::use_debug, reason = "tracing gives values in this form only")]
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // A string takes every text.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}
