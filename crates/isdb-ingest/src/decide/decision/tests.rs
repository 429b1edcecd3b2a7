//! Each rule of a decision on its own.

use isdb_pipeline::{Holdings, SegmentKeys};
use isdb_schema::ledger::GranuleState;

use super::*;
use crate::testing::{candidate, revision, row, subset};

/// The decision on `candidate` over `ledger` with nothing requested for that the rows do not have.
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
    let (stored, to_reread) = (StoredKeys::default(), BTreeSet::new());
    let context = DecisionContext {
        fingerprint,
        covers: &covers,
        retry: false,
        force: false,
        first_id_of_run: first_id,
        stored: &stored,
        to_reread: &to_reread,
    };
    context.decide(candidate, &CurrentAttempts::new(ledger))
}

/// The attempts that are replaced, and reason.
fn replaced(decision: Decision) -> (Vec<i64>, Option<ReplaceReason>) {
    match decision {
        Decision::Ingest(AttemptPlan { replaces, reason, .. }) => (replaces.iter().map(|id| id.0).collect(), reason),
        other => panic!("{other:?}"),
    }
}

/// The attempts whose segments stay, and those that lose some, with how many.
fn shared(decision: Decision) -> (Vec<i64>, Vec<(i64, i64)>) {
    match decision {
        Decision::Ingest(AttemptPlan { merges_with, carries, .. }) => (
            merges_with.iter().map(|id| id.0).collect(),
            carries.iter().map(|carried| (carried.row.ingest_id.0, carried.replaced)).collect(),
        ),
        other => panic!("{other:?}"),
    }
}

/// The subset in `path` that [`subset`] makes, as the ledger remembers it.
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
    let rows = [&ledger[0]];
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
            area
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
    assert!(needs_checksum(&copy, &[&clips[0], &clips[1]]), "another file may be another subset");
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
    let (stored, to_reread) = (StoredKeys::default(), BTreeSet::new());
    let fingerprint = Fingerprint::default();
    let context = |retry, force| DecisionContext {
        fingerprint: &fingerprint,
        covers: &|_, _| false,
        retry,
        force,
        first_id_of_run: None,
        stored: &stored,
        to_reread: &to_reread,
    };
    assert_eq!(
        replaced(context(true, false).decide(&candidate("a"), &CurrentAttempts::new(&ledger))),
        (Vec::new(), None)
    );
    // What says nothing of the file is no reason to leave it out.
    for (stage, force, is_tried) in [
        ("read", false, true),
        ("download", false, true),
        ("window", false, true),
        ("decode", true, false),
        ("replace", false, false),
        ("replace", true, true),
    ] {
        let ledger = [LedgerRow { stage: Some(stage.to_owned()), ..ledger[0].clone() }];
        let decision = context(false, force).decide(&candidate("a"), &CurrentAttempts::new(&ledger));
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

/// A file with the segments `from` to `to` of one beam, and all of the variables that are requested for but `missing`.
fn with_segments(candidate: Candidate, from: i64, to: i64, missing: &[&'static str]) -> Candidate {
    let segments = SegmentKeys::of_ids("gt1l", from..to);
    let holdings = Holdings { span: segments.span(), segments: segments.into(), missing: missing.to_vec() };
    Candidate { holdings: Some(holdings.into()), ..candidate }
}

/// The decision on `candidate` where the attempts of `ledger` have the segments of `stored` of the same beam.
fn decide_among(
    candidate: &Candidate,
    ledger: &[LedgerRow],
    stored: &[(i64, i64, i64)],
    fingerprint: &Fingerprint,
) -> Decision {
    let segments = |(id, from, to): &(i64, i64, i64)| (*id, SegmentKeys::of_ids("gt1l", *from..*to));
    let stored: StoredKeys = stored.iter().map(segments).collect();
    let (covers, to_reread) = (|stored: &str, requested: &str| stored == requested, BTreeSet::new());
    let context = DecisionContext {
        fingerprint,
        covers: &covers,
        retry: false,
        force: false,
        first_id_of_run: None,
        stored: &stored,
        to_reread: &to_reread,
    };
    context.decide(candidate, &CurrentAttempts::new(ledger))
}

#[test]
fn a_newer_subset_replaces_shared_segments_and_leaves_the_rest() {
    // Three plots of one pass, of revision 01.
    let clips = [subset_row(1, "a.h5", 3), subset_row(2, "b.h5", 4), subset_row(3, "c.h5", 5)];
    let stored = [(1, 0, 10), (2, 20, 30), (3, 40, 50)];
    let mut newer = with_segments(subset("a", "a2.h5", 6), 5, 25, &[]);
    newer.identity.as_mut().unwrap().revision = Some(2);
    let decision = decide_among(&newer, &clips, &stored, &Fingerprint::default());
    assert_eq!(replaced(decision.clone()), (Vec::new(), None));
    assert_eq!(shared(decision.clone()), (Vec::new(), vec![(1, 5), (2, 5)]));
    match decision {
        Decision::Ingest(plan) => {
            assert_eq!(
                (plan.replaced, plan.kept_segments),
                (ReplacedSegments { read: 10, kept: 10 }, clips[2].rows_kept)
            );
        }
        other => panic!("{other:?}"),
    }
    // The other way round what is stored is better, and the file brings what is not.
    let mut older = newer;
    older.identity.as_mut().unwrap().revision = Some(1);
    let newer_clips = clips.map(|row| LedgerRow { revision: Some("02".to_owned()), ..row });
    assert_eq!(
        shared(decide_among(&older, &newer_clips, &stored, &Fingerprint::default())),
        (vec![1, 2, 3], Vec::new())
    );
}

#[test]
fn a_subset_without_a_revision_adds_its_own_segments_in_either_order() {
    let unknown = |candidate: Candidate| {
        let mut candidate = candidate;
        candidate.identity.as_mut().unwrap().revision = None;
        candidate
    };
    let known = [subset_row(1, "a.h5", 3)];
    let decision = decide_among(
        &unknown(with_segments(subset("a", "b.h5", 4), 20, 30, &[])),
        &known,
        &[(1, 0, 10)],
        &Fingerprint::default(),
    );
    assert_eq!((replaced(decision.clone()), shared(decision)), ((Vec::new(), None), (vec![1], Vec::new())));
    let stored = [LedgerRow { revision: None, ..subset_row(1, "b.h5", 4) }];
    let decision = decide_among(
        &with_segments(subset("a", "a.h5", 3), 0, 10, &[]),
        &stored,
        &[(1, 20, 30)],
        &Fingerprint::default(),
    );
    assert_eq!((replaced(decision.clone()), shared(decision)), ((Vec::new(), None), (Vec::new(), Vec::new())));
}

#[test]
fn the_subset_with_more_variables_keeps_shared_segments() {
    let fingerprint = Fingerprint { variables: vec!["h_canopy", "asr"], ..Fingerprint::default() };
    let variables = |missing: Option<&str>| LedgerRow {
        variables: "h_canopy asr".to_owned(),
        missing_variables: missing.map(str::to_owned),
        ..subset_row(1, "a.h5", 3)
    };
    let decision = |row: LedgerRow, missing: &[&'static str]| {
        shared(decide_among(
            &with_segments(subset("a", "b.h5", 4), 5, 15, missing),
            &[row],
            &[(1, 0, 10)],
            &fingerprint,
        ))
    };
    let (stays, goes) = ((vec![1], Vec::new()), (Vec::new(), vec![(1, 5)]));
    assert_eq!(decision(variables(Some("h_canopy asr")), &["asr"]), goes, "richer");
    assert_eq!(decision(variables(Some("asr")), &["h_canopy"]), stays, "as rich: the first stays");
    assert_eq!(decision(variables(None), &["h_canopy"]), stays, "poorer");
}

/// A file that does not tell its granule, with the segments `from` to `to`.
fn extract(from: i64, to: i64) -> Candidate {
    let mut candidate = with_segments(subset("a", "x.h5", 9), from, to, &[]);
    let identity = candidate.identity.as_mut().unwrap();
    (identity.rgt, identity.cycle, identity.region, identity.release, identity.revision) =
        (None, None, None, None, None);
    identity.id = "x-0123456789abcdef".to_owned();
    candidate
}

#[test]
fn an_extract_is_compared_by_its_segments() {
    let whole = [row(1, "a")];
    let nothing = Fingerprint::default();
    assert_eq!(decide_among(&extract(2, 8), &whole, &[(1, 0, 10)], &nothing), Decision::Skip(SkipReason::Subset));
    // Of the next granule along the orbit, which shares some segments.
    assert_eq!(shared(decide_among(&extract(8, 18), &whole, &[(1, 0, 10)], &nothing)), (vec![1], Vec::new()));
    // Of another pass.
    assert_eq!(shared(decide_among(&extract(50, 60), &whole, &[(1, 0, 10)], &nothing)), (Vec::new(), Vec::new()));
    // The granule itself takes the place of what it has.
    let stored = [LedgerRow {
        granule: "x-0123456789abcdef".to_owned(),
        rgt: None,
        subset: Some(true),
        release: None,
        revision: None,
        ..row(1, "x")
    }];
    let decision = decide_among(&with_segments(candidate("a"), 0, 10, &[]), &stored, &[(1, 2, 8)], &nothing);
    assert_eq!((replaced(decision.clone()), shared(decision)), ((Vec::new(), None), (Vec::new(), vec![(1, 6)])));
}

#[test]
fn a_subset_outside_the_stored_area_of_the_whole_granule_is_ingested() {
    let stored = [LedgerRow { area: Some("A".to_owned()), ..row(1, "a") }];
    let clip = with_segments(subset("a", "clip.h5", 3), 5, 15, &[]);
    assert_eq!(shared(decide_among(&clip, &stored, &[(1, 0, 10)], &Fingerprint::default())), (vec![1], Vec::new()));
    let within = Fingerprint { area: Some("A".to_owned()), ..Fingerprint::default() };
    assert_eq!(decide_among(&clip, &stored, &[(1, 0, 10)], &within), Decision::Skip(SkipReason::Subset));
}

#[test]
fn a_replacement_needs_half_of_the_segments_and_none_with_force() {
    let ledger = [LedgerRow { rows_read: 100, rows_kept: 40, rows_removed: 60, ..row(1, "a") }];
    let least = |fingerprint: &Fingerprint, force: bool| {
        let changed = Candidate { size_bytes: 6, ..candidate("a") };
        let (stored, to_reread) = (StoredKeys::default(), BTreeSet::new());
        let context = DecisionContext {
            fingerprint,
            covers: &|_, _| false,
            retry: false,
            force,
            first_id_of_run: None,
            stored: &stored,
            to_reread: &to_reread,
        };
        match context.decide(&changed, &CurrentAttempts::new(&ledger)) {
            Decision::Ingest(plan) => (plan.least.read, plan.least.kept),
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
    assert_eq!(ReplacedSegments::new(&[&one, &two]), ReplacedSegments { read: 140, kept: 140 });
}

#[test]
fn variables_that_a_release_does_not_have_do_not_count() {
    // landsat_perc is of release 004 alone.
    let fingerprint = Fingerprint { variables: vec!["h_canopy", "landsat_perc"], ..Fingerprint::default() };
    let poorer = LedgerRow {
        release: Some("007".to_owned()),
        variables: fingerprint.variables.join(" "),
        missing_variables: Some("h_canopy".to_owned()),
        ..subset_row(1, "a.h5", 3)
    };
    let mut richer = extract(5, 15);
    richer.holdings = with_segments(extract(5, 15), 5, 15, &["landsat_perc"]).holdings;
    assert_eq!(shared(decide_among(&richer, &[poorer], &[(1, 0, 10)], &fingerprint)), (Vec::new(), vec![(1, 5)]));
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
