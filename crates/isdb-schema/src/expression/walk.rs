//! Maps positions in a YAML string to positions in its file. YAML folds lines, drops indentation and escapes quotes, so
//! the string and the file are walked through together.

use std::iter::Peekable;
use std::str::Chars;

/// Line and column, both from 1 and in characters.
pub(super) type LineColumn = (u64, u64);

/// The beginning of a run of characters in the text and in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) in_text: LineColumn,
    pub(super) in_file: LineColumn,
}

/// The marks of `text`, whose value begins at `begin` in `file`: one wherever the next character is not to the right of the
/// previous one. `None` if the file has different text there.
pub(super) fn marks(file: &str, begin: LineColumn, text: &str) -> Option<Vec<Mark>> {
    let mut value = YamlScalar::at(file, begin)?;
    let mut marks: Vec<Mark> = Vec::new();
    let mut text = Cursor::new(text);
    loop {
        let blank = text.skip_blanks();
        if text.peek().is_none() {
            return Some(marks);
        }
        let moved = value.skip_blanks();
        // A line that ends in \ continues without a blank.
        if blank && !moved {
            return None;
        }
        let (in_text, in_file) = (text.at, value.cursor.at);
        let next = |mark: &Mark| (mark.in_file.0, mark.in_file.1 + (in_text.1 - mark.in_text.1));
        if !marks.last().is_some_and(|mark| mark.in_text.0 == in_text.0 && next(mark) == in_file) {
            marks.push(Mark { in_text, in_file });
        }
        if text.next() != value.next() {
            return None;
        }
    }
}

/// The quoting of a scalar.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Unquoted: plain, or a block after `|` or `>`.
    Bare,
    /// Between `'`, which is doubled inside.
    Single,
    /// Between `"`, with escapes after `\`.
    Double,
}

/// The characters of a scalar in a file.
struct YamlScalar<'a> {
    cursor: Cursor<'a>,
    style: Style,
}

impl<'a> YamlScalar<'a> {
    /// The scalar that begins at `begin`, after its indicators.
    fn at(file: &'a str, begin: LineColumn) -> Option<YamlScalar<'a>> {
        let mut cursor = Cursor::new(file);
        while cursor.at < begin {
            cursor.next()?;
        }
        while matches!(cursor.peek(), Some('&' | '!')) {
            while cursor.peek().is_some_and(|c| !is_blank(c)) {
                cursor.next();
            }
            cursor.skip_blanks();
        }
        let style = match cursor.peek() {
            Some('\'') => Style::Single,
            Some('"') => Style::Double,
            _ => Style::Bare,
        };
        match cursor.peek() {
            Some('\'' | '"') => _ = cursor.next(),
            Some('|' | '>') => while cursor.next().is_some_and(|c| c != '\n') {},
            _ => {}
        }
        Some(YamlScalar { cursor, style })
    }

    /// Skips blanks and line breaks, including escaped ones. Returns whether it skipped any.
    fn skip_blanks(&mut self) -> bool {
        let begin = self.cursor.at;
        loop {
            self.cursor.skip_blanks();
            let mut ahead = self.cursor.clone();
            let escapes = self.style == Style::Double && ahead.next() == Some('\\');
            if !escapes || !matches!(ahead.next(), Some('n' | 't' | ' ' | '\t' | '\r' | '\n')) {
                return self.cursor.at != begin;
            }
            self.cursor = ahead;
        }
    }

    /// The next character of the text.
    fn next(&mut self) -> Option<char> {
        let first = self.cursor.next();
        match (self.style, first) {
            (Style::Single, Some('\'')) => self.cursor.next().filter(|second| *second == '\''),
            (Style::Double, Some('\\')) => self.cursor.next().filter(|second| matches!(second, '"' | '\\' | '/')),
            (Style::Double, Some('"')) => None,
            _ => first,
        }
    }
}

/// Characters, with the position of the next one.
#[derive(Clone)]
struct Cursor<'a> {
    chars: Peekable<Chars<'a>>,
    at: LineColumn,
}

impl<'a> Cursor<'a> {
    fn new(text: &'a str) -> Cursor<'a> {
        Cursor { chars: text.chars().peekable(), at: (1, 1) }
    }

    fn peek(&mut self) -> Option<char> {
        self.chars.peek().copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.chars.next()?;
        self.at = if next == '\n' { (self.at.0 + 1, 1) } else { (self.at.0, self.at.1 + 1) };
        Some(next)
    }

    fn skip_blanks(&mut self) -> bool {
        let begin = self.at;
        while self.peek().is_some_and(is_blank) {
            self.next();
        }
        self.at != begin
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}
