//! Text from a server as it may be printed.

use isdb_schema::printable::Printable;

/// The first `longest` characters of `text`, without characters that a terminal obeys.
pub(crate) fn shortened(text: &str, longest: usize) -> String {
    let text = text.trim();
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{} …", Printable(text.get(..end).unwrap_or_default())),
        None => Printable(text).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_moves_the_cursor_or_sets_the_title_of_a_terminal() {
        assert_eq!(shortened("bad \x1b[2J\x07\r-", 80), "bad \\u{1b}[2J\\u{7}\\r-");
        assert_eq!(shortened("  four words are here", 10), "four words …");
    }
}
