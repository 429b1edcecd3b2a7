//! Walks through a value of a YAML file and the text it stands for together: YAML folds lines, drops indentation and escapes
//! quotes, so that a character of the text may stand elsewhere in the file.

use std::iter::Peekable;
use std::str::Chars;

/// Line and column, both from 1 and in characters.
pub(super) type At = (u64, u64);

/// Where a run of characters begins in the text, and where in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) text: At,
    pub(super) file: At,
}

/// The marks of `text`, whose value begins at `begin` in `file`: one wherever the next character does not stand right of the
/// one before. None where the file holds something else there.
pub(super) fn marks(file: &str, begin: At, text: &str) -> Option<Vec<Mark>> {
    let mut value = Value::at(file, begin)?;
    let mut marks: Vec<Mark> = Vec::new();
    let mut text = Cursor::new(text);
    loop {
        let blank = text.skip_blanks();
        if text.peek().is_none() {
            return Some(marks);
        }
        let moved = value.skip_blanks();
        // A line that ends in \ goes on without a blank.
        if blank && !moved {
            return None;
        }
        let (text_at, file_at) = (text.at, value.cursor.at);
        let next = |mark: &Mark| (mark.file.0, mark.file.1 + (text_at.1 - mark.text.1));
        if !marks.last().is_some_and(|mark| mark.text.0 == text_at.0 && next(mark) == file_at) {
            marks.push(Mark { text: text_at, file: file_at });
        }
        if text.next() != value.next() {
            return None;
        }
    }
}

/// How a value is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// As it is: plain, or a block behind `|` or `>`.
    Bare,
    /// Between `'`, which is doubled inside.
    Single,
    /// Between `"`, with escapes behind `\`.
    Double,
}

/// The characters of a value.
struct Value<'a> {
    cursor: Cursor<'a>,
    style: Style,
}

impl<'a> Value<'a> {
    /// The value that begins at `begin`, its indicators left behind.
    fn at(file: &'a str, begin: At) -> Option<Value<'a>> {
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
        Some(Value { cursor, style })
    }

    /// Passes over blanks and line breaks, escaped ones too; whether there were any.
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

    /// The next character as the text has it.
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

/// Characters, and where the next one stands.
#[derive(Clone)]
struct Cursor<'a> {
    chars: Peekable<Chars<'a>>,
    at: At,
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
