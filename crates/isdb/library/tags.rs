//! Tags: names for states that no vacuum removes.

use isdb_store::{Location, Tag, Writer};

use crate::library::at::At;
use crate::library::error::{Error, Result};
use crate::library::time::now_ms;

const MAX_NAME_BYTES: usize = 100;

/// Keeps a state of the database at `location` under a name, until [`delete_tag`] deletes the name: the state at `at`, or the newest.
/// [`DatabaseBuilder::at`](crate::DatabaseBuilder::at) opens it. A name has at most 100 letters, digits, `.`, `-` and `_` of ASCII,
/// begins with a letter or a digit, and does not look like a time. To set a tag to the state that it keeps changes nothing.
///
/// # Errors
/// [`Error::TagName`] for an invalid name; [`Error::Store`] when the name keeps another state, the state does not exist or has
/// expired, or another process is writing.
pub async fn tag(location: &Location, name: &str, at: Option<&At>) -> Result<Tag> {
    if let Some(problem) = problem(name) {
        return Err(Error::TagName { name: name.to_owned(), problem });
    }
    let database = isdb_store::Database::open(location).await?;
    let snapshot = match at {
        None => database.snapshot().await?,
        Some(at) => at.open(&database).await?,
    };
    let mut writer = Writer::take_over(&database, now_ms()).await?;
    writer.set_tag(name, &snapshot, now_ms()).await?;
    Ok(snapshot.as_tag())
}

/// Deletes a tag of the database at `location`. A later vacuum removes the files that only its state needs.
///
/// # Errors
/// [`Error::Store`] when the database has no such tag, or another process is writing.
pub async fn delete_tag(location: &Location, name: &str) -> Result<()> {
    let database = isdb_store::Database::open(location).await?;
    let mut writer = Writer::take_over(&database, now_ms()).await?;
    writer.delete_tag(name, now_ms()).await?;
    Ok(())
}

/// Returns what is wrong with the name of a tag.
fn problem(name: &str) -> Option<&'static str> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    // Also what is not a time but could be mistaken for one, such as 2026-13 or 2026-11-29T12.
    let looks_like_time = || {
        let mut letters = name.bytes().filter(u8::is_ascii_alphabetic);
        name.starts_with(|first: char| first.is_ascii_digit()) && letters.all(|letter| b"TtZz".contains(&letter))
    };
    match name {
        "" => Some("it is empty"),
        _ if name.len() > MAX_NAME_BYTES => Some("it is longer than 100 bytes"),
        _ if !name.bytes().all(is_allowed) => Some("expected letters, digits, `.`, `-` and `_` only"),
        _ if name.starts_with(['.', '-', '_']) => Some("expected a letter or a digit at the beginning"),
        _ if looks_like_time() => Some("it looks like a time"),
        "now" | "latest" | "today" => Some("it means the newest state"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valid_name_is_never_read_as_a_time() {
        for name in ["paper", "paper-2026", "2026-paper", "v1.0", "A_b.c-d", "T", "1st", &"x".repeat(100)] {
            assert_eq!(problem(name), None, "{name}");
            assert_eq!(At::from(name), At::Tag(name.to_owned()));
        }
    }

    #[test]
    fn an_invalid_name_is_refused_with_the_reason() {
        let too_long = "x".repeat(101);
        for (name, part) in [
            ("", "empty"),
            (too_long.as_str(), "100 bytes"),
            ("my paper", "letters"),
            ("größe", "letters"),
            ("a/b", "letters"),
            ("a\n", "letters"),
            (".hidden", "beginning"),
            ("-x", "beginning"),
            ("2026", "time"),
            ("1795923676123", "time"),
            ("2026-11-29", "time"),
            ("2026-13", "time"),
            ("2026-11-29T12", "time"),
            ("1.0", "time"),
        ] {
            let problem = problem(name).unwrap();
            assert!(problem.contains(part), "{name}: {problem}");
        }
    }
}
