//! Editing of a netrc file: sets the login of one machine and leaves everything else as it is.

use super::parse::Netrc;

/// Returns `text` with exactly one entry for `machine`. It replaces the first entry of that machine; a new entry is inserted
/// before `default`, which would hide it, or at the end.
pub(super) fn with_entry(text: &str, machine: &str, login: &str, password: &str) -> String {
    let entry = format!("machine {} login {} password {}", quote(machine), quote(login), quote(password));
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

/// Whether `new` has exactly this login for `machine`, and the same logins as `old` for all other machines.
pub(super) fn changes_only_entry(old: &str, new: &str, machine: &str, login: &str, password: &str) -> bool {
    let others = |netrc: Netrc| -> Vec<_> {
        let others = netrc.entries.into_iter().filter(|entry| entry.machine.as_deref() != Some(machine));
        others.map(|entry| (entry.machine, entry.login, entry.password)).collect()
    };
    let own = Netrc::parse(new);
    let is_own = own.entry(machine).is_some_and(|entry| {
        let found = (entry.machine.as_deref(), entry.login.as_deref(), entry.password.as_deref());
        found == (Some(machine), Some(login), Some(password)) && entry.unexpected_at.is_none()
    });
    is_own && others(own) == others(Netrc::parse(old))
}

/// Returns `value`, in quotes if a parser could misread it otherwise.
fn quote(value: &str) -> String {
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '"' | '\\' | '#' | '\'');
    if !value.is_empty() && value.chars().all(plain) {
        return value.to_owned();
    }
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::login::netrc::testing::{FULL, login_in, pair};

    #[test]
    fn an_entry_after_an_unfinished_macro_is_readable() {
        let open = "machine x login a password b\r\nmacdef init\r\nls\r\n";
        assert_eq!(login_in(&with_entry(open, "urs", "ann", "pw"), "urs"), pair("ann", "pw"));
    }

    #[test]
    fn a_broken_entry_is_repaired_without_touching_others() {
        for broken in [
            "machine urs login ann password two words\nmachine x login x password x\n",
            "machine urs login ann password \"never closed\nmachine x login x password x\n",
            "machine urs ann hunter2\nmachine x login x password x\n",
            "machine urs login\n",
        ] {
            let new = with_entry(broken, "urs", "eve", "pw");
            assert!(changes_only_entry(broken, &new, "urs", "eve", "pw"), "{broken} {new}");
            assert_eq!(login_in(&new, "x").is_some(), broken.contains("machine x"), "{new}");
            assert!(!["words", "never", "ann"].iter().any(|word| new.contains(word)), "{new}");
        }
        let text = "machine urs login a password b c\n";
        assert!(!changes_only_entry(text, text, "urs", "a", "b"), "a word too many");
        assert!(!changes_only_entry(text, "machine urs login a password b", "other", "a", "b"));
        assert!(!changes_only_entry("machine x login x password x", "machine urs login a password b", "urs", "a", "b"));
    }

    #[test]
    fn an_entry_is_replaced_in_place_and_duplicates_are_removed() {
        let once = with_entry(FULL, "urs.earthdata.nasa.gov", "eve", "new pass");
        assert_eq!(login_in(&once, "urs.earthdata.nasa.gov"), pair("eve", "new pass"));
        assert_eq!(with_entry(&once, "urs.earthdata.nasa.gov", "eve", "new pass"), once);
        let (before, after) = (FULL.find("machine urs.earthdata.nasa.gov\n").unwrap(), FULL.find("default").unwrap());
        assert!(once.starts_with(&FULL[..before]) && once.ends_with(&FULL[after..]), "{once}");
        let double = "machine urs login a password a\nmachine x login x password x\nmachine urs login b password b\n";
        let single = with_entry(double, "urs", "c", "c");
        assert_eq!(Netrc::parse(&single).entries.len(), 2, "{single}");
        assert_eq!((login_in(&single, "urs"), login_in(&single, "x")), (pair("c", "c"), pair("x", "x")));
    }

    #[test]
    fn a_new_entry_is_not_hidden_by_default_or_an_unfinished_macro() {
        for text in [
            "default login a password b\n",
            "machine x login a password b\nmacdef init\nls\n",
            "machine x login a password b",
        ] {
            let new = with_entry(text, "urs", "ann", "pw");
            assert_eq!(login_in(&new, "urs"), pair("ann", "pw"), "{new}");
            assert!(
                Netrc::parse(&new).entries.iter().position(|e| e.machine.as_deref() == Some("urs"))
                    == Some(usize::from(text.starts_with('m')))
            );
        }
    }

    proptest! {
        #[test]
        fn any_user_and_password_is_read_back_and_other_entries_stay(login in "[!-~]{1,12}", password in "\\PC{1,24}", other in "[!-~ ]{1,12}") {
            let text = with_entry("", "x.example.org", "other", &other);
            let both = with_entry(&text, "urs", &login, &password);
            prop_assert_eq!(login_in(&both, "urs"), pair(&login, &password));
            prop_assert_eq!(login_in(&both, "x.example.org"), pair("other", &other));
            let again = with_entry(&both, "urs", &password, &login);
            prop_assert_eq!(login_in(&again, "urs"), pair(&password, &login));
            prop_assert!(again.starts_with(&text));
        }
    }
}
