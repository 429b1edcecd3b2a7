//! Splits a text into statements, and determines whether a text that is being typed is complete.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

/// Splits `text` at each `;` that is not in a string, a quoted name or a comment. Statements of blanks and comments alone are left
/// out. A text that cannot be tokenized is one statement, for the parser to report its error.
pub(crate) fn statements(text: &str) -> Vec<&str> {
    let Some(tokens) = tokens(text) else { return vec![text.trim()] };
    let mut found = Vec::new();
    let (mut start, mut holds_something) = (0, false);
    let lines = Lines::new(text);
    for token in &tokens {
        match token.token {
            Token::SemiColon => {
                let end = lines.byte(token.span.start);
                if holds_something {
                    found.extend(text.get(start..end));
                }
                (start, holds_something) = (end + 1, false);
            }
            Token::Whitespace(_) | Token::EOF => {}
            _ => holds_something = true,
        }
    }
    if holds_something {
        found.extend(text.get(start..));
    }
    found.into_iter().map(str::trim).collect()
}

/// Whether `typed` is empty, or statements of which the last ends with `;`.
pub(crate) fn complete(typed: &str) -> bool {
    let typed = typed.trim();
    if typed.is_empty() {
        return true;
    }
    let Some(tokens) = tokens(typed) else { return false };
    let last = tokens.iter().rev().find(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF));
    last.is_none_or(|token| token.token == Token::SemiColon)
}

/// Returns the tokens of `text`; None if a string, a quoted name or a comment does not end.
fn tokens(text: &str) -> Option<Vec<TokenWithSpan>> {
    Tokenizer::new(&GenericDialect {}, text).tokenize_with_location().ok()
}

/// The positions at which the lines of a text begin.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Lines<'a> {
        let after_breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Lines { text, starts: std::iter::once(0).chain(after_breaks).collect() }
    }

    /// Returns the byte offset of a line and character, both from 1.
    fn byte(&self, location: Location) -> usize {
        let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).saturating_sub(1);
        let line = self.starts.get(number(location.line)).copied().unwrap_or(self.text.len());
        let rest = self.text.get(line..).unwrap_or_default();
        line + rest.char_indices().nth(number(location.column)).map_or(rest.len(), |(at, _)| at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn statements_end_at_a_semicolon_and_the_last_needs_none() {
        assert_eq!(statements("SELECT 1; SELECT 2\n;\nSELECT 3"), ["SELECT 1", "SELECT 2", "SELECT 3"]);
        assert_eq!(statements(";; \n -- nothing; here\n ; /* nor; here */"), Vec::<&str>::new());
    }

    #[test]
    fn a_semicolon_in_a_string_a_name_or_a_comment_splits_nothing() {
        for one in [
            "SELECT ';' AS a",
            "SELECT 'it''s; so'",
            "SELECT 1 AS \";\"",
            "SELECT 1 -- this; that\n + 1",
            "SELECT /* this; /* and; */ that */ 1",
            "SELECT 'höher;\n ü;' AS höhe",
        ] {
            assert_eq!(statements(&format!("{one}; SELECT 2")), [one, "SELECT 2"]);
        }
    }

    #[test]
    fn an_unterminated_string_is_left_to_the_parser() {
        assert_eq!(statements("SELECT 1; SELECT 'open"), ["SELECT 1; SELECT 'open"]);
    }

    #[test]
    fn enter_ends_a_statement_only_after_its_semicolon() {
        for whole in ["", "  ", "SELECT 1;", "SELECT 1; -- done", "-- a remark"] {
            assert!(complete(whole), "{whole}");
        }
        for part in ["SELECT 1", "SELECT ';", "SELECT 1 -- ;", "SELECT 1; SELECT", "SELECT 1 /* ;"] {
            assert!(!complete(part), "{part}");
        }
    }

    proptest! {
        #[test]
        fn statements_joined_by_semicolons_are_split_again(parts in prop::collection::vec("(a|é|'[ ;é\n]*'|\"b;\"|1|,|/\\*;\\*/ x| )*a", 1..5)) {
            let trimmed: Vec<&str> = parts.iter().map(|part| part.trim()).collect();
            let joined = parts.join(";");
            prop_assert_eq!(statements(&joined), trimmed);
        }
    }
}
