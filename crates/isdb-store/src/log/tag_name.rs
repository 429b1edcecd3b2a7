//! Names that a tag cannot have, because a user who writes one in place of a tag means something else.

use isdb_schema::period::Period;

use crate::error::{Error, Result};

/// Words for the newest state.
const RESERVED: [&str; 3] = ["now", "latest", "today"];

/// Checks that `name` is not empty, not a number, not a time and not a reserved word.
///
/// # Errors
/// [`Error::TagName`].
pub(crate) fn check_tag_name(name: &str) -> Result<()> {
    let is_reserved = || RESERVED.iter().any(|word| word.eq_ignore_ascii_case(name));
    let is_time = || Period::parse(Some(name), None).is_ok() || Period::parse(None, Some(name)).is_ok();
    let problem = match name {
        _ if name.trim().is_empty() => "a state is a time or a tag; without either it is the newest",
        _ if is_reserved() => "the word is reserved; without a time or a tag the newest state is opened",
        _ if name.parse::<f64>().is_ok() => "it is a number, and would be read as a time",
        _ if is_time() => "it is a time",
        _ => return Ok(()),
    };
    let found = if name.trim().is_empty() { "nothing".to_owned() } else { format!("`{name}`") };
    Err(Error::TagName { found, problem })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_user_may_mean_as_a_time_is_not_the_name_of_a_tag() {
        for (name, problem) in [
            ("", "found nothing: a state is a time or a tag"),
            (" ", "found nothing"),
            ("now", "reserved"),
            ("Latest", "reserved"),
            ("today", "reserved"),
            ("17", "a number"),
            ("1e5", "a number"),
            ("nan", "a number"),
            ("2026", "a number"),
            ("2026-11", "a time"),
            ("2026-11-29T12:00:00Z", "a time"),
        ] {
            let error = check_tag_name(name).unwrap_err().to_string();
            assert!(error.contains(problem), "{name}: {error}");
        }
        for name in ["paper", "paper-2026", "v1.0", "latest-2", "nowhere", "2026-paper"] {
            check_tag_name(name).unwrap();
        }
    }
}
