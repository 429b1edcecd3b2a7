//! Foreign text (file names, HDF5 strings, replies of servers) made safe to print: characters that a terminal acts on
//! are escaped.

use std::error::Error;
use std::fmt::{self, Write as _};

/// The maximum number of characters printed from one text, which is the length of the longest path; the rest is cut off.
const MAX_CHARACTERS: usize = 4096;

/// Displays a text with its control characters and direction marks escaped, such as `\u{1b}[2J`, and cut after 4,096
/// characters.
#[derive(Debug, Clone, Copy)]
pub struct Printable<'a>(pub &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, character) in self.0.chars().enumerate() {
            if at == MAX_CHARACTERS {
                return f.write_str("…");
            }
            match is_unsafe(character) {
                true => write!(f, "{}", character.escape_default())?,
                false => f.write_char(character)?,
            }
        }
        Ok(())
    }
}

/// Whether a terminal acts on `character` or does not show it: control characters, line separators, marks that change the
/// direction of text, and characters of zero width, which make two names look alike.
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Returns the message of `error` and those of its causes in one printable line, for a ledger row or a table: `message: cause:
/// cause`. A cause that an outer message already quotes is left out.
pub fn error_chain(error: &dyn Error) -> String {
    let mut chain = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let message = cause.to_string();
        if !chain.contains(&message) {
            chain = format!("{chain}: {message}");
        }
        next = cause.source();
    }
    Printable(&chain).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{message}")]
    struct Layer {
        message: &'static str,
        source: Option<Box<Layer>>,
    }

    #[test]
    fn an_error_chain_is_one_line_and_repeats_no_cause() {
        let layer = |message, source: Option<Layer>| Layer { message, source: source.map(Box::new) };
        let error = layer("cannot open a.h5", Some(layer("open a.h5\n", Some(layer("disk full", None)))));
        assert_eq!(error_chain(&error), "cannot open a.h5: open a.h5\\n: disk full");
        let error = layer("cannot open: disk full", Some(layer("disk full", None)));
        assert_eq!(error_chain(&error), "cannot open: disk full");
    }

    #[test]
    fn control_characters_and_direction_marks_are_escaped() {
        let printed = |text: &str| Printable(text).to_string();
        assert_eq!(printed("a\u{1b}[2Jb\r\n\u{9b}\u{7}\u{202e}c"), "a\\u{1b}[2Jb\\r\\n\\u{9b}\\u{7}\\u{202e}c");
        assert_eq!(printed("Forêt/été (1).h5"), "Forêt/été (1).h5");
        assert_eq!(printed(&"x".repeat(5000)).chars().count(), MAX_CHARACTERS + 1);
    }
}
