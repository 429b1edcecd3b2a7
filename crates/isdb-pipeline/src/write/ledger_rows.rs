//! Completes the ledger rows of a window with the tallies of its granules.

use std::collections::HashMap;

use isdb_schema::catalogue::variable;
use isdb_schema::ledger::GranuleState;
use isdb_store::LedgerRow;

use crate::stage;
use crate::tally::Tally;

/// Completes the `ledger` rows of a window with the counts of its tallies. Every granule of the plan must have exactly one tally.
///
/// # Errors
/// [`Mismatch`](isdb_store::Error::Mismatch) when a tally is missing, occurs twice, or is not of the window in the database `uri`.
pub(crate) fn complete_rows(uri: &str, ledger: &mut [LedgerRow], tallies: Vec<Tally>) -> isdb_store::Result<()> {
    let mismatch = |problem: String| isdb_store::Error::Mismatch { uri: uri.to_owned(), problem };
    let mut by_attempt: HashMap<i64, Tally> = HashMap::new();
    for tally in tallies {
        if let Some(first) = by_attempt.insert(tally.ingest_id, tally) {
            return Err(mismatch(format!("expected one tally of the attempt {}, found another", first.ingest_id)));
        }
    }
    for row in ledger.iter_mut().filter(|row| row.error.is_none() && row.state != GranuleState::Removed) {
        let Some(tally) = by_attempt.remove(&row.ingest_id.0) else {
            return Err(mismatch(format!("expected a tally of {}, found none", row.granule)));
        };
        match row.is_carried() {
            true => complete_carried(row, tally),
            false => complete_row(row, tally),
        }
    }
    match by_attempt.keys().min() {
        Some(id) => Err(mismatch(format!("found a tally of the attempt {id}, which is not of this window"))),
        None => Ok(()),
    }
}

/// Completes the row of a carried attempt, which has the counts of the attempt that is replaced in part.
fn complete_carried(row: &mut LedgerRow, tally: Tally) {
    if tally.error.is_some() {
        row.state = GranuleState::Failed;
        row.replaces.clear();
        return;
    }
    row.state = if tally.rows_kept == 0 { GranuleState::Empty } else { GranuleState::Ingested };
    row.rows_kept = tally.rows_kept;
    row.rows_removed += tally.rows_removed;
    for replaced in tally.removed {
        match row.removed_by.iter_mut().find(|known| known.filter == replaced.filter) {
            None => row.removed_by.push(replaced),
            Some(known) => {
                known.removed += replaced.removed;
                known.alone += replaced.alone;
                known.stored_by.extend(replaced.stored_by);
            }
        }
    }
    row.finished_at = now();
}

/// Completes the row of a granule that went through the plan.
fn complete_row(row: &mut LedgerRow, tally: Tally) {
    row.state = match (&tally.error, tally.rows_kept) {
        (Some(_), _) => GranuleState::Failed,
        (None, 0) => GranuleState::Empty,
        (None, _) => GranuleState::Ingested,
    };
    if row.state == GranuleState::Failed {
        // A failed attempt replaces nothing.
        row.replaces.clear();
        row.stage = tally.stage;
    }
    row.checksum = row.checksum.take().or(tally.checksum);
    row.rows_read = tally.rows_read;
    row.rows_kept = tally.rows_kept;
    row.rows_rejected = tally.rows_rejected;
    row.rows_removed = tally.rows_removed;
    row.removed_by = tally.removed;
    row.beams_read = tally.beams_read;
    row.beams_empty = tally.beams_empty;
    row.beams_missing = tally.beams_missing;
    row.missing_variables = missing_of_release(tally.missing_variables.as_deref(), row.release.as_deref());
    row.notes = match (row.notes.take(), tally.notes) {
        (Some(known), Some(found)) => Some(format!("{known}; {found}")),
        (known, found) => known.or(found),
    };
    row.error = tally.error;
    row.finished_at = now();
}

/// Nanoseconds since 1970.
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// Returns the missing variables that the granule's release has; all missing variables if the release is not known.
fn missing_of_release(names: Option<&str>, release: Option<&str>) -> Option<String> {
    let release: Option<u16> = release.and_then(|release| release.parse().ok());
    let is_of_release = |name: &&str| match (variable(name), release) {
        (Some(variable), Some(release)) => variable.releases.contains(release),
        _ => true,
    };
    let names: Vec<&str> = names?.split(' ').filter(is_of_release).collect();
    (!names.is_empty()).then(|| names.join(" "))
}

/// If a granule has failed, marks all others as failed as well. Returns whether it did.
pub(crate) fn fail_together(ledger: &mut [LedgerRow]) -> bool {
    let is_failed = |row: &&LedgerRow| row.state == GranuleState::Failed && !row.is_carried();
    let failed = ledger.iter().find(is_failed).map(|row| row.granule.clone());
    let Some(failed) = failed else { return false };
    for row in ledger.iter_mut().filter(|row| row.state.is_done()) {
        if row.is_carried() {
            row.state = GranuleState::Failed;
            continue;
        }
        let error = format!("not replaced because {failed} of the same window failed");
        complete_row(row, Tally { stage: Some(stage::WINDOW.to_owned()), error: Some(error), ..Tally::default() });
    }
    true
}

#[cfg(test)]
mod tests {
    use isdb_store::Id;

    use super::*;

    /// Returns the row of a granule before the plan runs.
    fn planned(id: i64) -> LedgerRow {
        LedgerRow { granule: format!("granule {id}"), ..LedgerRow::new(Id(id)) }
    }

    fn completed(ledger: &mut [LedgerRow], ids: &[i64]) -> std::result::Result<(), String> {
        let tallies = ids.iter().map(|id| Tally { ingest_id: *id, rows_kept: 10 * id, ..Tally::default() });
        complete_rows("db", ledger, tallies.collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_missing_or_repeated_tally_is_an_error() {
        let failed = LedgerRow { error: Some("truncated".to_owned()), ..planned(3) };
        let removed = LedgerRow { state: GranuleState::Removed, ..planned(4) };
        let mut ledger = [planned(1), planned(2), failed, removed];
        completed(&mut ledger, &[2, 1]).unwrap();
        assert_eq!(ledger.each_ref().map(|row| row.rows_kept), [10, 20, 0, 0]);
        for (ids, problem) in [
            (&[1][..], "expected a tally of granule 2, found none"),
            (&[1, 2, 2], "expected one tally of the attempt 2, found another"),
            (&[1, 2, 3], "found a tally of the attempt 3, which is not of this window"),
            (&[1, 2, 9], "found a tally of the attempt 9, which is not of this window"),
        ] {
            let refused = completed(&mut ledger.clone(), ids).unwrap_err();
            assert_eq!(refused, format!("nothing was committed to db: {problem}"));
        }
    }
}
