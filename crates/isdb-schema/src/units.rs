//! Sizes (`512MB`, `2 GiB`) and durations (`12h`, `30d`) as users write them.

/// A text that is not a size or a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnitError {
    /// The text is not a number of bytes.
    #[error("expected a size such as 512MB or 2GiB, found `{0}`")]
    Size(String),
    /// The text is not a duration.
    #[error("expected a duration such as 30min, 12h or 7d, found `{0}`")]
    Duration(String),
}

/// The number of bytes in `text`: a number, alone or with B, kB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB (powers of
/// 1024), in any case.
///
/// # Errors
/// [`UnitError::Size`] for any other text.
pub fn parse_bytes(text: &str) -> Result<u64, UnitError> {
    parse_size::parse_size(text.trim()).map_err(|_| UnitError::Size(text.to_owned()))
}

/// The milliseconds in `text`: numbers with ms, s, min, h, d or w.
///
/// # Errors
/// [`UnitError::Duration`] for any other text.
pub fn parse_milliseconds(text: &str) -> Result<u64, UnitError> {
    let duration = humantime::parse_duration(text.trim()).ok();
    let milliseconds = duration.and_then(|duration| u64::try_from(duration.as_millis()).ok());
    milliseconds.ok_or_else(|| UnitError::Duration(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_may_have_decimals_underscores_and_any_unit() {
        for (text, expected) in [
            ("512MB", 512_000_000),
            ("2 GiB", 2 << 30),
            ("1.5gb", 1_500_000_000),
            ("200_000", 200_000),
            ("64M", 64_000_000),
        ] {
            assert_eq!(parse_bytes(text), Ok(expected), "{text}");
        }
        for text in ["", "MB", "-5MB", "5 apples", "1e40GB", "99999999999TB"] {
            assert_eq!(parse_bytes(text), Err(UnitError::Size(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(parse_milliseconds("0s"), Ok(0));
        assert_eq!(parse_milliseconds("1.5h"), Ok(5_400_000));
        assert_eq!(parse_milliseconds("2w"), Ok(14 * 86_400_000));
        for text in ["12", "a day", ""] {
            assert_eq!(parse_milliseconds(text), Err(UnitError::Duration(text.to_owned())), "{text}");
        }
    }
}
