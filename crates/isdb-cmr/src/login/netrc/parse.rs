//! Parser of the netrc format: `machine`, `default`, `macdef`, quotes and comments.

use std::ops::Range;

/// The login for one machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Entry {
    /// The machine's name; None for `default`.
    pub(super) machine: Option<String>,
    pub(super) login: Option<String>,
    pub(super) password: Option<String>,
    /// From the start of `machine` to the end of the entry's last word, including unexpected ones.
    pub(super) span: Range<usize>,
    /// The line, from 1, of the first unexpected word.
    pub(super) unexpected_at: Option<usize>,
}

/// A parsed netrc file.
#[derive(Debug, Default)]
pub(super) struct Netrc {
    pub(super) entries: Vec<Entry>,
    /// Whether the file ends inside a macro, which only an empty line ends.
    pub(super) ends_in_macro: bool,
}

struct Word {
    text: String,
    span: Range<usize>,
    is_quoted: bool,
    /// Whether its quote is not closed on the same line.
    is_unclosed: bool,
}

impl Netrc {
    pub(super) fn parse(text: &str) -> Netrc {
        let mut netrc = Netrc::default();
        let mut at = 0;
        while let Some(word) = next_word(text, at) {
            at = word.span.end;
            match word.text.as_str() {
                _ if !word.is_quoted && word.text.starts_with('#') => at = line_end(text, word.span.start),
                "machine" | "default" => {
                    let mut entry = Entry { span: word.span, ..Entry::default() };
                    if word.text == "machine" {
                        let name = next_word(text, at).unwrap_or(Word {
                            text: String::new(),
                            span: at..at,
                            is_quoted: true,
                            is_unclosed: false,
                        });
                        at = name.span.end;
                        (entry.machine, entry.span.end) = (Some(name.text), at);
                    }
                    netrc.entries.push(entry);
                }
                "macdef" => {
                    let end = skip_empty_line(text, at);
                    netrc.ends_in_macro = end.is_none();
                    at = end.unwrap_or(text.len());
                }
                key => {
                    let Some(entry) = netrc.entries.last_mut() else { continue };
                    let value = match key {
                        "login" | "user" | "password" | "account" => next_word(text, at),
                        _ => None,
                    };
                    let Some(value) = value else {
                        entry.unexpected_at = entry.unexpected_at.or(Some(line_number(text, word.span.start)));
                        entry.span.end = word.span.end;
                        continue;
                    };
                    if value.is_unclosed {
                        entry.unexpected_at = entry.unexpected_at.or(Some(line_number(text, value.span.start)));
                    }
                    at = value.span.end;
                    entry.span.end = at;
                    match key {
                        "password" => entry.password = Some(value.text),
                        "account" => {}
                        _ => entry.login = Some(value.text),
                    }
                }
            }
        }
        netrc
    }

    /// Returns the entry of `machine`, or the default entry.
    pub(super) fn entry(&self, machine: &str) -> Option<&Entry> {
        let named = |name: Option<&str>| self.entries.iter().find(|entry| entry.machine.as_deref() == name);
        named(Some(machine)).or_else(|| named(None))
    }
}

/// Returns the next word at or after `from`: up to white space, or within double quotes with `\` as escape. A quote ends at the
/// end of its line at the latest.
fn next_word(text: &str, from: usize) -> Option<Word> {
    let rest = text.get(from..)?;
    let start = from + rest.find(|c: char| !c.is_whitespace())?;
    let word = text.get(start..)?;
    if !word.starts_with('"') {
        let end = start + word.find(char::is_whitespace).unwrap_or(word.len());
        return Some(Word {
            text: text.get(start..end)?.to_owned(),
            span: start..end,
            is_quoted: false,
            is_unclosed: false,
        });
    }
    let word = text.get(start..line_end(text, start))?;
    let mut value = String::new();
    let mut characters = word.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some(Word { text: value, span: start..start + at + 1, is_quoted: true, is_unclosed: false }),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            _ => value.push(character),
        }
    }
    Some(Word { text: value, span: start..start + word.len(), is_quoted: true, is_unclosed: true })
}

fn line_end(text: &str, from: usize) -> usize {
    text.get(from..).and_then(|rest| rest.find('\n')).map_or(text.len(), |end| from + end)
}

/// Returns the position after the first empty line that follows the line of `from`. Lines may end in CR LF.
fn skip_empty_line(text: &str, from: usize) -> Option<usize> {
    let mut start = line_end(text, from) + 1;
    while let Some(rest) = text.get(start..).filter(|rest| !rest.is_empty()) {
        let end = start + rest.find('\n')? + 1;
        if text.get(start..end)?.trim_end_matches(['\n', '\r']).is_empty() {
            return Some(end);
        }
        start = end;
    }
    None
}

fn line_number(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::login::netrc::testing::{FULL, login_in, pair};

    #[test]
    fn entries_are_read_like_other_programs_do() {
        assert_eq!(login_in(FULL, "urs.earthdata.nasa.gov"), pair("ann", "p#1\\n"));
        assert_eq!(login_in(FULL, "ftp.example.org"), pair("bob", "two words \"q\" \\"));
        assert_eq!(login_in(FULL, "elsewhere.example.org"), pair("anonymous", "guest"));
        assert_eq!(login_in("machine urs login a password b", "other"), None);
        assert_eq!(login_in("machine urs password b login a", "urs"), pair("a", "b"));
    }

    #[test]
    fn a_macro_in_a_file_with_windows_line_ends_ends_at_an_empty_line() {
        let windows = FULL.replace('\n', "\r\n");
        for machine in ["urs.earthdata.nasa.gov", "ftp.example.org", "late.example.org"] {
            assert_eq!(login_in(&windows, machine), login_in(FULL, machine), "{machine}");
        }
    }

    #[test]
    fn an_unquoted_password_with_spaces_is_reported_with_its_line() {
        let netrc = Netrc::parse("machine other login a password a b\n\nmachine urs login a\npassword two words\n");
        assert_eq!(netrc.entry("urs").unwrap().unexpected_at, Some(4));
        assert_eq!(netrc.entry("urs").unwrap().password.as_deref(), Some("two"));
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "(machine|default|macdef|login|password|[\" #\\\\\n]|[a-z]){0,20}") {
            let _ = Netrc::parse(&text);
        }
    }
}
