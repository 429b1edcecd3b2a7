//! Text of strangers (file names, HDF5 strings, replies of servers) as it may be printed: without characters that a
//! terminal obeys.

use std::fmt::{self, Write as _};

/// Characters shown of one text; more is cut.
const MOST: usize = 4096;

/// Displays a text with its control characters and direction marks escaped, cut after 4,096 characters (the longest path): `\u{1b}[2J`.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, character) in self.0.chars().enumerate() {
            if at == MOST {
                return f.write_str("…");
            }
            match is_obeyed(character) {
                true => write!(f, "{}", character.escape_default())?,
                false => f.write_char(character)?,
            }
        }
        Ok(())
    }
}

/// Whether a terminal does something on `character` instead of showing it: control characters, line separators, marks that turn
/// the direction of text, and characters of no width, which make two names look alike.
fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_shown_moves_the_cursor_or_turns_the_text() {
        let shown = |text: &str| Shown(text).to_string();
        assert_eq!(shown("a\u{1b}[2Jb\r\n\u{9b}\u{7}\u{202e}c"), "a\\u{1b}[2Jb\\r\\n\\u{9b}\\u{7}\\u{202e}c");
        assert_eq!(shown("Forêt/été (1).h5"), "Forêt/été (1).h5");
        assert_eq!(shown(&"x".repeat(5000)).chars().count(), MOST + 1);
    }
}
