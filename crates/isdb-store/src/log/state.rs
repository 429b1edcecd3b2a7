//! The state of a database after a commit: the sum of all changes up to it. It knows what is dead, so that commits need not.
//!
//! The large parts are persistent maps: a snapshot shares them with the writer that goes on to change them, whatever their size.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use immutable_chunkmap::map::MapM;
use isdb_schema::filters::Rule;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::changes::{DeadAttempt, LedgerChanges, SegmentChanges, Tag};
use super::commit::{Commit, CommitKind, filters_as_text};
use super::segments_schema::SegmentsSchema;
use crate::fragment::FragmentRecord;
use crate::id::Id;
use crate::ledger::file::{LedgerFile, LedgerFileKind};

/// A visible fragment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LiveFragment {
    pub(crate) record: Arc<FragmentRecord>,
    /// The commit that made it visible.
    pub(crate) born: u64,
}

/// A fragment that has a commit file and is not visible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeadFragment {
    /// Its id; None for a fragment that no commit recorded.
    pub(crate) id: Option<Id>,
    /// When it was visible and since when it is dead.
    #[serde(flatten)]
    pub(crate) death: Death,
}

/// The commits between which something was visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Death {
    /// The commit that made it visible; None if it never was.
    pub(crate) born: Option<u64>,
    /// The first commit in which it is not visible.
    pub(crate) since: u64,
    /// When that commit was made, in milliseconds since 1970.
    pub(crate) at: u64,
}

/// The fragments of `segments`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SegmentFragments {
    /// Visible fragments. A checkpoint stores them apart.
    #[serde(skip)]
    pub(crate) live: MapM<Id, LiveFragment>,
    /// The rows of the live fragments, with those of dead attempts.
    pub(crate) rows: u64,
    /// Dead fragments, by name.
    pub(crate) dead: MapM<String, DeadFragment>,
    /// Folders without a commit file, by name, with the time at which they were hidden in milliseconds since 1970.
    pub(crate) hidden: MapM<String, u64>,
}

/// The files of the ledger.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct LedgerFiles {
    /// Visible files, by name, with the commit that made them visible.
    pub(crate) live: MapM<String, (LedgerFile, u64)>,
    /// Files that are no longer visible, by name.
    pub(crate) dead: MapM<String, Death>,
}

/// The state after one commit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct LogState {
    /// The number of that commit; 0 before the first.
    pub(crate) number: u64,
    /// The [uuid](Commit::uuid) of that commit.
    pub(crate) uuid: String,
    /// The last commit that changed what readers see.
    pub(crate) data_commit: u64,
    /// See [`Commit::timestamp`].
    pub(crate) timestamp: u64,
    /// See [`Commit::at`].
    pub(crate) at: u64,
    /// See [`Commit::epoch`].
    pub(crate) epoch: u32,
    /// See [`Commit::horizon`].
    pub(crate) horizon: u64,
    /// See [`Commit::deleting`].
    pub(crate) deleting: u64,
    pub(crate) segments: SegmentFragments,
    pub(crate) ledger: LedgerFiles,
    /// Attempts whose segments are in live fragments and are not visible.
    pub(crate) dead_attempts: MapM<Id, BTreeSet<Id>>,
    /// Attempts whose files have to be read again.
    pub(crate) reread: BTreeSet<Id>,
    /// See [`Commit::lost_commits`].
    #[serde(default)]
    pub(crate) lost_commits: BTreeMap<u64, u64>,
    pub(crate) tags: BTreeMap<String, Tag>,
    #[serde(with = "filters_as_text")]
    pub(crate) filters: Option<Vec<Rule>>,
    pub(crate) region: Option<String>,
    pub(crate) schema: Option<SegmentsSchema>,
    /// The timestamps of the commits that changed the schema, which are those of its files.
    pub(crate) schema_timestamps: Vec<u64>,
    pub(crate) created_by: Option<String>,
}

impl LogState {
    /// The state after the first commit of a database.
    #[cfg(test)]
    pub(crate) fn after(first: &Commit) -> LogState {
        let mut state = LogState::default();
        state.apply(first);
        state
    }

    /// The first commit of a database, whose array has this schema.
    pub(crate) fn first_commit(now_ms: u64, schema: SegmentsSchema) -> Commit {
        Commit {
            schema: Some(schema),
            created_by: Some(env!("CARGO_PKG_VERSION").to_owned()),
            ..LogState::default().next_commit(CommitKind::Create, now_ms)
        }
    }

    /// Applies the next commit.
    pub(crate) fn apply(&mut self, commit: &Commit) {
        self.number = commit.number;
        self.uuid.clone_from(&commit.uuid);
        if commit.kind.has_data() {
            self.data_commit = commit.number;
        }
        (self.timestamp, self.at, self.epoch) = (commit.timestamp, commit.at, commit.epoch);
        (self.horizon, self.deleting) = (commit.horizon, commit.deleting);
        self.segments.apply(commit);
        self.ledger.apply(commit);
        self.forget_attempts(&commit.segments.removed);
        for DeadAttempt { id, fragments } in &commit.dead_attempts {
            self.dead_attempts.insert_cow(*id, fragments.clone());
        }
        self.reread.extend(&commit.reread);
        for id in &commit.reread_done {
            self.reread.remove(id);
        }
        self.lost_commits.extend(&commit.lost_commits);
        for (name, tag) in &commit.tags {
            match tag {
                Some(tag) => self.tags.insert(name.clone(), *tag),
                None => self.tags.remove(name),
            };
        }
        replace(&mut self.filters, &commit.filters);
        replace(&mut self.region, &commit.region);
        if commit.schema.is_some() {
            self.schema_timestamps.push(commit.timestamp);
        }
        replace(&mut self.schema, &commit.schema);
        replace(&mut self.created_by, &commit.created_by);
    }

    /// Strikes fragments that are no longer live from the lists of dead attempts. An attempt without a live fragment is forgotten: the
    /// rows in dead fragments are hidden with these.
    fn forget_attempts(&mut self, removed: &BTreeSet<Id>) {
        if removed.is_empty() {
            return;
        }
        let touched = self.dead_attempts.into_iter().filter(|(_, fragments)| !fragments.is_disjoint(removed));
        let touched: Vec<(Id, BTreeSet<Id>)> = touched.map(|(id, fragments)| (*id, fragments - removed)).collect();
        for (id, fragments) in touched {
            match fragments.is_empty() {
                true => self.dead_attempts.remove_cow(&id),
                false => self.dead_attempts.insert_cow(id, fragments),
            };
        }
    }

    /// The next commit, made at the clock's `now_ms`, without changes yet.
    pub(crate) fn next_commit(&self, kind: CommitKind, now_ms: u64) -> Commit {
        let (timestamp, at) = match kind.has_data() {
            true => (self.timestamp_after(now_ms), self.timestamp_after(now_ms)),
            false => (self.timestamp, now_ms.max(self.at)),
        };
        Commit {
            number: self.number.saturating_add(1),
            kind,
            timestamp,
            at,
            made_at: at,
            epoch: self.epoch,
            horizon: self.horizon,
            deleting: self.deleting,
            uuid: Uuid::new_v4().to_string(),
            segments: SegmentChanges::default(),
            ledger: LedgerChanges::default(),
            dead_attempts: Vec::new(),
            reread: BTreeSet::new(),
            reread_done: BTreeSet::new(),
            lost_commits: BTreeMap::new(),
            tags: BTreeMap::new(),
            filters: None,
            region: None,
            schema: None,
            created_by: None,
        }
    }

    /// The timestamp of files that are written after this state at the clock's `now_ms`. It is later than every snapshot's, however
    /// wrong the clocks are.
    pub(crate) fn timestamp_after(&self, now_ms: u64) -> u64 {
        now_ms.max(self.timestamp.saturating_add(1)).max(self.at.saturating_add(1))
    }

    /// Whether a tag keeps the state of this commit with data.
    pub(crate) fn is_tagged(&self, data_commit: u64) -> bool {
        self.tags.values().any(|tag| tag.commit == data_commit)
    }
}

impl SegmentFragments {
    fn apply(&mut self, commit: &Commit) {
        let changes = &commit.segments;
        let death = |born| Death { born, since: commit.number, at: commit.made_at };
        for id in &changes.removed {
            if let Some(LiveFragment { record, born }) = self.live.remove_cow(id) {
                self.rows = self.rows.saturating_sub(record.rows);
                let dead = DeadFragment { id: Some(*id), death: death(Some(born)) };
                self.dead.insert_cow(record.name.clone(), dead);
            }
        }
        for fragment in &changes.abandoned {
            self.dead.insert_cow(fragment.name.clone(), DeadFragment { id: fragment.id, death: death(None) });
        }
        for record in &changes.added {
            self.rows = self.rows.saturating_add(record.rows);
            self.live.insert_cow(record.id, LiveFragment { record: Arc::new(record.clone()), born: commit.number });
        }
        for name in &changes.hid {
            self.dead.remove_cow(name);
            self.hidden.insert_cow(name.clone(), commit.made_at);
        }
        for name in &changes.gone {
            self.hidden.remove_cow(name);
        }
    }
}

impl LedgerFiles {
    /// The live files of one kind.
    pub(crate) fn live_of(&self, kind: LedgerFileKind) -> impl Iterator<Item = &LedgerFile> {
        self.live.into_iter().map(|(_, (file, _))| file).filter(move |file| file.kind == kind)
    }

    fn apply(&mut self, commit: &Commit) {
        let changes = &commit.ledger;
        for name in &changes.removed {
            if let Some((_, born)) = self.live.remove_cow(name) {
                let death = Death { born: Some(born), since: commit.number, at: commit.made_at };
                self.dead.insert_cow(name.clone(), death);
            }
        }
        for file in &changes.added {
            self.live.insert_cow(file.name.clone(), (file.clone(), commit.number));
        }
        for name in &changes.gone {
            self.dead.remove_cow(name);
        }
    }
}

impl Death {
    /// Whether the state of one of `tags` shows what died.
    pub(crate) fn is_kept_by<'t>(&self, mut tags: impl Iterator<Item = &'t Tag>) -> bool {
        self.born.is_some_and(|born| tags.any(|tag| (born..self.since).contains(&tag.commit)))
    }
}

fn replace<T: Clone>(value: &mut Option<T>, changed: &Option<T>) {
    if changed.is_some() {
        value.clone_from(changed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fragment::record::tests::record;
    use crate::log::commit::tests::first;

    fn id(counter: u32) -> Id {
        Id::new(2, counter)
    }

    fn live(state: &LogState) -> Vec<Id> {
        state.segments.live.into_iter().map(|(id, _)| *id).collect()
    }

    #[test]
    fn the_state_is_the_sum_of_the_changes() {
        let mut state = LogState::after(&first(1));
        let mut ingest = state.next_commit(CommitKind::Ingest, 3);
        ingest.segments.added = vec![record(id(1), 5), record(id(2), 7)];
        state.apply(&ingest);
        let before = state.clone();
        let mut compact = state.next_commit(CommitKind::Compact, 5);
        compact.segments.removed = [id(1)].into();
        compact.segments.added = vec![record(id(3), 4)];
        state.apply(&compact);
        assert_eq!((state.number, live(&state), state.segments.rows), (3, vec![id(2), id(3)], 11));
        let name = record(id(1), 5).name;
        let dead = DeadFragment { id: Some(id(1)), death: Death { born: Some(2), since: 3, at: 5 } };
        assert_eq!(state.segments.dead.get(&name), Some(&dead));
        assert_eq!(live(&before), [id(1), id(2)], "an earlier state never changes");
        let mut vacuum = state.next_commit(CommitKind::Vacuum, 9);
        vacuum.segments.hid = [name.clone()].into();
        state.apply(&vacuum);
        assert_eq!((state.segments.dead.len(), state.segments.hidden.get(&name), state.data_commit), (0, Some(&9), 3));
        let mut vacuum = state.next_commit(CommitKind::Vacuum, 9);
        vacuum.segments.gone = [name].into();
        state.apply(&vacuum);
        assert_eq!(state.segments.hidden.len(), 0);
    }

    #[test]
    fn an_attempt_is_forgotten_when_no_live_fragment_holds_its_segments() {
        let mut state = LogState::after(&first(1));
        let mut ingest = state.next_commit(CommitKind::Ingest, 3);
        ingest.segments.added = vec![record(id(1), 5), record(id(2), 7)];
        ingest.dead_attempts = vec![DeadAttempt { id: id(9), fragments: [id(1), id(2)].into() }];
        state.apply(&ingest);
        for (removed, left) in [(id(1), Some(BTreeSet::from([id(2)]))), (id(2), None)] {
            let mut compact = state.next_commit(CommitKind::Compact, 5);
            compact.segments.removed = [removed].into();
            state.apply(&compact);
            assert_eq!(state.dead_attempts.get(&id(9)), left.as_ref());
        }
    }

    #[test]
    fn a_tag_keeps_what_its_state_shows_and_nothing_else() {
        let tag = Tag { commit: 5, timestamp: 1 };
        let kept = |born, since| Death { born, since, at: 1 }.is_kept_by([&tag].into_iter());
        assert!(kept(Some(5), 6) && kept(Some(2), 9));
        assert!(!kept(Some(6), 9) && !kept(Some(2), 5) && !kept(None, 9));
    }

    #[test]
    fn each_time_belongs_to_one_commit_even_with_wrong_clocks() {
        let mut state = LogState::after(&first(1_000));
        let mut times = vec![(state.timestamp, state.at)];
        for (kind, now) in
            [(CommitKind::Fence, 5_000), (CommitKind::Ingest, 900), (CommitKind::Compact, 900), (CommitKind::Fence, 1)]
        {
            state.apply(&state.next_commit(kind, now));
            times.push((state.timestamp, state.at));
        }
        assert_eq!(times, [(1_000, 1_000), (1_000, 5_000), (5_001, 5_001), (5_002, 5_002), (5_002, 5_002)]);
    }
}
