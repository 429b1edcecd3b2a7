//! Removal: takes granules out of the database on purpose, for example because NASA withdrew them.

use std::collections::{BTreeMap, BTreeSet};

use glob::Pattern;
use isdb_schema::granule_name::GranuleName;
use isdb_schema::suggest::did_you_mean;
use isdb_store::{Changes, Database, Id, LedgerRow, Location, Writer, current_attempts};

use crate::clock::{now_ms, now_ns};
use crate::decide::ledger::Ledger;
use crate::decide::reread::attempts_to_reread;
use crate::error::{Error, Result};

/// The result of a removal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removal {
    /// The ids of the removed granules, sorted.
    pub granules: Vec<String>,
    /// The number of their segments.
    pub segments: u64,
    /// Files that left segments to these granules and have to be read again.
    pub reread: Vec<String>,
}

/// Removes the granules `names` from the database at `location`, in one commit. A name is a granule's id or file name,
/// or a glob pattern such as `ATL08_2020*`. With `dry_run` nothing is changed. The next [`ingest`](fn@crate::ingest)
/// reads the files in [`Removal::reread`] again, whatever its request is.
///
/// # Errors
/// [`Error::NoSuchGranule`] if no granule in the database matches a name; then nothing is removed. Other errors when
/// the database does not exist or cannot be written.
pub async fn remove(location: &Location, names: &[String], dry_run: bool) -> Result<Removal> {
    let database = Database::open(location).await?;
    let ledger = database.snapshot().await?.ledger().await?;
    let chosen = choose(&ledger, names)?;
    if dry_run || chosen.is_empty() {
        let ids = ledger.iter().map(|row| row.ingest_id.0).max().map_or(0..0, |last| last + 1..i64::MAX);
        return Ok(describe_removal(&chosen, &ledger, &removal_rows(ids.map(Id), &chosen)));
    }
    let mut writer = Writer::take_over(&database, now_ms()).await?;
    // Another writer may have committed until the lock was acquired.
    let ledger = database.snapshot().await?.ledger().await?;
    let chosen = choose(&ledger, names)?;
    let count = u32::try_from(chosen.len()).unwrap_or(u32::MAX);
    let window = writer.begin_window(count, now_ms())?;
    let rows = removal_rows((0..count).map(|index| window.ingest_id(index)), &chosen);
    let removal = describe_removal(&chosen, &ledger, &rows);
    writer.commit(window, Changes { ledger: rows, ..Changes::default() }).await?;
    Ok(removal)
}

/// Returns the current attempts of each granule in `ledger` that `names` match, by granule id.
fn choose<'a>(ledger: &'a [LedgerRow], names: &[String]) -> Result<BTreeMap<&'a str, Vec<&'a LedgerRow>>> {
    let mut granules: BTreeMap<&str, Vec<&LedgerRow>> = BTreeMap::new();
    for row in current_attempts(ledger) {
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
        let suggestion = did_you_mean(name, granules.keys().copied());
        return Err(Error::NoSuchGranule { name: name.clone(), suggestion });
    }
    granules.retain(|id, _| chosen.contains(id));
    Ok(granules)
}

/// Returns the ledger rows that remove the granules `chosen`, with these ids.
fn removal_rows(ids: impl Iterator<Item = Id>, chosen: &BTreeMap<&str, Vec<&LedgerRow>>) -> Vec<LedgerRow> {
    let finished_at = now_ns();
    let removal = |(id, attempts): (Id, &Vec<&LedgerRow>)| {
        let replaces = attempts.iter().map(|row| row.ingest_id).collect();
        Some(attempts.last()?.removal(id, replaces, finished_at))
    };
    ids.zip(chosen.values()).filter_map(removal).collect()
}

/// Returns the result of removing the granules `chosen` from a database with `ledger` by `rows`.
fn describe_removal(chosen: &BTreeMap<&str, Vec<&LedgerRow>>, ledger: &[LedgerRow], rows: &[LedgerRow]) -> Removal {
    let after = Ledger::new(ledger.iter().chain(rows).cloned());
    let reread = attempts_to_reread(&after).into_iter().filter_map(|id| Some(after.get(id)?.source.to_string()));
    Removal {
        reread: reread.collect::<BTreeSet<String>>().into_iter().collect(),
        granules: chosen.keys().map(|id| (*id).to_owned()).collect(),
        segments: chosen.values().flatten().filter_map(|row| u64::try_from(row.rows_kept).ok()).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::row;

    fn removal(names: &[&str]) -> Result<Removal> {
        let mut ledger = vec![row(1, "ATL08_a"), row(2, "ATL08_b"), row(3, "ATL08_b"), row(4, "clip")];
        for (cycle, row) in (1..).zip(&mut ledger) {
            row.cycle = Some(cycle);
        }
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let chosen = choose(&ledger, &names)?;
        Ok(describe_removal(&chosen, &ledger, &removal_rows((10..).map(Id), &chosen)))
    }

    #[test]
    fn ids_and_patterns_select_each_granule_once_with_all_its_subsets() {
        let all = Removal { granules: vec!["ATL08_a".into(), "ATL08_b".into()], segments: 6, reread: Vec::new() };
        assert_eq!(removal(&["ATL08_*", "ATL08_a"]).unwrap(), all);
        assert_eq!(removal(&["ATL08_?", "ATL08_*"]).unwrap(), all);
        assert_eq!(removal(&["clip"]).unwrap().segments, 2);
    }

    #[test]
    fn an_unknown_name_is_an_error_with_a_suggestion() {
        let error = |name| removal(&["ATL08_a", name]).unwrap_err().to_string();
        assert_eq!(error("clap"), "the database holds no granule clap; did you mean clip?");
        assert!(error("ATL08_2019*").starts_with("the database holds no granule ATL08_2019*"));
    }
}
