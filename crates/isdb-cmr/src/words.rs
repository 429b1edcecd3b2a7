//! Text from a server as it may be printed.

use std::borrow::Cow;

/// `text` with control characters, and those that change the direction of writing, as escapes. A terminal would obey them.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match is_unprintable(character) {
            true => escaped.extend(character.escape_default()),
            false => escaped.push(character),
        }
    }
    Cow::Owned(escaped)
}

/// The first `longest` characters of `text`, printable.
pub(crate) fn shortened(text: &str, longest: usize) -> String {
    let text = text.trim();
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{} …", printable(text.get(..end).unwrap_or_default())),
        None => printable(text).into_owned(),
    }
}

fn is_unprintable(character: char) -> bool {
    // Marks of direction and zero width: U+200B to 200F, 2028 to 202E, 2060 to 206F, FEFF.
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_moves_the_cursor_or_sets_the_title_of_a_terminal() {
        assert_eq!(printable("bad \x1b[2J\x07\r"), "bad \\u{1b}[2J\\u{7}\\r");
        assert_eq!(printable("a\u{202e}b\u{9b}"), "a\\u{202e}b\\u{9b}");
        assert!(matches!(printable("Straße, 東京 – 5°"), Cow::Borrowed(_)));
        assert_eq!(shortened("  four words are here", 10), "four words …");
    }
}
