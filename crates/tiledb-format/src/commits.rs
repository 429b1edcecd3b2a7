//! The fragments of an array as of a timestamp, from the files of its folder `__commits`.
//!
//! A `.wrt` makes a fragment visible. Consolidated commits are lists of such files in a `.con`, of which a `.ign` takes some back. A `.vac`
//! lists the fragments that a consolidated fragment replaces, until a vacuum removes them.

use std::collections::BTreeSet;

use crate::error::{Error, Result};
use crate::name::{CommitKind, TimestampedName};

/// The folder of an array's commits.
const COMMITS: &str = "__commits";
/// The folder of an array's fragments.
const FRAGMENTS: &str = "__fragments";

/// The files of `__commits`.
#[derive(Debug, Clone, Default)]
pub struct Commits {
    written: BTreeSet<TimestampedName>,
    consolidated: BTreeSet<TimestampedName>,
    ignored: BTreeSet<TimestampedName>,
    /// Consolidated fragments, and what each replaces.
    replaced: Vec<(TimestampedName, Vec<TimestampedName>)>,
}

impl Commits {
    /// Adds a file. `content` is that of the file if it [is a list](CommitKind::is_list), and is not looked at otherwise.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for deleted or updated cells, which other files describe, and for fragments of older versions, which are
    /// elsewhere.
    pub fn add(&mut self, name: TimestampedName, kind: CommitKind, content: &[u8]) -> Result<()> {
        match kind {
            CommitKind::Write => {
                self.written.insert(name);
            }
            CommitKind::Consolidated => self.consolidated.extend(writes(content)?),
            CommitKind::Ignore => self.ignored.extend(writes(content)?),
            CommitKind::Vacuum => {
                let replaced = lines(content)?.map(|line| in_folder(line, FRAGMENTS).and_then(TimestampedName::parse));
                self.replaced.push((name, replaced.collect::<Result<_>>()?));
            }
            CommitKind::Delete | CommitKind::Update => {
                return Err(Error::Unsupported { what: "commit", found: format!("{name}{}", kind.suffix()) });
            }
        }
        Ok(())
    }

    /// Returns the fragments whose cells are all visible at `timestamp` (milliseconds since 1970), by their time. As in libtiledb, a
    /// consolidated fragment replaces others as soon as its first write is visible.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if only a part of a consolidated fragment is visible.
    pub fn fragments_at(&self, timestamp: u64) -> Result<Vec<TimestampedName>> {
        let visible = self.replaced.iter().filter(|(by, _)| by.first <= timestamp);
        let replaced: BTreeSet<&TimestampedName> = visible.flat_map(|(_, names)| names).collect();
        let consolidated = self.consolidated.difference(&self.ignored);
        let committed: BTreeSet<&TimestampedName> = self.written.iter().chain(consolidated).collect();
        let mut fragments = Vec::new();
        for name in committed.difference(&replaced).filter(|name| name.first <= timestamp) {
            if name.last > timestamp {
                let found = format!("{name}, of which {timestamp} ms excludes some");
                return Err(Error::Unsupported { what: "fragment", found });
            }
            fragments.push((*name).clone());
        }
        Ok(fragments)
    }
}

/// The fragments of a list of `.wrt` files.
fn writes(content: &[u8]) -> Result<Vec<TimestampedName>> {
    let write = |line| match CommitKind::parse(in_folder(line, COMMITS)?)? {
        (name, CommitKind::Write) => Ok(name),
        (name, kind) => Err(Error::Unsupported { what: "commit", found: format!("{name}{}", kind.suffix()) }),
    };
    lines(content)?.map(write).collect()
}

/// The lines of a list. Conditions that delete cells are among them as bytes.
fn lines(content: &[u8]) -> Result<impl Iterator<Item = &str>> {
    match str::from_utf8(content) {
        Ok(text) => Ok(text.lines()),
        Err(_) => Err(Error::Unsupported { what: "list of commits", found: "bytes that are not text".to_owned() }),
    }
}

/// The name at the end of a path or URI, which must be in that folder.
fn in_folder<'a>(path: &'a str, folder: &str) -> Result<&'a str> {
    let mut parts = path.trim_end_matches('/').rsplit('/');
    let name = parts.next().unwrap_or_default();
    if parts.next() == Some(folder) {
        return Ok(name);
    }
    Err(Error::Unsupported { what: "commit", found: format!("{path}, which is not in {folder}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "1f8ac625abf9a51ced9c5e16875ddab7";

    fn name(first: u64, last: u64) -> TimestampedName {
        TimestampedName { first, last, uuid: UUID.to_owned(), version: Some(22) }
    }

    /// `kind` is the suffix without its dot.
    fn commits(files: &[(u64, u64, &str, &str)]) -> Result<Commits> {
        let mut commits = Commits::default();
        for (first, last, kind, content) in files {
            let (name, kind) = CommitKind::parse(&format!("{}.{kind}", name(*first, *last)))?;
            commits.add(name, kind, content.as_bytes())?;
        }
        Ok(commits)
    }

    fn visible(commits: &Commits, timestamp: u64) -> Option<Vec<(u64, u64)>> {
        let names = commits.fragments_at(timestamp).ok()?;
        Some(names.iter().map(|name| (name.first, name.last)).collect())
    }

    #[test]
    fn a_consolidated_fragment_replaces_others_and_is_read_as_a_whole_or_not_at_all() {
        let replaced = format!("__fragments/{}\nfile:///a/__fragments/{}/\n", name(1, 1), name(3, 3));
        let files =
            [(1, 1, "wrt", ""), (3, 3, "wrt", ""), (5, 5, "wrt", ""), (1, 3, "wrt", ""), (1, 3, "vac", &replaced)];
        let commits = commits(&files).unwrap();
        assert_eq!(visible(&commits, 0), Some(vec![]));
        assert_eq!(visible(&commits, 2), None);
        assert_eq!(visible(&commits, 3), Some(vec![(1, 3)]));
        assert_eq!(visible(&commits, 9), Some(vec![(1, 3), (5, 5)]));
    }

    #[test]
    fn consolidated_commits_count_unless_a_later_file_ignores_them() {
        let line = |first| format!("/__commits/{}.wrt\n", name(first, first));
        let listed = line(1) + &line(2);
        let files = [(1, 2, "con", listed.as_str()), (2, 2, "wrt", ""), (4, 4, "wrt", "")];
        assert_eq!(visible(&commits(&files).unwrap(), 9), Some(vec![(1, 1), (2, 2), (4, 4)]));
        let (first, second) = (line(1), line(2));
        let files = [(1, 2, "con", listed.as_str()), (1, 1, "ign", &first), (2, 2, "ign", &second), (2, 2, "wrt", "")];
        // Only what is in a list can be ignored.
        assert_eq!(visible(&commits(&files).unwrap(), 9), Some(vec![(2, 2)]));
    }

    /// Rows that were deleted must not come back because this crate does not know how.
    #[test]
    fn what_is_not_known_is_an_error() {
        let deletion = format!("__commits/{}.del\n\u{1}\u{2}", name(1, 1));
        let older = format!("/{}.ok\n", name(1, 1));
        let elsewhere = format!("/{}.wrt\n", name(1, 1));
        for (kind, content) in
            [("del", ""), ("upd", ""), ("con", deletion.as_str()), ("con", &older), ("con", &elsewhere), ("vac", "x\n")]
        {
            let found = commits(&[(1, 1, kind, content)]);
            assert!(matches!(found, Err(Error::Unsupported { .. })), "{kind}: {found:?}");
        }
        assert!(Commits::default().add(name(1, 1), CommitKind::Consolidated, &[0xFF, b'\n']).is_err());
    }
}
