//! Excerpts of text from a server, safe to print.

use isdb_schema::printable::Printable;

/// Returns the first `max_characters` of `text`, with control characters escaped.
pub(crate) fn excerpt(text: &str, max_characters: usize) -> String {
    let text = text.trim();
    match text.char_indices().nth(max_characters) {
        Some((end, _)) => format!("{} …", Printable(text.get(..end).unwrap_or_default())),
        None => Printable(text).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_and_long_text_is_cut() {
        assert_eq!(excerpt("bad \x1b[2J\x07\r-", 80), "bad \\u{1b}[2J\\u{7}\\r-");
        assert_eq!(excerpt("  four words are here", 10), "four words …");
    }
}
