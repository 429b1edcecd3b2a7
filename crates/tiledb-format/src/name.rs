//! Names of fragments, schemas and commits: `__<first>_<last>_<uuid>`, then `_<version>` if it is not a schema's.

use std::fmt;

use crate::error::{Error, Result};

const WHAT: &str = "timestamped name";

/// The name of a fragment's folder, of a schema's file, or of a commit without its suffix.
/// Names are ordered by time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimestampedName {
    /// Milliseconds since 1970 of the first write.
    pub first: u64,
    /// Milliseconds since 1970 of the last write, the same as `first` unless fragments were consolidated.
    pub last: u64,
    /// 32 hexadecimal digits that make the name unique.
    pub uuid: String,
    /// The version of the format. Names of schemas have none.
    pub version: Option<u32>,
}

impl TimestampedName {
    /// Parses a name without folder and suffix.
    pub fn parse(name: &str) -> Result<Self> {
        let invalid = || Error::Invalid {
            what: WHAT,
            expected: "__<milliseconds>_<milliseconds>_<32 hexadecimal digits>[_<version>]".to_owned(),
            found: name.to_owned(),
        };
        let mut parts = name.strip_prefix("__").ok_or_else(invalid)?.split('_');
        let mut number = || parts.next().and_then(decimal).ok_or_else(invalid);
        let (first, last) = (number()?, number()?);
        let uuid = parts.next().ok_or_else(invalid)?;
        if uuid.len() != 32 || !uuid.bytes().all(|byte| byte.is_ascii_hexdigit()) || first > last {
            return Err(invalid());
        }
        let version = match parts.next() {
            Some(version) => {
                Some(decimal(version).and_then(|version| u32::try_from(version).ok()).ok_or_else(invalid)?)
            }
            None => None,
        };
        if parts.next().is_some() {
            return Err(invalid());
        }
        Ok(Self { first, last, uuid: uuid.to_owned(), version })
    }
}

/// Decimal digits as TileDB writes them: without sign and leading zeros, so that a name has one spelling.
fn decimal(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with('0');
    if canonical && text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

impl fmt::Display for TimestampedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "__{}_{}_{}", self.first, self.last, self.uuid)?;
        match self.version {
            Some(version) => write!(f, "_{version}"),
            None => Ok(()),
        }
    }
}

/// What a file in `__commits` does, by its suffix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CommitKind {
    /// `.wrt`: the fragment of that name is complete.
    Write,
    /// `.con`: a list of commits that were consolidated into this file.
    Consolidated,
    /// `.ign`: a list of commits that do not count.
    Ignore,
    /// `.vac`: fragments that a consolidated one replaces.
    Vacuum,
    /// `.del`: a condition that deletes cells.
    Delete,
    /// `.upd`: a condition that updates cells.
    Update,
}

impl CommitKind {
    const ALL: [Self; 6] = [Self::Write, Self::Consolidated, Self::Ignore, Self::Vacuum, Self::Delete, Self::Update];

    /// The suffix, with its dot.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Write => ".wrt",
            Self::Consolidated => ".con",
            Self::Ignore => ".ign",
            Self::Vacuum => ".vac",
            Self::Delete => ".del",
            Self::Update => ".upd",
        }
    }

    /// Whether files of this kind are lists of others.
    pub fn is_list(self) -> bool {
        matches!(self, Self::Consolidated | Self::Ignore | Self::Vacuum)
    }

    /// Splits the name of a file in `__commits` into its timestamped name and what the file does.
    pub fn parse(file: &str) -> Result<(TimestampedName, Self)> {
        for kind in Self::ALL {
            if let Some(name) = file.strip_suffix(kind.suffix()) {
                return Ok((TimestampedName::parse(name)?, kind));
            }
        }
        Err(Error::Unsupported { what: "commit file", found: file.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Names that are parsed and formatted name the same files.
        #[test]
        fn formats_what_it_parses(
            a: u64, b: u64, uuid in "[0-9a-f]{32}", version in proptest::option::of(any::<u32>()),
        ) {
            let name = TimestampedName { first: a.min(b), last: a.max(b), uuid, version };
            prop_assert_eq!(TimestampedName::parse(&name.to_string()).unwrap(), name);
        }

        /// Strange files in an array's folders are errors, not crashes, and no two spellings are the same name.
        #[test]
        fn any_text_is_refused_or_canonical(text in "(__)?[0-9_a-f+]{0,60}") {
            if let Ok(name) = TimestampedName::parse(&text) {
                prop_assert_eq!(name.to_string(), text);
            }
        }
    }

    #[test]
    fn kinds_of_commits_are_distinguished() {
        let name = "__1700000000000_1700000000002_1f8ac625abf9a51ced9c5e16875ddab7_22";
        let (parsed, kind) = CommitKind::parse(&format!("{name}.con")).unwrap();
        assert_eq!((parsed.to_string().as_str(), kind), (name, CommitKind::Consolidated));
        assert_eq!((parsed.first, parsed.last, parsed.version), (1_700_000_000_000, 1_700_000_000_002, Some(22)));
        assert!(CommitKind::parse(name).is_err());
        assert!(TimestampedName::parse("__2_1_1f8ac625abf9a51ced9c5e16875ddab7").is_err());
    }
}
