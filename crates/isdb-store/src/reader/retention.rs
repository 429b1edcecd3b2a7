//! How long a state can be read: until a vacuum passes it, or while a tag keeps it; and what tags cost on disk.

use std::collections::BTreeMap;

use crate::blocking::blocking;
use crate::database::Database;
use crate::error::Result;
use crate::files::array_files::FRAGMENTS;
use crate::files::location::{Location, SEGMENTS};
use crate::ledger::files::ledger_path;
use crate::log::changes::Tag;
use crate::log::state::{Death, LogState};
use crate::reader::snapshot::Snapshot;

/// How long a state can be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retention {
    /// As long as one of the tags of these names exists.
    Tags(Vec<String>),
    /// At least until this time, in milliseconds since 1970. It may be in the past: then the next vacuum may remove the state.
    Until(u64),
}

/// The size on disk of fragments and ledger files that the newest state does not show and that tags keep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagCosts {
    /// The bytes of the files that each tag keeps, by the name of the tag. What several tags keep counts for each of them.
    pub by_tag: BTreeMap<String, u64>,
    /// The bytes of all these files. What several tags keep counts once.
    pub total: u64,
}

impl Snapshot {
    /// What a tag of this state records: its last commit with data, and the timestamp.
    pub fn as_tag(&self) -> Tag {
        Tag { commit: self.state().data_commit, timestamp: self.timestamp() }
    }

    /// Returns how long this state can be opened, if every vacuum from the time `now_ms` on keeps at least `older_than_ms`
    /// milliseconds.
    ///
    /// # Errors
    /// When the commit log cannot be read.
    pub async fn retention(&self, now_ms: u64, older_than_ms: u64) -> Result<Retention> {
        let newest = self.database().newest().await?;
        Ok(retention(&newest, self.state().data_commit, now_ms, older_than_ms))
    }
}

impl Database {
    /// Measures what the tags keep. Without tags, no file is looked at.
    ///
    /// # Errors
    /// When the commit log or a folder of a fragment cannot be read.
    pub async fn tag_costs(&self) -> Result<TagCosts> {
        let (newest, location) = (self.newest().await?, self.location().clone());
        blocking(move || tag_costs(&newest, &location)).await
    }
}

fn retention(newest: &LogState, data_commit: u64, now_ms: u64, older_than_ms: u64) -> Retention {
    let tags = newest.tags.iter().filter(|(_, tag)| tag.commit == data_commit);
    let tags: Vec<String> = tags.map(|(name, _)| name.clone()).collect();
    if !tags.is_empty() {
        return Retention::Tags(tags);
    }
    if newest.data_commit == data_commit {
        return Retention::Until(now_ms + older_than_ms);
    }
    if newest.horizon > data_commit {
        return Retention::Until(0);
    }
    // A vacuum that removes anything that died later passes the state, whether the state shows it or not.
    let deaths = newest.segments.dead.into_iter().map(|(_, dead)| &dead.death);
    let deaths = deaths.chain(newest.ledger.dead.into_iter().map(|(_, death)| death));
    let later = deaths.filter(|death| death.since > data_commit && !death.is_kept_by(newest.tags.values()));
    let first = later.map(|death| death.at).min().unwrap_or(now_ms);
    Retention::Until(first.min(now_ms) + older_than_ms)
}

fn tag_costs(newest: &LogState, location: &Location) -> Result<TagCosts> {
    let by_tag = newest.tags.keys().map(|name| (name.clone(), 0)).collect();
    let mut costs = TagCosts { by_tag, total: 0 };
    if newest.tags.is_empty() {
        return Ok(costs);
    }
    for (name, dead) in &newest.segments.dead {
        costs.add(newest, &dead.death, || location.size(&format!("{SEGMENTS}/{FRAGMENTS}/{name}")))?;
    }
    for (name, death) in &newest.ledger.dead {
        costs.add(newest, death, || location.size(&ledger_path(name)))?;
    }
    Ok(costs)
}

impl TagCosts {
    /// Adds what died, if a tag keeps it.
    fn add(&mut self, newest: &LogState, death: &Death, size: impl Fn() -> Result<u64>) -> Result<()> {
        if !death.is_kept_by(newest.tags.values()) {
            return Ok(());
        }
        let bytes = size()?;
        self.total += bytes;
        for (name, sum) in &mut self.by_tag {
            if death.is_kept_by(newest.tags.get(name).into_iter()) {
                *sum += bytes;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::fragment::record::tests::record;
    use crate::id::Id;
    use crate::log::commit::CommitKind;
    use crate::log::commit::tests::first;

    const DAY: u64 = 86_400_000;

    /// The state after commit 2, which adds a fragment, and commit 3 at the time 1000, which replaces it.
    fn replaced() -> LogState {
        let mut state = LogState::after(&first(1));
        let mut ingest = state.next_commit(CommitKind::Ingest, 500);
        ingest.segments.added = vec![record(Id(1), 5)];
        state.apply(&ingest);
        let mut compact = state.next_commit(CommitKind::Compact, 1_000);
        compact.segments.removed = [Id(1)].into();
        compact.segments.added = vec![record(Id(2), 5)];
        state.apply(&compact);
        state
    }

    fn with_tag(mut state: LogState, name: &str, commit: u64) -> LogState {
        state.tags.insert(name.to_owned(), Tag { commit, timestamp: 500 });
        state
    }

    #[test]
    fn the_newest_state_is_kept_from_now_on_and_an_earlier_one_since_its_files_died() {
        let state = replaced();
        assert_eq!(retention(&state, 3, 5_000, DAY), Retention::Until(5_000 + DAY));
        assert_eq!(retention(&state, 2, 5_000, DAY), Retention::Until(1_000 + DAY));
        let vacuumed = LogState { horizon: 3, ..state };
        assert_eq!(retention(&vacuumed, 2, 5_000, DAY), Retention::Until(0));
    }

    #[test]
    fn a_tag_keeps_its_state_and_lets_the_others_expire() {
        let state = with_tag(replaced(), "paper", 2);
        assert_eq!(retention(&state, 2, 5_000, DAY), Retention::Tags(vec!["paper".to_owned()]));
        assert_eq!(retention(&state, 3, 5_000, DAY), Retention::Until(5_000 + DAY));
    }

    #[test]
    fn tags_cost_the_dead_files_that_they_keep_each_once_in_the_total() {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::parse(folder.path().to_str().unwrap()).unwrap();
        let fragment = Path::new(&location.segments()).join(FRAGMENTS).join(record(Id(1), 5).name);
        fs::create_dir_all(&fragment).unwrap();
        fs::write(fragment.join("a.tdb"), [0; 70]).unwrap();
        fs::write(fragment.join("b.tdb"), [0; 7]).unwrap();
        assert_eq!(tag_costs(&replaced(), &location).unwrap(), TagCosts::default());
        let state = with_tag(with_tag(with_tag(replaced(), "paper", 2), "thesis", 2), "newest", 3);
        let costs = tag_costs(&state, &location).unwrap();
        let by_tag = [("newest", 0), ("paper", 77), ("thesis", 77)].map(|(name, bytes)| (name.to_owned(), bytes));
        assert_eq!(costs, TagCosts { by_tag: by_tag.into(), total: 77 });
        fs::remove_dir_all(&fragment).unwrap();
        assert_eq!(tag_costs(&state, &location).unwrap().total, 0);
    }
}
