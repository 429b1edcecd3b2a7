//! The live and hidden fragments after a commit: the sum of the changes in the log. Checkpoints contain it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::array_state::FragmentRecord;
use super::commit::{Commit, FORMAT};
use crate::id::Id;

/// The fragments of one array.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ArrayFragments {
    /// Visible fragments, by id.
    pub(crate) live: BTreeMap<Id, FragmentRecord>,
    /// Folders without a commit file, by name, with the time at which they were hidden in milliseconds since 1970.
    pub(crate) hidden: BTreeMap<String, u64>,
}

/// The fragments of both arrays after one commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogState {
    pub(crate) format: u32,
    /// The number of that commit; 0 before the first.
    pub(crate) number: u64,
    /// The fragments of `segments`.
    pub(crate) segments: ArrayFragments,
    /// The fragments of `granules`.
    pub(crate) granules: ArrayFragments,
}

impl LogState {
    /// The state before the first commit.
    pub(crate) fn empty() -> LogState {
        LogState { format: FORMAT, number: 0, segments: ArrayFragments::default(), granules: ArrayFragments::default() }
    }

    /// Applies the changes of the next commit.
    pub(crate) fn apply(&mut self, commit: &Commit) {
        self.number = commit.number;
        for (fragments, state) in [&mut self.segments, &mut self.granules].into_iter().zip(commit.arrays()) {
            fragments.live.retain(|id, _| !state.removed.contains(id));
            fragments.live.extend(state.added.iter().map(|fragment| (fragment.id, fragment.clone())));
            fragments.hidden.retain(|name, _| !state.gone.contains(name));
            fragments.hidden.extend(state.hid.iter().map(|hidden| (hidden.name.clone(), hidden.at)));
        }
    }

    /// The fragments of `segments` and of `granules`.
    pub(crate) fn arrays(&self) -> [&ArrayFragments; 2] {
        [&self.segments, &self.granules]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::array_state::HiddenFragment;
    use crate::log::commit::CommitKind;

    fn fragment(counter: u32) -> FragmentRecord {
        FragmentRecord { id: Id::new(2, counter), name: format!("__1_1_{counter}_22"), rows: 5 }
    }

    #[test]
    fn the_state_is_the_sum_of_the_changes() {
        let mut first = Commit::first(1);
        first.segments.add(vec![fragment(1), fragment(2)]);
        first.granules.hid = vec![HiddenFragment { name: "a".to_owned(), at: 3 }];
        let mut second = first.successor(CommitKind::Compact, 5);
        second.segments.remove(&[fragment(1)], 2, 5);
        second.segments.add(vec![fragment(3)]);
        second.granules.gone = ["a".to_owned()].into();
        second.granules.hid = vec![HiddenFragment { name: "b".to_owned(), at: 5 }];
        let mut state = LogState::empty();
        state.apply(&first);
        assert_eq!(state.granules.hidden, [("a".to_owned(), 3)].into());
        state.apply(&second);
        let live: Vec<Id> = state.segments.live.into_keys().collect();
        assert_eq!((state.number, live), (2, vec![fragment(2).id, fragment(3).id]));
        assert_eq!(state.granules.hidden, [("b".to_owned(), 5)].into());
        assert_eq!((second.segments.live, second.segments.dead.len()), (2, 1));
    }
}
