//! The fragments of one array as a commit records them: as changes to the previous commit, so that a commit stays small however
//! large the database grows.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::id::Id;

/// A fragment as a commit records it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FragmentRecord {
    /// The value of `fragment_id` in each of its rows.
    pub id: Id,
    /// The fragment's folder below `__fragments`.
    pub name: String,
    /// Its number of rows.
    pub rows: u64,
}

/// A fragment that still exists and is no longer visible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadFragment {
    /// Its id; None for a fragment that no commit recorded: a replaced writer wrote it late.
    pub id: Option<Id>,
    /// Its folder below `__fragments`.
    pub name: String,
    /// The first commit in which it is dead: snapshots of earlier commits may need it.
    pub since: u64,
    /// The time of that commit, in milliseconds since 1970.
    pub at: u64,
}

/// A fragment's folder without its commit file: TileDB does not see it, but a read that began earlier may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HiddenFragment {
    /// The folder below `__fragments`.
    pub name: String,
    /// When the commit file was removed, in milliseconds since 1970.
    pub at: u64,
}

/// The changes that a commit makes to the fragments of one array, and the dead fragments that are left after it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArrayState {
    /// How many recorded fragments are visible.
    pub live: u64,
    /// Fragments that still exist and are not visible.
    pub dead: Vec<DeadFragment>,
    /// Fragments that this commit makes visible.
    pub added: Vec<FragmentRecord>,
    /// Fragments that were visible before this commit and no longer are.
    pub removed: BTreeSet<Id>,
    /// Folders that are hidden from this commit on.
    pub hid: Vec<HiddenFragment>,
    /// Hidden folders that no longer exist.
    pub gone: BTreeSet<String>,
}

impl ArrayState {
    /// The state after a commit that changes nothing.
    pub(super) fn unchanged(&self) -> ArrayState {
        ArrayState { live: self.live, dead: self.dead.clone(), ..ArrayState::default() }
    }

    /// Makes `fragments` visible.
    pub(crate) fn add(&mut self, fragments: Vec<FragmentRecord>) {
        self.live += fragments.len() as u64;
        self.added.extend(fragments);
    }

    /// Marks live fragments dead in the commit `since`, at the time `at`.
    pub(crate) fn remove(&mut self, fragments: &[FragmentRecord], since: u64, at: u64) {
        self.live = self.live.saturating_sub(fragments.len() as u64);
        self.removed.extend(fragments.iter().map(|fragment| fragment.id));
        self.abandon(fragments, since, at);
    }

    /// Marks fragments dead that were written for the commit `since`, at the time `at`, and never became visible.
    pub(crate) fn abandon(&mut self, fragments: &[FragmentRecord], since: u64, at: u64) {
        let dead = |fragment: &FragmentRecord| (Some(fragment.id), fragment.name.clone());
        self.add_dead(fragments.iter().map(dead), since, at);
    }

    /// Marks fragments dead that no commit recorded, and whose ids are therefore unknown.
    pub(crate) fn abandon_unrecorded(&mut self, names: &[String], since: u64, at: u64) {
        self.add_dead(names.iter().map(|name| (None, name.clone())), since, at);
    }

    fn add_dead(&mut self, fragments: impl Iterator<Item = (Option<Id>, String)>, since: u64, at: u64) {
        self.dead.extend(fragments.map(|(id, name)| DeadFragment { id, name, since, at }));
    }
}
