//! Each rule of a decision on its own.

use isdb_schema::ledger::GranuleState;
use isdb_store::LedgerRow;

use super::*;
use crate::testing::{candidate, context, revision, row, subset};

mod segments;

/// Returns the decision on `candidate` for a request that the rows of `ledger` satisfy.
fn decide(candidate: &Candidate, ledger: &[LedgerRow]) -> Decision {
    decide_with(candidate, ledger, &Fingerprint::default(), None)
}

fn decide_with(
    candidate: &Candidate,
    ledger: &[LedgerRow],
    fingerprint: &Fingerprint,
    first_id: Option<Id>,
) -> Decision {
    let covers = |stored: &str, requested: &str| stored.contains(requested);
    let context = DecisionContext { covers: &covers, first_id_of_run: first_id, ..context(fingerprint) };
    context.decide(candidate, &Ledger::new(ledger.iter().cloned()))
}

/// Returns the attempts that are replaced, and why.
fn replaced(decision: Decision) -> (Vec<i64>, Option<ReplaceReason>) {
    match decision {
        Decision::Ingest(AttemptPlan { replaces, reason, .. }) => (replaces.iter().map(|id| id.0).collect(), reason),
        other => panic!("{other:?}"),
    }
}

/// Returns the attempts whose segments stay, and those that lose some, with their number.
fn shared(decision: Decision) -> (Vec<i64>, Vec<(i64, i64)>) {
    match decision {
        Decision::Ingest(AttemptPlan { merges_with, carries, .. }) => (
            merges_with.iter().map(|id| id.0).collect(),
            carries.iter().map(|carried| (carried.row.ingest_id.0, carried.replaced)).collect(),
        ),
        other => panic!("{other:?}"),
    }
}

/// Returns the subset in `path` that [`subset`] makes, as a ledger row.
fn subset_row(id: i64, path: &str, size: i64) -> LedgerRow {
    let source = candidate("a").source().replace("a.h5", path);
    let checksum = Some(format!("xxh64:{size}"));
    LedgerRow { source, size_bytes: size, checksum, subset: Some(true), ..row(id, "a") }
}

#[test]
fn a_new_granule_is_ingested_and_a_stored_one_is_skipped() {
    assert_eq!(replaced(decide(&candidate("b"), &[row(1, "a")])), (Vec::new(), None));
    assert_eq!(decide(&candidate("a"), &[row(1, "a")]), Decision::Skip(SkipReason::Stored));
    let empty = LedgerRow { state: GranuleState::Empty, rows_kept: 0, ..row(1, "a") };
    assert_eq!(decide(&candidate("a"), &[empty]), Decision::Skip(SkipReason::Stored), "an empty granule is a success");
}

#[test]
fn a_newer_revision_replaces_and_an_older_one_is_skipped() {
    let stored = Rank { is_whole: true, release: Some(6), revision: Some(1) };
    assert_eq!(replaced(decide(&revision("a", 2), &[row(1, "a")])), (vec![1], Some(ReplaceReason::Outranks(stored))));
    let newer = LedgerRow { revision: Some("03".to_owned()), ..row(1, "a") };
    assert_eq!(decide(&revision("a", 2), &[newer]), Decision::Skip(SkipReason::Older));
    assert_eq!(ReplaceReason::Outranks(stored).to_string(), "replaces release 006 revision 01");
}

#[test]
fn another_release_replaces_unless_the_same_run_has_ingested_the_stored_one() {
    let newer = LedgerRow { release: Some("007".to_owned()), ..row(5, "a") };
    let ledger = [newer];
    for (first_id, expected) in [(None, true), (Some(Id(6)), true), (Some(Id(5)), false)] {
        match decide_with(&candidate("a"), &ledger, &Fingerprint::default(), first_id) {
            Decision::Ingest(plan) => assert!(expected && plan.is_other_release && plan.replaces == [Id(5)]),
            other => assert!(!expected && other == Decision::Skip(SkipReason::Older), "{other:?}"),
        }
    }
}

#[test]
fn a_changed_file_is_detected_by_size_then_by_checksum_and_an_untouched_one_is_not_read() {
    let ledger = [row(1, "a")];
    let stored = Ledger::new(ledger.clone());
    let rows: Vec<&StoredAttempt> = stored.current().collect();
    let longer = Candidate { size_bytes: 6, ..candidate("a") };
    assert!(!needs_checksum(&longer, &rows) && !needs_checksum(&candidate("a"), &rows));
    assert_eq!(replaced(decide(&longer, &ledger)), (vec![1], Some(ReplaceReason::Changed)));
    let touched = Candidate { modified_at: Some(9), ..candidate("a") };
    assert!(needs_checksum(&touched, &rows));
    let with = |checksum: &str| Candidate { checksum: Some(checksum.to_owned()), ..touched.clone() };
    assert_eq!(decide(&with("xxh64:5"), &ledger), Decision::Skip(SkipReason::Stored));
    assert_eq!(replaced(decide(&with("xxh64:6"), &ledger)), (vec![1], Some(ReplaceReason::Changed)));
    assert_eq!(decide_with(&longer, &ledger, &Fingerprint::default(), Some(Id(1))), Decision::Skip(SkipReason::Copy));
}

#[test]
fn another_selection_ingests_the_granule_again_with_at_least_the_stored_area() {
    let stored = LedgerRow { area: Some("A".to_owned()), variables: "h_canopy".to_owned(), ..row(1, "a") };
    let requested = |area: Option<&str>, variables: &[&'static str]| {
        let fingerprint =
            Fingerprint { area: area.map(str::to_owned), variables: variables.to_vec(), ..Fingerprint::default() };
        decide_with(&candidate("a"), std::slice::from_ref(&stored), &fingerprint, None)
    };
    assert_eq!(requested(Some("A"), &["h_canopy"]), Decision::Skip(SkipReason::Stored));
    let area = |decision: Decision| match decision {
        Decision::Ingest(AttemptPlan { areas, replaces, reason, .. }) => {
            assert_eq!((replaces, reason), (vec![Id(1)], Some(ReplaceReason::OtherSelection)));
            areas
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(area(requested(Some("B"), &["h_canopy"])), Some(vec!["B".to_owned(), "A".to_owned()]));
    assert_eq!(area(requested(Some("A"), &["h_canopy", "asr"])), Some(vec!["A".to_owned()]));
    assert_eq!(area(requested(None, &["h_canopy"])), None);
    let refiltered =
        Fingerprint { filters_hash: "other".to_owned(), area: Some("B".to_owned()), ..Fingerprint::default() };
    let whole = decide_with(&candidate("a"), &[row(1, "a")], &refiltered, None);
    assert_eq!(area(whole), None, "the whole granule was stored before");
}

#[test]
fn a_subset_never_replaces_a_whole_granule_and_is_replaced_by_it() {
    let newer_subset = {
        let mut subset = subset("a", "clip.h5", 3);
        subset.identity.as_mut().unwrap().revision = Some(2);
        subset
    };
    assert_eq!(decide(&newer_subset, &[row(1, "a")]), Decision::Skip(SkipReason::Subset));
    let clips = [subset_row(1, "one.h5", 3), subset_row(2, "two.h5", 4)];
    let whole = decide(&candidate("a"), &clips);
    assert!(
        matches!(whole, Decision::Ingest(AttemptPlan { ref replaces, .. }) if *replaces == [Id(1), Id(2)]),
        "{whole:?}"
    );
}

#[test]
fn two_subsets_merge_and_the_same_subset_is_skipped() {
    let clips = [subset_row(1, "one.h5", 3), subset_row(2, "two.h5", 4)];
    assert_eq!(shared(decide(&subset("a", "three.h5", 5), &clips)), (vec![1, 2], Vec::new()));
    assert_eq!(decide(&subset("a", "one.h5", 3), &clips), Decision::Skip(SkipReason::Stored));
    let copy = Candidate { checksum: None, ..subset("a", "copy.h5", 4) };
    let stored = Ledger::new(clips.clone());
    assert!(needs_checksum(&copy, &stored.current().collect::<Vec<_>>()), "another file may be another subset");
    assert_eq!(decide(&subset("a", "copy.h5", 4), &clips), Decision::Skip(SkipReason::Stored));
    let changed = decide(&subset("a", "one.h5", 7), &clips);
    assert_eq!(replaced(changed.clone()), (vec![1], Some(ReplaceReason::Changed)));
    assert_eq!(shared(changed), (vec![2], Vec::new()));
}

#[test]
fn a_failed_file_is_retried_only_on_request_after_a_change_or_with_other_filters() {
    let error = Some("truncated".to_owned());
    let failed = LedgerRow { state: GranuleState::Failed, error, ..row(1, "a") };
    let ledger = [failed];
    assert_eq!(decide(&candidate("a"), &ledger), Decision::FailedBefore("truncated".to_owned()));
    let unreadable = Candidate { identity: Err("truncated".to_owned()), ..candidate("a") };
    assert_eq!(decide(&unreadable, &ledger), Decision::FailedBefore("truncated".to_owned()));
    for changed in [Candidate { size_bytes: 6, ..candidate("a") }, Candidate { modified_at: Some(2), ..candidate("a") }]
    {
        assert_eq!(replaced(decide(&changed, &ledger)), (Vec::new(), None));
    }
    let other = Fingerprint { filters_hash: "other".to_owned(), ..Fingerprint::default() };
    assert_eq!(replaced(decide_with(&candidate("a"), &ledger, &other, None)), (Vec::new(), None));
    let fingerprint = Fingerprint::default();
    let context = |retry, force| DecisionContext { retry, force, ..context(&fingerprint) };
    assert_eq!(
        replaced(context(true, false).decide(&candidate("a"), &Ledger::new(ledger.clone()))),
        (Vec::new(), None)
    );
    // Failures that do not depend on the file are retried.
    for (stage, force, is_tried) in [
        ("read", false, true),
        ("download", false, true),
        ("window", false, true),
        ("decode", true, false),
        ("replace", false, false),
        ("replace", true, true),
    ] {
        let ledger = [LedgerRow { stage: Some(stage.to_owned()), ..ledger[0].clone() }];
        let decision = context(false, force).decide(&candidate("a"), &Ledger::new(ledger.clone()));
        assert_eq!(matches!(decision, Decision::Ingest(_)), is_tried, "{stage}");
    }
}

#[test]
fn a_removed_granule_is_ingested_again_if_its_file_is_named_or_newer() {
    let ledger = [row(1, "a"), LedgerRow { state: GranuleState::Removed, replaces: vec![Id(1)], ..row(2, "a") }];
    assert_eq!(decide(&candidate("a"), &ledger), Decision::Skip(SkipReason::Removed));
    assert_eq!(replaced(decide(&Candidate { is_named: true, ..candidate("a") }, &ledger)), (Vec::new(), None));
    assert_eq!(replaced(decide(&revision("a", 2), &ledger)), (Vec::new(), None));
}

#[test]
fn a_replacement_needs_half_of_the_segments_and_none_with_force() {
    let ledger = [LedgerRow { rows_read: 100, rows_kept: 40, rows_removed: 60, ..row(1, "a") }];
    let least = |fingerprint: &Fingerprint, force: bool| {
        let changed = Candidate { size_bytes: 6, ..candidate("a") };
        let context = DecisionContext { force, ..context(fingerprint) };
        match context.decide(&changed, &Ledger::new(ledger.clone())) {
            Decision::Ingest(plan) => (plan.minimum.read, plan.minimum.kept),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(least(&Fingerprint::default(), false), (100, 40));
    assert_eq!(least(&Fingerprint::default(), true), (0, 0));
    let refiltered = Fingerprint { filters_hash: "other".to_owned(), ..Fingerprint::default() };
    assert_eq!(least(&refiltered, false), (100, 0), "other filters keep what they keep");
}

#[test]
fn shared_segments_are_counted_once_among_the_replaced_ones() {
    let held = isdb_schema::ledger::Removed {
        filter: isdb_schema::ledger::ALREADY_STORED.to_owned(),
        removed: 60,
        ..isdb_schema::ledger::Removed::default()
    };
    let one = LedgerRow { rows_read: 100, rows_kept: 100, ..subset_row(1, "a.h5", 3) };
    let two = LedgerRow { rows_read: 100, rows_kept: 40, removed_by: vec![held], ..subset_row(2, "b.h5", 4) };
    let stored = Ledger::new([one, two]);
    let replaced: Vec<&StoredAttempt> = stored.current().collect();
    assert_eq!(ReplacedSegments::new(&replaced), ReplacedSegments { read: 140, kept: 140 });
}

#[test]
fn an_attempt_that_kept_nothing_adds_no_area_to_the_request() {
    let of_b = Fingerprint { area: Some("B".to_owned()), ..Fingerprint::default() };
    for area in [Some("A".to_owned()), None] {
        let empty = LedgerRow { state: GranuleState::Empty, rows_kept: 0, area: area.clone(), ..row(1, "a") };
        let changed = Candidate { modified_at: Some(2), size_bytes: 6, ..candidate("a") };
        match decide_with(&changed, &[empty], &of_b, None) {
            Decision::Ingest(plan) => assert_eq!(plan.areas, Some(vec!["B".to_owned()]), "{area:?}"),
            other => panic!("{other:?}"),
        }
    }
    let kept = LedgerRow { area: Some("A".to_owned()), ..row(1, "a") };
    let changed = Candidate { modified_at: Some(2), size_bytes: 6, ..candidate("a") };
    match decide_with(&changed, &[kept], &of_b, None) {
        Decision::Ingest(plan) => assert_eq!(plan.areas, Some(vec!["B".to_owned(), "A".to_owned()])),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_granule_read_in_place_leaves_the_segments_of_extracts() {
    let extract = LedgerRow {
        rgt: None,
        cycle: None,
        region: None,
        subset: Some(true),
        start_time: Some(0),
        granule: "extract-0123456789abcdef".to_owned(),
        ..row(3, "b")
    };
    let mut described = Candidate { is_described: true, ..candidate("a") };
    described.identity.as_mut().unwrap().start = Some(100);
    assert_eq!(shared(decide(&described, std::slice::from_ref(&extract))), (vec![3], vec![]));
    described.identity.as_mut().unwrap().start = Some(86_400);
    assert_eq!(shared(decide(&described, &[extract])), (vec![], vec![]), "another day");
}
