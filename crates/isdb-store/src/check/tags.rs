//! The check of what only the states of tags need.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fragments::FragmentCheck;
use super::ledger::{Content, read};
use super::report::{CheckReport, Damage, Remedy};
use super::tag_loss::{LOSES_LEDGER, LOSES_STATE, loss_of};
use crate::database::Database;
use crate::error::Result;
use crate::fragment::FragmentRecord;
use crate::id::Id;
use crate::ledger::contents::ContentEntry;
use crate::ledger::file::{LedgerFile, LedgerFileKind};
use crate::ledger::files::ledger_path;
use crate::log::state::LogState;

/// What the states of tags show and the newest state does not, with the tags.
#[derive(Default)]
struct OnlyTagged {
    fragments: BTreeMap<Id, (Arc<FragmentRecord>, Vec<String>)>,
    /// Files with ledger rows, by name.
    files: BTreeMap<String, (LedgerFile, Vec<String>)>,
    /// Files with contents of these states, by name.
    contents: BTreeMap<String, LedgerFile>,
}

/// Reads the fragments and files that only the states of tags need, each once.
pub(super) async fn check_tags(
    fragments: &FragmentCheck<'_>,
    database: &Database,
    state: &LogState,
    report: &mut CheckReport,
) -> Result<()> {
    let only = only_tagged(database, state).await;
    let attempts = attempts_of(database, &only).await?;
    for (id, (record, tags)) in &only.fragments {
        match fragments.decode_as_recorded(record, attempts.get(id)).await? {
            Ok(_) => fragments.check_tagged_commit_file(record, report),
            Err((path, problem)) => {
                let problem = format!("{problem}{}", loss_of(tags, LOSES_STATE));
                report.damages.push(Damage::new(path, problem, Remedy::DeleteTag));
            }
        }
    }
    for (file, tags) in only.files.values() {
        if let Err(problem) = read(database.location(), file).await? {
            let problem = format!("{problem}{}", loss_of(tags, LOSES_LEDGER));
            let path = database.location().child(&ledger_path(&file.name));
            report.damages.push(Damage::new(path, problem, Remedy::DeleteTag));
        }
    }
    Ok(())
}

async fn only_tagged(database: &Database, state: &LogState) -> OnlyTagged {
    let mut only = OnlyTagged::default();
    for (tag, kept) in &state.tags {
        // A state that the log has lost is reported with its commit.
        let Ok(tagged) = database.log().state_at(kept.commit).await else { continue };
        for (id, fragment) in tagged.segments.live.into_iter().filter(|(id, _)| state.segments.live.get(id).is_none()) {
            let entry = only.fragments.entry(*id).or_insert_with(|| (Arc::clone(&fragment.record), Vec::new()));
            entry.1.push(tag.clone());
        }
        for (name, (file, _)) in &tagged.ledger.live {
            match file.kind {
                LedgerFileKind::Contents => {
                    only.contents.insert(name.clone(), file.clone());
                }
                LedgerFileKind::Granules if state.ledger.live.get(name).is_none() => {
                    let entry = only.files.entry(name.clone()).or_insert_with(|| (file.clone(), Vec::new()));
                    entry.1.push(tag.clone());
                }
                LedgerFileKind::Granules => {}
            }
        }
    }
    only
}

/// The rows by attempt of the fragments that only tags need, as far as a readable file of the ledger has them.
async fn attempts_of(database: &Database, only: &OnlyTagged) -> Result<BTreeMap<Id, BTreeMap<Id, u64>>> {
    let mut attempts: BTreeMap<Id, BTreeMap<Id, u64>> = BTreeMap::new();
    for file in only.contents.values().filter(|_| !only.fragments.is_empty()) {
        if let Ok(Content::Contents(entries)) = read(database.location(), file).await? {
            for ContentEntry { attempt, fragment, rows } in entries {
                if only.fragments.contains_key(&fragment) {
                    attempts.entry(fragment).or_default().insert(attempt, rows);
                }
            }
        }
    }
    Ok(attempts)
}
