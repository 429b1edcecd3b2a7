//! Each rule by itself.

use isdb_schema::ledger::GranuleState;

use super::*;
use crate::testing::{candidate, revision, row, subset};

/// The verdict on `candidate` over `ledger` with nothing asked for that the rows do not have.
fn verdict(candidate: &Candidate, ledger: &[LedgerRow]) -> Verdict {
    verdict_with(candidate, ledger, &Wanted::default(), None)
}

fn verdict_with(candidate: &Candidate, ledger: &[LedgerRow], wanted: &Wanted, since: Option<Id>) -> Verdict {
    let covers = |stored: &str, asked: &str| stored.contains(asked);
    Rules { wanted, covers: &covers, retry: false, since }.verdict(candidate, &Standing::of(ledger))
}

fn take(replaces: &[i64], why: Option<Why>) -> Verdict {
    let replaces = replaces.iter().map(|id| Id(*id)).collect();
    Verdict::Take(Taking { replaces, why, ..Taking::default() })
}

/// The subset in `path` that [`subset`] makes, as the ledger remembers it.
fn subset_row(id: i64, path: &str, size: i64) -> LedgerRow {
    let source = candidate("a").source().replace("a.h5", path);
    let checksum = Some(format!("xxh64:{size}"));
    LedgerRow { source, size_bytes: size, checksum, subset: Some(true), ..row(id, "a") }
}

#[test]
fn a_new_granule_is_taken_and_one_that_is_stored_is_left_out() {
    assert_eq!(verdict(&candidate("b"), &[row(1, "a")]), take(&[], None));
    assert_eq!(verdict(&candidate("a"), &[row(1, "a")]), Verdict::Skip(Skip::Stored));
    let empty = LedgerRow { state: GranuleState::Empty, rows_kept: 0, ..row(1, "a") };
    assert_eq!(verdict(&candidate("a"), &[empty]), Verdict::Skip(Skip::Stored), "an empty granule is a success");
}

#[test]
fn a_newer_revision_replaces_and_an_older_is_left_out() {
    let stored = Rank { is_whole: true, release: Some(6), revision: Some(1) };
    assert_eq!(verdict(&revision("a", 2), &[row(1, "a")]), take(&[1], Some(Why::Outranks(stored))));
    let newer = LedgerRow { revision: Some("03".to_owned()), ..row(1, "a") };
    assert_eq!(verdict(&revision("a", 2), &[newer]), Verdict::Skip(Skip::Older));
    assert_eq!(Why::Outranks(stored).to_string(), "replaces release 006 revision 01");
}

#[test]
fn another_release_replaces_whether_newer_or_older_but_not_what_the_same_run_has_brought() {
    let newer = LedgerRow { release: Some("007".to_owned()), ..row(5, "a") };
    let ledger = [newer];
    for (since, expected) in [(None, true), (Some(Id(6)), true), (Some(Id(5)), false)] {
        match verdict_with(&candidate("a"), &ledger, &Wanted::default(), since) {
            Verdict::Take(taking) => assert!(expected && taking.is_other_release && taking.replaces == [Id(5)]),
            other => assert!(!expected && other == Verdict::Skip(Skip::Older), "{other:?}"),
        }
    }
}

#[test]
fn a_changed_file_is_noticed_by_size_then_by_checksum_and_an_untouched_one_is_not_read() {
    let ledger = [row(1, "a")];
    let rows = [&ledger[0]];
    let longer = Candidate { size_bytes: 6, ..candidate("a") };
    assert!(!needs_checksum(&longer, &rows) && !needs_checksum(&candidate("a"), &rows));
    assert_eq!(verdict(&longer, &ledger), take(&[1], Some(Why::Changed)));
    let touched = Candidate { modified_at: Some(9), ..candidate("a") };
    assert!(needs_checksum(&touched, &rows));
    let with = |checksum: &str| Candidate { checksum: Some(checksum.to_owned()), ..touched.clone() };
    assert_eq!(verdict(&with("xxh64:5"), &ledger), Verdict::Skip(Skip::Stored));
    assert_eq!(verdict(&with("xxh64:6"), &ledger), take(&[1], Some(Why::Changed)));
    assert_eq!(verdict_with(&longer, &ledger, &Wanted::default(), Some(Id(1))), Verdict::Skip(Skip::Copy));
}

#[test]
fn what_was_not_asked_for_before_is_ingested_again_and_never_less_than_before() {
    let stored = LedgerRow { area: Some("A".to_owned()), variables: "h_canopy".to_owned(), ..row(1, "a") };
    let asked = |area: Option<&str>, variables: &[&'static str]| {
        let wanted = Wanted { area: area.map(str::to_owned), variables: variables.to_vec(), ..Wanted::default() };
        verdict_with(&candidate("a"), std::slice::from_ref(&stored), &wanted, None)
    };
    assert_eq!(asked(Some("A"), &["h_canopy"]), Verdict::Skip(Skip::Stored));
    let area = |verdict: Verdict| match verdict {
        Verdict::Take(Taking { area, replaces, why, .. }) => {
            assert_eq!((replaces, why), (vec![Id(1)], Some(Why::Asked)));
            area
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(area(asked(Some("B"), &["h_canopy"])), Some(vec!["B".to_owned(), "A".to_owned()]));
    assert_eq!(area(asked(Some("A"), &["h_canopy", "asr"])), Some(vec!["A".to_owned()]));
    assert_eq!(area(asked(None, &["h_canopy"])), None);
    let refiltered = Wanted { filters_hash: "other".to_owned(), area: Some("B".to_owned()), ..Wanted::default() };
    let whole = verdict_with(&candidate("a"), &[row(1, "a")], &refiltered, None);
    assert_eq!(area(whole), None, "the whole granule was stored before");
}

#[test]
fn a_subset_never_replaces_a_whole_granule_and_is_replaced_by_it() {
    let newer_subset = {
        let mut subset = subset("a", "clip.h5", 3);
        subset.identity.as_mut().unwrap().revision = Some(2);
        subset
    };
    assert_eq!(verdict(&newer_subset, &[row(1, "a")]), Verdict::Skip(Skip::Subset));
    let clips = [subset_row(1, "one.h5", 3), subset_row(2, "two.h5", 4)];
    let whole = verdict(&candidate("a"), &clips);
    assert!(matches!(whole, Verdict::Take(Taking { ref replaces, .. }) if *replaces == [Id(1), Id(2)]), "{whole:?}");
}

#[test]
fn two_subsets_merge_and_the_same_subset_again_is_left_out() {
    let clips = [subset_row(1, "one.h5", 3), subset_row(2, "two.h5", 4)];
    let merging = Taking { merges_with: vec![Id(1), Id(2)], ..Taking::default() };
    assert_eq!(verdict(&subset("a", "three.h5", 5), &clips), Verdict::Take(merging));
    assert_eq!(verdict(&subset("a", "one.h5", 3), &clips), Verdict::Skip(Skip::Stored));
    let copy = Candidate { checksum: None, ..subset("a", "copy.h5", 4) };
    assert!(needs_checksum(&copy, &[&clips[0], &clips[1]]), "another file may be another subset");
    assert_eq!(verdict(&subset("a", "copy.h5", 4), &clips), Verdict::Skip(Skip::Stored));
    let changed =
        Taking { replaces: vec![Id(1)], merges_with: vec![Id(2)], why: Some(Why::Changed), ..Taking::default() };
    assert_eq!(verdict(&subset("a", "one.h5", 7), &clips), Verdict::Take(changed));
}

#[test]
fn a_file_that_failed_waits_for_retry_or_a_change_or_other_filters() {
    let error = Some("truncated".to_owned());
    let failed = LedgerRow { state: GranuleState::Failed, error, ..row(1, "a") };
    let ledger = [failed];
    assert_eq!(verdict(&candidate("a"), &ledger), Verdict::FailedBefore("truncated".to_owned()));
    let unreadable = Candidate { identity: Err("truncated".to_owned()), ..candidate("a") };
    assert_eq!(verdict(&unreadable, &ledger), Verdict::FailedBefore("truncated".to_owned()));
    for changed in [Candidate { size_bytes: 6, ..candidate("a") }, Candidate { modified_at: Some(2), ..candidate("a") }]
    {
        assert_eq!(verdict(&changed, &ledger), take(&[], None));
    }
    let other = Wanted { filters_hash: "other".to_owned(), ..Wanted::default() };
    assert_eq!(verdict_with(&candidate("a"), &ledger, &other, None), take(&[], None));
    let retry = Rules { wanted: &Wanted::default(), covers: &|_, _| false, retry: true, since: None };
    assert_eq!(retry.verdict(&candidate("a"), &Standing::of(&ledger)), take(&[], None));
}

#[test]
fn a_removed_granule_comes_back_when_its_file_is_named_or_newer() {
    let ledger = [row(1, "a"), LedgerRow { state: GranuleState::Removed, replaces: vec![Id(1)], ..row(2, "a") }];
    assert_eq!(verdict(&candidate("a"), &ledger), Verdict::Skip(Skip::Removed));
    assert_eq!(verdict(&Candidate { is_named: true, ..candidate("a") }, &ledger), take(&[], None));
    assert_eq!(verdict(&revision("a", 2), &ledger), take(&[], None));
}
