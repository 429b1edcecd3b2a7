//! The whole state of the fragments at one commit: the sum of the log's changes. Written as a checkpoint now and then.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::commit::{Commit, FORMAT, FragmentRecord};
use crate::ids::Id;

/// The fragments of one array.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fragments {
    /// Those that may be seen, by id.
    pub(crate) live: BTreeMap<Id, FragmentRecord>,
    /// Folders without a commit file: since when, by name.
    pub(crate) hidden: BTreeMap<String, u64>,
}

/// The fragments of both arrays, as of one commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recorded {
    pub(crate) format: u32,
    /// The commit up to which changes are summed; 0 before the first.
    pub(crate) number: u64,
    /// Those of `segments`.
    pub(crate) segments: Fragments,
    /// Those of `granules`.
    pub(crate) granules: Fragments,
}

impl Recorded {
    /// Nothing, before the first commit.
    pub(crate) fn nothing() -> Recorded {
        Recorded { format: FORMAT, number: 0, segments: Fragments::default(), granules: Fragments::default() }
    }

    /// Adds the changes of the commit after [`number`](Self::number).
    pub(crate) fn apply(&mut self, commit: &Commit) {
        self.number = commit.number;
        for (fragments, state) in [&mut self.segments, &mut self.granules].into_iter().zip(commit.arrays()) {
            fragments.live.retain(|id, _| !state.removed.contains(id));
            fragments.live.extend(state.added.iter().map(|fragment| (fragment.id, fragment.clone())));
            fragments.hidden.retain(|name, _| !state.gone.contains(name));
            fragments.hidden.extend(state.hid.iter().map(|hidden| (hidden.name.clone(), hidden.at)));
        }
    }

    /// Those of `segments` and of `granules`.
    pub(crate) fn arrays(&self) -> [&Fragments; 2] {
        [&self.segments, &self.granules]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commit::{HiddenFragment, Kind};

    fn fragment(counter: u32) -> FragmentRecord {
        FragmentRecord { id: Id::new(2, counter), name: format!("__1_1_{counter}_22"), rows: 5 }
    }

    #[test]
    fn the_log_sums_up_to_what_is_live_and_what_is_hidden() {
        let mut first = Commit::first(1);
        first.segments.add(vec![fragment(1), fragment(2)]);
        first.granules.hid = vec![HiddenFragment { name: "a".to_owned(), at: 3 }];
        let mut second = first.following(Kind::Compact, 5);
        second.segments.bury(&[fragment(1)], 2, 5);
        second.segments.add(vec![fragment(3)]);
        second.granules.gone = ["a".to_owned()].into();
        second.granules.hid = vec![HiddenFragment { name: "b".to_owned(), at: 5 }];
        let mut recorded = Recorded::nothing();
        recorded.apply(&first);
        assert_eq!(recorded.granules.hidden, [("a".to_owned(), 3)].into());
        recorded.apply(&second);
        let live: Vec<Id> = recorded.segments.live.into_keys().collect();
        assert_eq!((recorded.number, live), (2, vec![fragment(2).id, fragment(3).id]));
        assert_eq!(recorded.granules.hidden, [("b".to_owned(), 5)].into());
        assert_eq!((second.segments.live, second.segments.dead.len()), (2, 1));
    }
}
