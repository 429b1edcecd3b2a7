//! The filter of log events that `--log` specifies.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::EnvFilter;

/// Parses a level, or levels by target such as `warn,isdb_store=debug`.
pub(crate) fn log_filter(text: &str) -> Result<EnvFilter, String> {
    let builder = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into());
    builder.parse(text).map_err(|error| format!("{error}; a level is error, warn, info, debug, trace or off"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_level_is_refused() {
        assert!(log_filter("isdb=loud").unwrap_err().contains("trace or off"));
        assert!(log_filter("info,isdb_store=trace").is_ok());
    }
}
