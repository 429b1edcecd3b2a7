//! A summary of a whole ledger, for `isdb info`.

use std::collections::{BTreeMap, BTreeSet};

use isdb_region::Region;
use isdb_schema::filters::Rule;
use isdb_schema::ledger::GranuleState;
use isdb_store::{LedgerRow, area_name, current_attempts};

use crate::decide::fingerprint::filters_hash;

/// The granules of a ledger, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerSummary {
    /// The number of granules in each state. A granule without a current attempt counts as failed or removed, as its
    /// newest attempt says.
    pub granules: Vec<(GranuleState, usize)>,
    /// The number of granules with filters other than the database's, by the names of the filters.
    pub other_filters: BTreeMap<String, usize>,
    /// The number of granules restricted to an area other than the database's region, by the name of the area; None for
    /// whole granules.
    pub other_areas: BTreeMap<Option<String>, usize>,
    /// The ingested granules of each release, unknown releases first.
    pub releases: Vec<ReleaseSummary>,
}

/// The granules of one release that have rows in the database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReleaseSummary {
    /// The release, `007`; None if the files do not name it.
    pub release: Option<String>,
    /// The number of granules.
    pub granules: usize,
    /// Their revisions, as far as the files name them.
    pub revisions: BTreeSet<String>,
    /// When the first and the last of them begin, in nanoseconds since 1970; None if no file contains its start.
    pub period: Option<(i64, i64)>,
}

impl ReleaseSummary {
    /// Sums up `rows`, which are current, by release.
    fn by_release<'a>(rows: impl Iterator<Item = &'a LedgerRow>) -> Vec<ReleaseSummary> {
        let mut releases: BTreeMap<Option<&str>, Vec<&LedgerRow>> = BTreeMap::new();
        for row in rows.filter(|row| row.state == GranuleState::Ingested) {
            releases.entry(row.release.as_deref()).or_default().push(row);
        }
        let summary = |(release, rows): (Option<&str>, Vec<&LedgerRow>)| {
            let starts = || rows.iter().filter_map(|row| row.start_time);
            // Subsets of one granule are several attempts.
            let granules: BTreeSet<&str> = rows.iter().map(|row| row.granule.as_str()).collect();
            ReleaseSummary {
                release: release.map(str::to_owned),
                granules: granules.len(),
                revisions: rows.iter().filter_map(|row| row.revision.clone()).collect(),
                period: starts().min().zip(starts().max()),
            }
        };
        releases.into_iter().map(summary).collect()
    }
}

impl LedgerSummary {
    /// Sums up `ledger`, whose rows are in the order of their ids, of a database with `filters` and `region`.
    pub fn new(ledger: &[LedgerRow], filters: &[Rule], region: Option<&Region>) -> LedgerSummary {
        let current: Vec<&LedgerRow> = current_attempts(ledger).collect();
        let mut states: BTreeMap<&str, GranuleState> =
            ledger.iter().map(|row| (row.granule.as_str(), row.state)).collect();
        let mut current_states: BTreeMap<&str, GranuleState> = BTreeMap::new();
        for row in &current {
            let state = current_states.entry(row.granule.as_str()).or_insert(row.state);
            if row.state == GranuleState::Ingested {
                *state = row.state;
            }
        }
        states.retain(|granule, state| !state.is_done() && !current_states.contains_key(granule));
        states.extend(current_states);
        let count = |state: GranuleState| (state, states.values().filter(|other| **other == state).count());
        let hash = filters_hash(filters);
        let mut other_filters = BTreeMap::new();
        for row in current.iter().filter(|row| row.filters_hash != hash) {
            *other_filters.entry(row.filters.clone()).or_default() += 1;
        }
        let area = region.map(|region| area_name(&region.to_text()));
        let mut others: BTreeMap<Option<String>, BTreeSet<&str>> = BTreeMap::new();
        for row in current.iter().filter(|row| row.area != area) {
            others.entry(row.area.clone()).or_default().insert(&row.granule);
        }
        let other_areas = others.into_iter().map(|(area, granules)| (area, granules.len())).collect();
        let releases = ReleaseSummary::by_release(current.into_iter());
        LedgerSummary { granules: GranuleState::ALL.map(count).into(), other_filters, other_areas, releases }
    }
}

#[cfg(test)]
mod tests {
    use isdb_store::Id;

    use super::*;
    use crate::testing::row;

    #[test]
    fn each_granule_counts_once_by_its_current_state() {
        let mut ledger = vec![row(1, "a"), row(2, "b"), row(3, "c"), row(4, "b"), row(5, "c"), row(6, "d")];
        ledger[3].state = GranuleState::Removed;
        ledger[3].replaces = vec![Id(2)];
        ledger[4].state = GranuleState::Failed;
        ledger[5].state = GranuleState::Failed;
        for row in &mut ledger {
            row.filters_hash = filters_hash(&[]);
        }
        ledger[0].filters_hash = "other".to_owned();
        ledger[0].filters = "night".to_owned();
        let LedgerSummary { granules, other_filters, releases, .. } = LedgerSummary::new(&ledger, &[], None);
        let counts: Vec<usize> = granules.iter().map(|(_, count)| *count).collect();
        assert_eq!(counts, [2, 0, 1, 1], "ingested, empty, failed, removed");
        assert_eq!(other_filters, BTreeMap::from([("night".to_owned(), 1)]));
        assert_eq!(releases.iter().map(|summary| summary.granules).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn granules_of_another_area_are_counted_once_each() {
        let mut ledger = vec![row(1, "a"), row(2, "b"), row(3, "b"), row(4, "c"), row(5, "d")];
        for (row, area) in ledger.iter_mut().zip([Some("0,0,2,2"), Some("0,0,1,1"), Some("0,0,1,1"), None, None]) {
            row.area = area.map(str::to_owned);
            row.subset = Some(row.granule == "b");
        }
        let others = |region: Option<&str>| {
            LedgerSummary::new(&ledger, &[], region.map(|text| Region::parse(text).unwrap()).as_ref()).other_areas
        };
        let [small, large] = ["0,0,1,1", "0,0,2,2"].map(|area| Some(area.to_owned()));
        assert_eq!(others(Some("0,0,2,2")), BTreeMap::from([(None, 2), (small.clone(), 1)]));
        assert_eq!(others(None), BTreeMap::from([(small, 1), (large, 1)]));
    }

    #[test]
    fn subsets_count_as_one_granule_and_each_release_has_its_own_revisions() {
        let mut ledger = vec![row(1, "a"), row(2, "a"), row(3, "b"), row(4, "c")];
        ledger[0].subset = Some(true);
        ledger[1].subset = Some(true);
        ledger[1].start_time = Some(7);
        ledger[2].start_time = Some(5);
        ledger[3].release = Some("007".to_owned());
        ledger[3].revision = Some("02".to_owned());
        let release_summary = |release: &str, granules, revision: &str, period| ReleaseSummary {
            release: Some(release.to_owned()),
            granules,
            revisions: [revision.to_owned()].into(),
            period,
        };
        let releases = LedgerSummary::new(&ledger, &[], None).releases;
        assert_eq!(releases, [release_summary("006", 2, "01", Some((5, 7))), release_summary("007", 1, "02", None)]);
    }
}
