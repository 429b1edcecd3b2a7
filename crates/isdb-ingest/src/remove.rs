//! Granules taken out of the database on purpose, for example since NASA withdrew them.

use std::collections::{BTreeMap, BTreeSet};

use glob::Pattern;
use isdb_schema::granule_name::GranuleName;
use isdb_schema::ledger::GranuleState;
use isdb_schema::suggest::did_you_mean;
use isdb_store::{Changes, Database, Id, LedgerRow, Location, Writer};

use crate::again::owed;
use crate::clock::{now_ms, since_1970};
use crate::error::{Error, Result};
use crate::standing::Standing;

/// What a removal takes out of the database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removal {
    /// The ids of the granules, in their order.
    pub granules: Vec<String>,
    /// Their segments.
    pub segments: u64,
    /// Files that left segments to these, and have to be read again.
    pub again: Vec<String>,
}

/// Takes the granules called `names` out of the database at `location`, in one commit. A name is a granule's id or file name, or
/// a pattern such as `ATL08_2020*`. With `dry_run` nothing is changed. Files that had left segments to these granules are for the
/// next [`ingest`](fn@crate::ingest) to read again, whatever it is asked for.
///
/// # Errors
/// [`Error::NoSuchGranule`] for a name that nothing in the database has; then nothing is removed. Otherwise when there is no
/// database or it cannot be written.
pub async fn remove(location: &Location, names: &[String], dry_run: bool) -> Result<Removal> {
    let database = Database::open(location).await?;
    let ledger = database.snapshot().await?.ledger().await?;
    let standing = Standing::of(&ledger);
    let chosen = choose(&standing, names)?;
    if dry_run || chosen.is_empty() {
        let ids = ledger.iter().map(|row| row.ingest_id.0).max().map_or(0..0, |last| last + 1..i64::MAX);
        let removals = removals(ids.map(Id), &chosen);
        return Ok(told(&chosen, &ledger, &removals));
    }
    let mut writer = Writer::take_over(&database, now_ms()).await?;
    // Another writer may have been at work until the lock was ours.
    let ledger = database.snapshot().await?.ledger().await?;
    let chosen = choose(&Standing::of(&ledger), names)?;
    let count = u32::try_from(chosen.len()).unwrap_or(u32::MAX);
    let window = writer.begin_window(count, now_ms())?;
    let removals = removals((0..count).map(|index| window.ingest_id(index)), &chosen);
    let removal = told(&chosen, &ledger, &removals);
    let changes = Changes { ledger: removals, ..Changes::default() };
    writer.commit(window, changes).await?;
    Ok(removal)
}

/// What the ledger remembers of the removal of `chosen`, with these ids.
fn removals(ids: impl Iterator<Item = Id>, chosen: &BTreeMap<&str, Vec<&LedgerRow>>) -> Vec<LedgerRow> {
    let removal = |(id, attempts): (Id, &Vec<&LedgerRow>)| {
        let newest = attempts.last()?;
        let replaces = attempts.iter().map(|row| row.ingest_id).collect();
        Some(LedgerRow { ingest_id: id, replaces, ..removed(newest) })
    };
    ids.zip(chosen.values()).filter_map(removal).collect()
}

/// What the ledger remembers of the removal of a granule whose newest attempt is `row`.
fn removed(row: &LedgerRow) -> LedgerRow {
    LedgerRow {
        rows_read: 0,
        rows_kept: 0,
        rows_rejected: 0,
        rows_removed: 0,
        removed_by: Vec::new(),
        beams_read: 0,
        beams_empty: 0,
        beams_missing: 0,
        missing_variables: None,
        notes: None,
        state: GranuleState::Removed,
        stage: None,
        finished_at: i64::try_from(since_1970().as_nanos()).unwrap_or(i64::MAX),
        ..row.clone()
    }
}

/// The standing attempts of each granule that is named, by its id.
fn choose<'a>(standing: &Standing<'a>, names: &[String]) -> Result<BTreeMap<&'a str, Vec<&'a LedgerRow>>> {
    let mut granules: BTreeMap<&str, Vec<&LedgerRow>> = BTreeMap::new();
    for row in standing.rows() {
        granules.entry(&row.granule).or_default().push(row);
    }
    let mut chosen = BTreeSet::new();
    for name in names {
        let before = chosen.len();
        if name.contains(['*', '?', '[']) {
            let pattern = Pattern::new(name).map_err(|source| Error::Pattern { pattern: name.clone(), source })?;
            chosen.extend(granules.keys().copied().filter(|id| pattern.matches(id)));
            if chosen.len() > before || granules.keys().any(|id| pattern.matches(id)) {
                continue;
            }
        } else {
            let id = name.parse::<GranuleName>().map_or_else(|_| name.clone(), |name| name.id());
            if let Some((id, _)) = granules.get_key_value(id.as_str()) {
                chosen.insert(*id);
                continue;
            }
        }
        let near = did_you_mean(name, granules.keys().copied());
        return Err(Error::NoSuchGranule { name: name.clone(), near });
    }
    granules.retain(|id, _| chosen.contains(id));
    Ok(granules)
}

/// What `removals` of `chosen` do to the database with this `ledger`.
fn told(chosen: &BTreeMap<&str, Vec<&LedgerRow>>, ledger: &[LedgerRow], removals: &[LedgerRow]) -> Removal {
    let after: Vec<LedgerRow> = ledger.iter().chain(removals).cloned().collect();
    let standing = Standing::of(&after);
    let owed = owed(&after, &standing);
    let again = standing.rows().filter(|row| owed.contains(&row.ingest_id)).map(|row| row.source.clone());
    Removal {
        again: again.collect::<BTreeSet<String>>().into_iter().collect(),
        granules: chosen.keys().map(|id| (*id).to_owned()).collect(),
        segments: chosen.values().flatten().filter_map(|row| u64::try_from(row.rows_kept).ok()).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::row;

    fn chosen(names: &[&str]) -> Result<Removal> {
        let mut ledger = vec![row(1, "ATL08_a"), row(2, "ATL08_b"), row(3, "ATL08_b"), row(4, "clip")];
        for (cycle, row) in (1..).zip(&mut ledger) {
            row.cycle = Some(cycle);
        }
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let standing = Standing::of(&ledger);
        let chosen = choose(&standing, &names)?;
        Ok(told(&chosen, &ledger, &removals((10..).map(Id), &chosen)))
    }

    #[test]
    fn ids_and_patterns_name_each_granule_once_with_all_its_subsets() {
        let all = Removal { granules: vec!["ATL08_a".into(), "ATL08_b".into()], segments: 6, again: Vec::new() };
        assert_eq!(chosen(&["ATL08_*", "ATL08_a"]).unwrap(), all);
        assert_eq!(chosen(&["ATL08_?", "ATL08_*"]).unwrap(), all);
        assert_eq!(chosen(&["clip"]).unwrap().segments, 2);
    }

    #[test]
    fn a_name_that_nothing_has_removes_nothing_and_tells_what_is_near() {
        let error = |name| chosen(&["ATL08_a", name]).unwrap_err().to_string();
        assert_eq!(error("clap"), "the database holds no granule clap; did you mean clip?");
        assert!(error("ATL08_2019*").starts_with("the database holds no granule ATL08_2019*"));
    }
}
