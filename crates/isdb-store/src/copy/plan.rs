//! What a copy has of a database: the files that the newest state and the tags need.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::fragment::{FileChecksum, FragmentRecord};
use crate::log::commit::{Commit, CommitKind};
use crate::log::state::{Death, LogState};

/// What is copied of one state of a database.
pub(super) struct Plan {
    /// The fragments, by name; the record of those that are visible.
    pub(super) fragments: Vec<(String, Option<Arc<FragmentRecord>>)>,
    /// Names of the ledger's files, with what is recorded of those that are visible.
    pub(super) ledger: Vec<(String, Option<FileChecksum>)>,
    /// The commit that follows the copied ones: it says which dead files the copy does not have. None if it has all.
    pub(super) commit: Option<Commit>,
}

impl Plan {
    /// The plan for a copy of `state` at the time `now_ms`.
    pub(super) fn new(state: &LogState, now_ms: u64) -> Plan {
        let is_kept = |death: &Death| death.is_kept_by(state.tags.values());
        let live = state.segments.live.into_iter().map(|(_, fragment)| &fragment.record);
        let mut fragments: Vec<(String, Option<Arc<FragmentRecord>>)> =
            live.map(|record| (record.name.clone(), Some(Arc::clone(record)))).collect();
        let live = state.ledger.live.into_iter().map(|(name, (file, _))| (name.clone(), Some(file.checksum)));
        let mut ledger: Vec<(String, Option<FileChecksum>)> = live.collect();
        let (mut gone, mut gone_ledger, mut horizon) = (BTreeSet::new(), BTreeSet::new(), state.horizon);
        for (name, dead) in &state.segments.dead {
            match is_kept(&dead.death) {
                true => fragments.push((name.clone(), None)),
                false => {
                    gone.insert(name.clone());
                    horizon = horizon.max(dead.death.since);
                }
            }
        }
        for (name, death) in &state.ledger.dead {
            match is_kept(death) {
                true => ledger.push((name.clone(), None)),
                false => {
                    gone_ledger.insert(name.clone());
                    horizon = horizon.max(death.since);
                }
            }
        }
        let hid = gone.clone();
        gone.extend(state.segments.hidden.into_iter().map(|(name, _)| name.clone()));
        let commit = (!gone.is_empty() || !gone_ledger.is_empty()).then(|| {
            let mut commit = state.next_commit(CommitKind::Vacuum, now_ms);
            (commit.horizon, commit.deleting) = (horizon, commit.number);
            (commit.segments.hid, commit.segments.gone, commit.ledger.gone) = (hid, gone, gone_ledger);
            commit
        });
        Plan { fragments, ledger, commit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fragment::record::tests::record;
    use crate::id::Id;
    use crate::log::changes::{AbandonedFragment, Tag};
    use crate::log::commit::tests::first;

    /// Otherwise a vacuum of the copy would look for files that it never had, or an earlier state would seem to be readable.
    #[test]
    fn a_copy_has_what_the_newest_state_and_tags_need_and_its_log_says_that_the_rest_is_gone() {
        let mut state = LogState::after(&first(1));
        assert!(Plan::new(&state, 5).commit.is_none(), "nothing is left out");
        let mut commit = state.next_commit(CommitKind::Ingest, 3);
        commit.segments.added = vec![record(Id(1), 5), record(Id(2), 5)];
        commit.segments.abandoned = vec![AbandonedFragment { id: None, name: record(Id(9), 1).name }];
        commit.segments.hid = [record(Id(8), 1).name].into();
        state.apply(&commit);
        for (old, new) in [(1, 3), (3, 4)] {
            let mut commit = state.next_commit(CommitKind::Compact, 5);
            commit.segments.removed = [Id(old)].into();
            commit.segments.added = vec![record(Id(new), 5)];
            state.apply(&commit);
        }
        state.tags.insert("paper".to_owned(), Tag { commit: 2, timestamp: 3 });
        let plan = Plan::new(&state, 9);
        let names = |ids: &[i64]| ids.iter().map(|id| record(Id(*id), 1).name).collect::<BTreeSet<_>>();
        let copied: BTreeSet<String> = plan.fragments.iter().map(|(name, _)| name.clone()).collect();
        assert_eq!(copied, names(&[1, 2, 4]));
        let commit = plan.commit.unwrap();
        assert_eq!((commit.number, commit.horizon, commit.deleting), (5, 4, 5));
        state.apply(&commit);
        let dead: BTreeSet<String> = state.segments.dead.into_iter().map(|(name, _)| name.clone()).collect();
        assert_eq!((dead, state.segments.hidden.len()), (names(&[1]), 0));
        assert!(Plan::new(&state, 9).commit.is_none(), "a copy of the copy has everything");
    }
}
