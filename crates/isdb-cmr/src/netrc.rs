//! The text of a netrc file: who to be on which machine. Reads `machine`, `default`, `macdef`, quotes and comments, and replaces
//! one entry without touching the others.

mod file;

use std::ops::Range;

pub use file::{found, remember};

/// What a netrc says for one machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Entry {
    /// The machine's name; None for `default`.
    machine: Option<String>,
    login: Option<String>,
    password: Option<String>,
    /// From the first character of `machine` to the last of its last word, whether that belongs there or not.
    span: Range<usize>,
    /// The first line, from 1, with something that does not belong there.
    strange: Option<usize>,
}

/// A netrc taken apart.
#[derive(Debug, Default)]
struct Netrc {
    entries: Vec<Entry>,
    /// Whether the text ends inside a macro, which only an empty line ends.
    ends_in_macro: bool,
}

struct Word {
    text: String,
    span: Range<usize>,
    quoted: bool,
    /// A quote that its line does not close.
    open: bool,
}

impl Netrc {
    fn parse(text: &str) -> Netrc {
        let mut netrc = Netrc::default();
        let mut at = 0;
        while let Some(word) = next_word(text, at) {
            at = word.span.end;
            match word.text.as_str() {
                _ if !word.quoted && word.text.starts_with('#') => at = line_end(text, word.span.start),
                "machine" | "default" => {
                    let mut entry = Entry { span: word.span, ..Entry::default() };
                    if word.text == "machine" {
                        let name = next_word(text, at).unwrap_or(Word {
                            text: String::new(),
                            span: at..at,
                            quoted: true,
                            open: false,
                        });
                        at = name.span.end;
                        (entry.machine, entry.span.end) = (Some(name.text), at);
                    }
                    netrc.entries.push(entry);
                }
                "macdef" => {
                    let end = after_empty_line(text, at);
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
                        entry.strange = entry.strange.or(Some(line_of(text, word.span.start)));
                        entry.span.end = word.span.end;
                        continue;
                    };
                    if value.open {
                        entry.strange = entry.strange.or(Some(line_of(text, value.span.start)));
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

    /// The entry of `machine`, else the default one.
    fn entry(&self, machine: &str) -> Option<&Entry> {
        let named = |name: Option<&str>| self.entries.iter().find(|entry| entry.machine.as_deref() == name);
        named(Some(machine)).or_else(|| named(None))
    }
}

/// `text` with exactly one entry for `machine`: in the place of the first there was, else before `default`, which would hide
/// what follows it, else at the end.
fn with_entry(text: &str, machine: &str, login: &str, password: &str) -> String {
    let entry = format!("machine {} login {} password {}", quoted(machine), quoted(login), quoted(password));
    let netrc = Netrc::parse(text);
    let mut same =
        netrc.entries.iter().filter(|entry| entry.machine.as_deref() == Some(machine)).map(|entry| &entry.span);
    let mut out = text.to_owned();
    if let Some(first) = same.next() {
        let others: Vec<_> = same.collect();
        for span in others.into_iter().rev() {
            out.replace_range(span.clone(), "");
        }
        out.replace_range(first.clone(), &entry);
        return out;
    }
    if let Some(default) = netrc.entries.iter().find(|entry| entry.machine.is_none()) {
        out.insert_str(default.span.start, &format!("{entry}\n"));
        return out;
    }
    if netrc.ends_in_macro {
        out.push_str(if out.ends_with('\n') { "\n" } else { "\n\n" });
    } else if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    out + &entry + "\n"
}

/// Whether `new` says for `machine` exactly who it was to be, and for all others what `old` said.
fn is_replaced(old: &str, new: &str, machine: &str, login: &str, password: &str) -> bool {
    let others = |netrc: Netrc| -> Vec<_> {
        let others = netrc.entries.into_iter().filter(|entry| entry.machine.as_deref() != Some(machine));
        others.map(|entry| (entry.machine, entry.login, entry.password)).collect()
    };
    let own = Netrc::parse(new);
    let is_own = own.entry(machine).is_some_and(|entry| {
        let says = (entry.machine.as_deref(), entry.login.as_deref(), entry.password.as_deref());
        says == (Some(machine), Some(login), Some(password)) && entry.strange.is_none()
    });
    is_own && others(own) == others(Netrc::parse(old))
}

/// `value` in quotes where a reader would otherwise take it for something else.
fn quoted(value: &str) -> String {
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '"' | '\\' | '#' | '\'');
    if !value.is_empty() && value.chars().all(plain) {
        return value.to_owned();
    }
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The word at or after `from`: up to white space, or within double quotes with `\` as escape, which end with the line at the latest.
fn next_word(text: &str, from: usize) -> Option<Word> {
    let rest = text.get(from..)?;
    let start = from + rest.find(|c: char| !c.is_whitespace())?;
    let word = text.get(start..)?;
    if !word.starts_with('"') {
        let end = start + word.find(char::is_whitespace).unwrap_or(word.len());
        return Some(Word { text: text.get(start..end)?.to_owned(), span: start..end, quoted: false, open: false });
    }
    let word = text.get(start..line_end(text, start))?;
    let mut value = String::new();
    let mut characters = word.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some(Word { text: value, span: start..start + at + 1, quoted: true, open: false }),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            _ => value.push(character),
        }
    }
    Some(Word { text: value, span: start..start + word.len(), quoted: true, open: true })
}

fn line_end(text: &str, from: usize) -> usize {
    text.get(from..).and_then(|rest| rest.find('\n')).map_or(text.len(), |end| from + end)
}

/// Where the text goes on after the first line behind the one of `from` that is empty, in files of Windows, too.
fn after_empty_line(text: &str, from: usize) -> Option<usize> {
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

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn who(text: &str, machine: &str) -> Option<(String, String)> {
        let netrc = Netrc::parse(text);
        let entry = netrc.entry(machine)?;
        Some((entry.login.clone()?, entry.password.clone()?))
    }

    fn pair(login: &str, password: &str) -> Option<(String, String)> {
        Some((login.to_owned(), password.to_owned()))
    }

    const FULL: &str = "# my logins, machine urs login no password no
machine ftp.example.org login bob password \"two words \\\"q\\\" \\\\\" account x
macdef init
machine urs.earthdata.nasa.gov login macro password macro
cd /pub

machine urs.earthdata.nasa.gov
    login ann # the project's
    password p#1\\n
default login anonymous password guest
machine late.example.org login l password l
";

    #[test]
    fn a_netrc_is_read_as_other_programs_read_it() {
        assert_eq!(who(FULL, "urs.earthdata.nasa.gov"), pair("ann", "p#1\\n"));
        assert_eq!(who(FULL, "ftp.example.org"), pair("bob", "two words \"q\" \\"));
        assert_eq!(who(FULL, "elsewhere.example.org"), pair("anonymous", "guest"));
        assert_eq!(who("machine urs login a password b", "other"), None);
        assert_eq!(who("machine urs password b login a", "urs"), pair("a", "b"));
    }

    #[test]
    fn a_macro_of_a_file_with_windows_line_ends_hides_no_entry() {
        let windows = FULL.replace('\n', "\r\n");
        for machine in ["urs.earthdata.nasa.gov", "ftp.example.org", "late.example.org"] {
            assert_eq!(who(&windows, machine), who(FULL, machine), "{machine}");
        }
        let open = "machine x login a password b\r\nmacdef init\r\nls\r\n";
        assert_eq!(who(&with_entry(open, "urs", "ann", "pw"), "urs"), pair("ann", "pw"));
    }

    #[test]
    fn a_password_that_needs_quotes_is_told_with_its_line() {
        let netrc = Netrc::parse("machine other login a password a b\n\nmachine urs login a\npassword two words\n");
        assert_eq!(netrc.entry("urs").unwrap().strange, Some(4));
        assert_eq!(netrc.entry("urs").unwrap().password.as_deref(), Some("two"));
    }

    #[test]
    fn a_broken_entry_is_repaired_and_its_neighbours_stay() {
        for broken in [
            "machine urs login ann password two words\nmachine x login x password x\n",
            "machine urs login ann password \"never closed\nmachine x login x password x\n",
            "machine urs ann hunter2\nmachine x login x password x\n",
            "machine urs login\n",
        ] {
            let new = with_entry(broken, "urs", "eve", "pw");
            assert!(is_replaced(broken, &new, "urs", "eve", "pw"), "{broken} {new}");
            assert_eq!(who(&new, "x").is_some(), broken.contains("machine x"), "{new}");
            assert!(!["words", "never", "ann"].iter().any(|word| new.contains(word)), "{new}");
        }
        let text = "machine urs login a password b c\n";
        assert!(!is_replaced(text, text, "urs", "a", "b"), "a word too many");
        assert!(!is_replaced(text, "machine urs login a password b", "other", "a", "b"));
        assert!(!is_replaced("machine x login x password x", "machine urs login a password b", "urs", "a", "b"));
    }

    #[test]
    fn an_entry_is_replaced_in_place_and_never_there_twice() {
        let once = with_entry(FULL, "urs.earthdata.nasa.gov", "eve", "new pass");
        assert_eq!(who(&once, "urs.earthdata.nasa.gov"), pair("eve", "new pass"));
        assert_eq!(with_entry(&once, "urs.earthdata.nasa.gov", "eve", "new pass"), once);
        let (before, after) = (FULL.find("machine urs.earthdata.nasa.gov\n").unwrap(), FULL.find("default").unwrap());
        assert!(once.starts_with(&FULL[..before]) && once.ends_with(&FULL[after..]), "{once}");
        let double = "machine urs login a password a\nmachine x login x password x\nmachine urs login b password b\n";
        let single = with_entry(double, "urs", "c", "c");
        assert_eq!(Netrc::parse(&single).entries.len(), 2, "{single}");
        assert_eq!((who(&single, "urs"), who(&single, "x")), (pair("c", "c"), pair("x", "x")));
    }

    #[test]
    fn a_new_entry_is_not_hidden_by_default_or_by_an_open_macro() {
        for text in [
            "default login a password b\n",
            "machine x login a password b\nmacdef init\nls\n",
            "machine x login a password b",
        ] {
            let new = with_entry(text, "urs", "ann", "pw");
            assert_eq!(who(&new, "urs"), pair("ann", "pw"), "{new}");
            assert!(
                Netrc::parse(&new).entries.iter().position(|e| e.machine.as_deref() == Some("urs"))
                    == Some(usize::from(text.starts_with('m')))
            );
        }
    }

    proptest! {
        #[test]
        fn any_user_and_password_is_read_back_and_others_stay(login in "[!-~]{1,12}", password in "\\PC{1,24}", other in "[!-~ ]{1,12}") {
            let text = with_entry("", "x.example.org", "other", &other);
            let both = with_entry(&text, "urs", &login, &password);
            prop_assert_eq!(who(&both, "urs"), pair(&login, &password));
            prop_assert_eq!(who(&both, "x.example.org"), pair("other", &other));
            let again = with_entry(&both, "urs", &password, &login);
            prop_assert_eq!(who(&again, "urs"), pair(&password, &login));
            prop_assert!(again.starts_with(&text));
        }

        #[test]
        fn no_text_stops_the_reader(text in "(machine|default|macdef|login|password|[\" #\\\\\n]|[a-z]){0,20}") {
            let _ = Netrc::parse(&text);
        }
    }
}
