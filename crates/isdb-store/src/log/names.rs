//! Names of fragments and of ledger files in the log. They become paths that are read, created and removed, so the log must not contain
//! one that isdb gives to nothing: `../x` would lead out of the database.

use tiledb_format::TimestampedName;
use uuid::Uuid;

use super::commit::Commit;
use super::state::LogState;
use crate::ledger::files::LEDGER_SUFFIX;

/// Whether a fragment can have this name.
pub(crate) fn is_fragment_name(name: &str) -> bool {
    TimestampedName::parse(name).is_ok_and(|name| name.version.is_some())
}

/// Checks the names in a commit; an error describes the wrong one.
pub(super) fn check_commit(commit: &Commit) -> Result<(), String> {
    let (segments, ledger) = (&commit.segments, &commit.ledger);
    let added = segments.added.iter().map(|fragment| &fragment.name);
    let fragments = added.chain(segments.abandoned.iter().map(|fragment| &fragment.name));
    check_fragments(fragments.chain(&segments.hid).chain(&segments.gone))?;
    check_ledger(ledger.added.iter().map(|file| &file.name).chain(&ledger.removed).chain(&ledger.gone))
}

/// Checks the names in a state; an error describes the wrong one.
pub(super) fn check_state(state: &LogState) -> Result<(), String> {
    let (segments, ledger) = (&state.segments, &state.ledger);
    check_fragments(segments.live.into_iter().map(|(_, fragment)| &fragment.record.name))?;
    let dead = segments.dead.into_iter().map(|(name, _)| name);
    check_fragments(dead.chain(segments.hidden.into_iter().map(|(name, _)| name)))?;
    check_ledger(ledger.live.into_iter().map(|(_, (file, _))| &file.name))?;
    let listed = ledger.live.into_iter().map(|(name, _)| name);
    check_ledger(listed.chain(ledger.dead.into_iter().map(|(name, _)| name)))
}

fn check_fragments<'n>(mut names: impl Iterator<Item = &'n String>) -> Result<(), String> {
    match names.find(|name| !is_fragment_name(name)) {
        Some(name) => Err(format!("expected the name of a fragment, __<time>_<time>_<uuid>_<version>, found {name:?}")),
        None => Ok(()),
    }
}

fn check_ledger<'n>(mut names: impl Iterator<Item = &'n String>) -> Result<(), String> {
    let is_one = |name: &str| {
        let id = name.strip_suffix(LEDGER_SUFFIX);
        id.is_some_and(|id| Uuid::try_parse(id).is_ok_and(|uuid| *id == uuid.simple().to_string()))
    };
    match names.find(|name| !is_one(name)) {
        Some(name) => Err(format!("expected the name of a ledger file, <uuid>{LEDGER_SUFFIX}, found {name:?}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::fragment::FragmentRecord;
    use crate::fragment::record::tests::record;
    use crate::id::Id;
    use crate::ledger::file::{LedgerFile, LedgerFileKind};
    use crate::log::changes::AbandonedFragment;
    use crate::log::commit::tests::first;
    use crate::log::state::{DeadFragment, Death, LiveFragment};

    const GOOD: &str = "0123456789abcdef0123456789abcdef.parquet";
    const OUTSIDE: [&str; 5] =
        ["../../x", "", "/etc", "__1_1_0123456789abcdef0123456789abcdef_22/../../x", "x.parquet"];

    fn ledger_file(name: &str) -> LedgerFile {
        let checksum = record(Id(1), 1).footer;
        let (name, kind) = (name.to_owned(), LedgerFileKind::Granules);
        LedgerFile { name, kind, rows: 1, ingest_ids: (Id(1), Id(1)), fragment_ids: None, checksum }
    }

    #[test]
    fn a_commit_names_only_what_isdb_has_named() {
        let good = first(1);
        assert_eq!(check_commit(&good), Ok(()));
        for name in OUTSIDE.map(str::to_owned) {
            let mut commits = vec![good.clone(); 7];
            let mut added = record(Id(5), 1);
            added.name.clone_from(&name);
            commits[0].segments.added = vec![added];
            commits[1].segments.abandoned = vec![AbandonedFragment { id: None, name: name.clone() }];
            commits[2].segments.hid = [name.clone()].into();
            commits[3].segments.gone = [name.clone()].into();
            commits[4].ledger.added = vec![ledger_file(&name)];
            commits[5].ledger.removed = [name.clone()].into();
            commits[6].ledger.gone = [name.clone()].into();
            for commit in &commits {
                let problem = check_commit(commit).unwrap_err();
                assert!(problem.ends_with(&format!("found {name:?}")), "{problem}");
            }
        }
    }

    #[test]
    fn a_state_names_only_what_isdb_has_named() {
        let state = LogState::after(&first(1));
        assert_eq!(check_state(&state), Ok(()));
        let death = Death { born: None, since: 1, at: 1 };
        for name in OUTSIDE.map(str::to_owned) {
            let mut states = vec![state.clone(); 6];
            let record = Arc::new(FragmentRecord { name: name.clone(), ..record(Id(5), 1) });
            states[0].segments.live.insert_cow(Id(5), LiveFragment { record, born: 1 });
            states[1].segments.dead.insert_cow(name.clone(), DeadFragment { id: None, death });
            states[2].segments.hidden.insert_cow(name.clone(), 1);
            states[3].ledger.live.insert_cow(name.clone(), (ledger_file(GOOD), 1));
            states[4].ledger.live.insert_cow(GOOD.to_owned(), (ledger_file(&name), 1));
            states[5].ledger.dead.insert_cow(name.clone(), death);
            for state in &states {
                let problem = check_state(state).unwrap_err();
                assert!(problem.ends_with(&format!("found {name:?}")), "{problem}");
            }
        }
    }
}
