//! Logs by `tracing`, as text or JSON, on standard error or in a file.
//!
//! Below WARN only events of our own crates are logged, at any level: at DEBUG and TRACE network libraries log headers and cookies,
//! which contain credentials. Requests to an object store that are repeated are logged at INFO: by status and wait. Events of the `log`
//! crate are not logged at all.

use std::fs::File;
use std::io::{IsTerminal, Write};
use std::sync::Mutex;

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::program::cli::{LogArgs, TextFormat};
use crate::program::error::CliError;
use crate::program::log_filter::log_filter;
use crate::program::{messages, progress};

/// Target prefixes of our own crates.
const OWN: [&str; 2] = ["isdb", "tiledb"];

/// Starts to log as `arguments` specify.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn start(arguments: &LogArgs) -> Result<(), CliError> {
    let (sink, is_coloured) = match &arguments.log_file {
        Some(path) => {
            let failed = |source| CliError::Write { path: path.clone(), source };
            let file = File::options().create(true).append(true).open(path).map_err(failed)?;
            (BoxMakeWriter::new(Mutex::new(file)), false)
        }
        None => (BoxMakeWriter::new(|| AboveProgress), std::io::stderr().is_terminal()),
    };
    let filter = log_filter(&arguments.log);
    let filter = filter.map_err(|reason| CliError::Message(format!("--log {}: {reason}", arguments.log)))?;
    let filter = filter.and(filter_fn(is_safe));
    let lines = tracing_subscriber::fmt::layer().with_writer(sink).with_ansi(is_coloured);
    let layer = match arguments.log_format {
        TextFormat::Text => lines.with_filter(filter).boxed(),
        TextFormat::Json => lines.json().flatten_event(true).with_filter(filter).boxed(),
    };
    tracing_subscriber::registry().with(layer).init();
    Ok(())
}

/// The target of requests to an object store that are repeated.
const REPEATED_REQUESTS: &str = "object_store::client::retry";

/// Whether an event cannot contain credentials.
pub(crate) fn is_safe(event: &Metadata<'_>) -> bool {
    let most = if event.target() == REPEATED_REQUESTS { Level::INFO } else { Level::WARN };
    *event.level() <= most || OWN.iter().any(|own| event.target().starts_with(own))
}

/// Standard error, above the progress bar.
struct AboveProgress;

impl Write for AboveProgress {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        // A line that cannot be written is dropped, as every other message is.
        progress::above_bar(|| messages::write(&String::from_utf8_lossy(line)));
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(line)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn headers_are_never_logged() {
        let log = Log::default();
        let sink = log.clone();
        let lines = tracing_subscriber::fmt::layer().with_writer(move || sink.clone());
        let layer = lines.with_filter(log_filter("trace,hyper=trace").unwrap().and(filter_fn(is_safe)));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::trace!(target: "cookie_store", "cookie");
            tracing::debug!(target: "hyper::proto", "header");
            tracing::debug!(target: "h2::codec", "frame");
            tracing::debug!(target: "rustls::client", "session");
            tracing::warn!(target: "hyper::proto", "broken");
            tracing::trace!(target: "isdb_cmr::client", "own");
        });
        let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert_eq!(log.lines().count(), 2, "{log}");
        assert!(log.contains("broken") && log.contains("own"), "{log}");
    }
}
