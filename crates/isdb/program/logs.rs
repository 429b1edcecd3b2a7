//! Logs by `tracing`: which events are told, as text or JSON, on standard error or into a file.
//!
//! Only our own crates are told below WARN, whatever is asked for: at DEBUG and TRACE the libraries of the network tell headers
//! and cookies, and with them credentials. What only the `log` crate hears is not told at all.

use std::fs::File;
use std::io::{IsTerminal, Write};
use std::sync::Mutex;

use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::cli::{Form, Logs};
use crate::failure::Failure;
use crate::{messages, progress};

/// How the targets of our own crates begin.
const OWN: [&str; 2] = ["isdb", "tiledb"];

/// Tells events from now on as `asked`.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn start(asked: &Logs) -> Result<(), Failure> {
    let (sink, is_coloured) = match &asked.log_file {
        Some(path) => {
            let failed = |source| Failure::Write { path: path.clone(), source };
            let file = File::options().create(true).append(true).open(path).map_err(failed)?;
            (BoxMakeWriter::new(Mutex::new(file)), false)
        }
        None => (BoxMakeWriter::new(|| Aside), std::io::stderr().is_terminal()),
    };
    let filter = filter(&asked.log).map_err(|reason| Failure::Refused(format!("--log {}: {reason}", asked.log)))?;
    let filter = filter.and(filter_fn(is_safe));
    let lines = tracing_subscriber::fmt::layer().with_writer(sink).with_ansi(is_coloured);
    let layer = match asked.log_format {
        Form::Text => lines.with_filter(filter).boxed(),
        Form::Json => lines.json().flatten_event(true).with_filter(filter).boxed(),
    };
    tracing_subscriber::registry().with(layer).init();
    Ok(())
}

/// The filter that `text` asks for: a level, or levels by target such as `warn,isdb_store=debug`.
pub(crate) fn filter(text: &str) -> Result<EnvFilter, String> {
    let builder = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into());
    builder.parse(text).map_err(|error| format!("{error}; a level is error, warn, info, debug, trace or off"))
}

/// Whether an event can hold no credentials.
fn is_safe(event: &Metadata<'_>) -> bool {
    *event.level() <= Level::WARN || OWN.iter().any(|own| event.target().starts_with(own))
}

/// Standard error, beside what is drawn there.
struct Aside;

impl Write for Aside {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        // A line that cannot be written is lost, as every other message is.
        progress::aside(|| messages::write(&String::from_utf8_lossy(line)));
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
    struct Told(Arc<Mutex<Vec<u8>>>);

    impl Write for Told {
        fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(line)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn no_level_makes_the_network_tell_its_headers() {
        let told = Told::default();
        let sink = told.clone();
        let lines = tracing_subscriber::fmt::layer().with_writer(move || sink.clone());
        let layer = lines.with_filter(filter("trace,hyper=trace").unwrap().and(filter_fn(is_safe)));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::trace!(target: "cookie_store", "cookie");
            tracing::debug!(target: "hyper::proto", "header");
            tracing::debug!(target: "h2::codec", "frame");
            tracing::debug!(target: "rustls::client", "session");
            tracing::warn!(target: "hyper::proto", "broken");
            tracing::trace!(target: "isdb_cmr::client", "own");
        });
        let told = String::from_utf8(told.0.lock().unwrap().clone()).unwrap();
        assert_eq!(told.lines().count(), 2, "{told}");
        assert!(told.contains("broken") && told.contains("own"), "{told}");
    }

    #[test]
    fn a_level_that_is_none_is_told() {
        assert!(filter("isdb=loud").unwrap_err().contains("trace or off"));
        assert!(filter("info,isdb_store=trace").is_ok());
    }
}
