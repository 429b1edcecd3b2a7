//! The filter of log events that `--log` specifies.

use isdb_schema::suggest::did_you_mean;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::EnvFilter;

const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

/// Parses a level, or levels by target such as `warn,isdb_store=debug`.
pub(crate) fn log_filter(text: &str) -> Result<EnvFilter, String> {
    // A word alone would be a target, at the level trace: a misspelt level would log nothing.
    let is_level = |part: &str| part.is_empty() || LEVELS.iter().any(|level| level.eq_ignore_ascii_case(part));
    let mut words = text.split(',').map(str::trim).filter(|part| !part.contains(['=', '[', ']', '{', '}']));
    if let Some(word) = words.find(|part| !is_level(part)) {
        let near = did_you_mean(word, LEVELS);
        return Err(format!("expected {} or target=level, found `{word}`{near}", LEVELS.join(", ")));
    }
    let builder = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into());
    builder.parse(text).map_err(|error| format!("{error}; a level is {}", LEVELS.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_level_is_refused() {
        assert!(log_filter("isdb=loud").unwrap_err().contains("trace, off"));
        let misspelt = log_filter("warn,debgu").unwrap_err();
        assert!(misspelt.ends_with("found `debgu`; did you mean debug?"), "{misspelt}");
        for text in ["info,isdb_store=trace", "Debug", "", "warn,[span{a=1}]=info"] {
            assert!(log_filter(text).is_ok(), "{text}");
        }
    }
}
