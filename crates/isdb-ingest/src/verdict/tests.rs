//! Each rule by itself.

use isdb_pipeline::{FileContents, SegmentSet};
use isdb_schema::ledger::GranuleState;

use super::*;
use crate::testing::{candidate, revision, row, subset};

/// The verdict on `candidate` over `ledger` with nothing asked for that the rows do not have.
fn verdict(candidate: &Candidate, ledger: &[LedgerRow]) -> Verdict {
    verdict_with(candidate, ledger, &Wanted::default(), None)
}

fn verdict_with(candidate: &Candidate, ledger: &[LedgerRow], wanted: &Wanted, since: Option<Id>) -> Verdict {
    let covers = |stored: &str, asked: &str| stored.contains(asked);
    let (stored, owed) = (StoredSegments::default(), BTreeSet::new());
    let rules = Rules { wanted, covers: &covers, retry: false, force: false, since, stored: &stored, owed: &owed };
    rules.verdict(candidate, &Standing::of(ledger))
}

/// The attempts that are replaced, and why.
fn taken(verdict: Verdict) -> (Vec<i64>, Option<Why>) {
    match verdict {
        Verdict::Take(Taking { replaces, why, .. }) => (replaces.iter().map(|id| id.0).collect(), why),
        other => panic!("{other:?}"),
    }
}

/// The attempts whose segments stay, and those that lose some, with how many.
fn shared(verdict: Verdict) -> (Vec<i64>, Vec<(i64, i64)>) {
    match verdict {
        Verdict::Take(Taking { merges_with, carries, .. }) => (
            merges_with.iter().map(|id| id.0).collect(),
            carries.iter().map(|carry| (carry.row.ingest_id.0, carry.went)).collect(),
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
fn a_new_granule_is_taken_and_one_that_is_stored_is_left_out() {
    assert_eq!(taken(verdict(&candidate("b"), &[row(1, "a")])), (Vec::new(), None));
    assert_eq!(verdict(&candidate("a"), &[row(1, "a")]), Verdict::Skip(Skip::Stored));
    let empty = LedgerRow { state: GranuleState::Empty, rows_kept: 0, ..row(1, "a") };
    assert_eq!(verdict(&candidate("a"), &[empty]), Verdict::Skip(Skip::Stored), "an empty granule is a success");
}

#[test]
fn a_newer_revision_replaces_and_an_older_is_left_out() {
    let stored = Rank { is_whole: true, release: Some(6), revision: Some(1) };
    assert_eq!(taken(verdict(&revision("a", 2), &[row(1, "a")])), (vec![1], Some(Why::Outranks(stored))));
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
    assert_eq!(taken(verdict(&longer, &ledger)), (vec![1], Some(Why::Changed)));
    let touched = Candidate { modified_at: Some(9), ..candidate("a") };
    assert!(needs_checksum(&touched, &rows));
    let with = |checksum: &str| Candidate { checksum: Some(checksum.to_owned()), ..touched.clone() };
    assert_eq!(verdict(&with("xxh64:5"), &ledger), Verdict::Skip(Skip::Stored));
    assert_eq!(taken(verdict(&with("xxh64:6"), &ledger)), (vec![1], Some(Why::Changed)));
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
    assert_eq!(shared(verdict(&subset("a", "three.h5", 5), &clips)), (vec![1, 2], Vec::new()));
    assert_eq!(verdict(&subset("a", "one.h5", 3), &clips), Verdict::Skip(Skip::Stored));
    let copy = Candidate { checksum: None, ..subset("a", "copy.h5", 4) };
    assert!(needs_checksum(&copy, &[&clips[0], &clips[1]]), "another file may be another subset");
    assert_eq!(verdict(&subset("a", "copy.h5", 4), &clips), Verdict::Skip(Skip::Stored));
    let changed = verdict(&subset("a", "one.h5", 7), &clips);
    assert_eq!(taken(changed.clone()), (vec![1], Some(Why::Changed)));
    assert_eq!(shared(changed), (vec![2], Vec::new()));
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
        assert_eq!(taken(verdict(&changed, &ledger)), (Vec::new(), None));
    }
    let other = Wanted { filters_hash: "other".to_owned(), ..Wanted::default() };
    assert_eq!(taken(verdict_with(&candidate("a"), &ledger, &other, None)), (Vec::new(), None));
    let (stored, owed) = (StoredSegments::default(), BTreeSet::new());
    let wanted = Wanted::default();
    let rules = |retry, force| Rules {
        wanted: &wanted,
        covers: &|_, _| false,
        retry,
        force,
        since: None,
        stored: &stored,
        owed: &owed,
    };
    assert_eq!(taken(rules(true, false).verdict(&candidate("a"), &Standing::of(&ledger))), (Vec::new(), None));
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
        let verdict = rules(false, force).verdict(&candidate("a"), &Standing::of(&ledger));
        assert_eq!(matches!(verdict, Verdict::Take(_)), is_tried, "{stage}");
    }
}

#[test]
fn a_removed_granule_comes_back_when_its_file_is_named_or_newer() {
    let ledger = [row(1, "a"), LedgerRow { state: GranuleState::Removed, replaces: vec![Id(1)], ..row(2, "a") }];
    assert_eq!(verdict(&candidate("a"), &ledger), Verdict::Skip(Skip::Removed));
    assert_eq!(taken(verdict(&Candidate { is_named: true, ..candidate("a") }, &ledger)), (Vec::new(), None));
    assert_eq!(taken(verdict(&revision("a", 2), &ledger)), (Vec::new(), None));
}

/// A file with the segments `from` to `to` of one beam, and all of the variables that are asked for but `missing`.
fn holding(candidate: Candidate, from: i64, to: i64, missing: &[&'static str]) -> Candidate {
    let segments = SegmentSet::from_ids("gt1l", from..to);
    let holds = FileContents { span: segments.span(), segments: segments.into(), missing: missing.to_vec() };
    Candidate { holds: Some(holds.into()), ..candidate }
}

/// The verdict on `candidate` where the attempts of `ledger` have the segments of `stored` of the same beam.
fn among(candidate: &Candidate, ledger: &[LedgerRow], stored: &[(i64, i64, i64)], wanted: &Wanted) -> Verdict {
    let segments = |(id, from, to): &(i64, i64, i64)| (*id, SegmentSet::from_ids("gt1l", *from..*to));
    let stored: StoredSegments = stored.iter().map(segments).collect();
    let (covers, owed) = (|stored: &str, asked: &str| stored == asked, BTreeSet::new());
    let rules =
        Rules { wanted, covers: &covers, retry: false, force: false, since: None, stored: &stored, owed: &owed };
    rules.verdict(candidate, &Standing::of(ledger))
}

#[test]
fn a_newer_subset_replaces_what_it_has_and_leaves_the_rest() {
    // Three plots of one pass, of revision 01.
    let clips = [subset_row(1, "a.h5", 3), subset_row(2, "b.h5", 4), subset_row(3, "c.h5", 5)];
    let stored = [(1, 0, 10), (2, 20, 30), (3, 40, 50)];
    let mut newer = holding(subset("a", "a2.h5", 6), 5, 25, &[]);
    newer.identity.as_mut().unwrap().revision = Some(2);
    let verdict = among(&newer, &clips, &stored, &Wanted::default());
    assert_eq!(taken(verdict.clone()), (Vec::new(), None));
    assert_eq!(shared(verdict.clone()), (Vec::new(), vec![(1, 5), (2, 5)]));
    match verdict {
        Verdict::Take(taking) => {
            assert_eq!((taking.before, taking.stay), (Before { read: 10, kept: 10 }, clips[2].rows_kept));
        }
        other => panic!("{other:?}"),
    }
    // The other way round what is stored is better, and the file brings what is not.
    let mut older = newer;
    older.identity.as_mut().unwrap().revision = Some(1);
    let newer_clips = clips.map(|row| LedgerRow { revision: Some("02".to_owned()), ..row });
    assert_eq!(shared(among(&older, &newer_clips, &stored, &Wanted::default())), (vec![1, 2, 3], Vec::new()));
}

#[test]
fn a_subset_without_a_revision_is_stored_where_nothing_else_is_in_either_order() {
    let unknown = |candidate: Candidate| {
        let mut candidate = candidate;
        candidate.identity.as_mut().unwrap().revision = None;
        candidate
    };
    let known = [subset_row(1, "a.h5", 3)];
    let verdict =
        among(&unknown(holding(subset("a", "b.h5", 4), 20, 30, &[])), &known, &[(1, 0, 10)], &Wanted::default());
    assert_eq!((taken(verdict.clone()), shared(verdict)), ((Vec::new(), None), (vec![1], Vec::new())));
    let stored = [LedgerRow { revision: None, ..subset_row(1, "b.h5", 4) }];
    let verdict = among(&holding(subset("a", "a.h5", 3), 0, 10, &[]), &stored, &[(1, 20, 30)], &Wanted::default());
    assert_eq!((taken(verdict.clone()), shared(verdict)), ((Vec::new(), None), (Vec::new(), Vec::new())));
}

#[test]
fn of_two_extracts_of_one_granule_the_richer_keeps_what_both_have() {
    let wanted = Wanted { variables: vec!["h_canopy", "asr"], ..Wanted::default() };
    let variables = |missing: Option<&str>| LedgerRow {
        variables: "h_canopy asr".to_owned(),
        missing_variables: missing.map(str::to_owned),
        ..subset_row(1, "a.h5", 3)
    };
    let verdict = |row: LedgerRow, missing: &[&'static str]| {
        shared(among(&holding(subset("a", "b.h5", 4), 5, 15, missing), &[row], &[(1, 0, 10)], &wanted))
    };
    let (stays, goes) = ((vec![1], Vec::new()), (Vec::new(), vec![(1, 5)]));
    assert_eq!(verdict(variables(Some("h_canopy asr")), &["asr"]), goes, "richer");
    assert_eq!(verdict(variables(Some("asr")), &["h_canopy"]), stays, "as rich: the first stays");
    assert_eq!(verdict(variables(None), &["h_canopy"]), stays, "poorer");
}

/// A file that does not tell its granule, with the segments `from` to `to`.
fn stranger(from: i64, to: i64) -> Candidate {
    let mut candidate = holding(subset("a", "x.h5", 9), from, to, &[]);
    let identity = candidate.identity.as_mut().unwrap();
    (identity.rgt, identity.cycle, identity.region, identity.release, identity.revision) =
        (None, None, None, None, None);
    identity.id = "x-0123456789abcdef".to_owned();
    candidate
}

#[test]
fn a_file_that_does_not_tell_its_granule_is_known_by_its_segments() {
    let whole = [row(1, "a")];
    let nothing = Wanted::default();
    assert_eq!(among(&stranger(2, 8), &whole, &[(1, 0, 10)], &nothing), Verdict::Skip(Skip::Subset));
    // Of the next granule along the orbit, which shares some segments.
    assert_eq!(shared(among(&stranger(8, 18), &whole, &[(1, 0, 10)], &nothing)), (vec![1], Vec::new()));
    // Of another pass.
    assert_eq!(shared(among(&stranger(50, 60), &whole, &[(1, 0, 10)], &nothing)), (Vec::new(), Vec::new()));
    // The granule itself takes the place of what it has.
    let stored = [LedgerRow {
        granule: "x-0123456789abcdef".to_owned(),
        rgt: None,
        subset: Some(true),
        release: None,
        revision: None,
        ..row(1, "x")
    }];
    let verdict = among(&holding(candidate("a"), 0, 10, &[]), &stored, &[(1, 2, 8)], &nothing);
    assert_eq!((taken(verdict.clone()), shared(verdict)), ((Vec::new(), None), (Vec::new(), vec![(1, 6)])));
}

#[test]
fn a_subset_outside_what_is_stored_of_the_whole_granule_is_no_subset_of_that() {
    let stored = [LedgerRow { area: Some("A".to_owned()), ..row(1, "a") }];
    let clip = holding(subset("a", "clip.h5", 3), 5, 15, &[]);
    assert_eq!(shared(among(&clip, &stored, &[(1, 0, 10)], &Wanted::default())), (vec![1], Vec::new()));
    let within = Wanted { area: Some("A".to_owned()), ..Wanted::default() };
    assert_eq!(among(&clip, &stored, &[(1, 0, 10)], &within), Verdict::Skip(Skip::Subset));
}

#[test]
fn a_replacement_needs_half_of_what_was_there_and_force_nothing() {
    let ledger = [LedgerRow { rows_read: 100, rows_kept: 40, rows_removed: 60, ..row(1, "a") }];
    let least = |wanted: &Wanted, force: bool| {
        let changed = Candidate { size_bytes: 6, ..candidate("a") };
        let (stored, owed) = (StoredSegments::default(), BTreeSet::new());
        let rules =
            Rules { wanted, covers: &|_, _| false, retry: false, force, since: None, stored: &stored, owed: &owed };
        match rules.verdict(&changed, &Standing::of(&ledger)) {
            Verdict::Take(taking) => (taking.least.read, taking.least.kept),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(least(&Wanted::default(), false), (100, 40));
    assert_eq!(least(&Wanted::default(), true), (0, 0));
    let refiltered = Wanted { filters_hash: "other".to_owned(), ..Wanted::default() };
    assert_eq!(least(&refiltered, false), (100, 0), "other filters keep what they keep");
}

#[test]
fn segments_that_another_file_has_are_not_counted_twice_among_what_is_replaced() {
    let held = isdb_schema::ledger::Removed {
        filter: isdb_schema::ledger::ALREADY_STORED.to_owned(),
        removed: 60,
        ..isdb_schema::ledger::Removed::default()
    };
    let one = LedgerRow { rows_read: 100, rows_kept: 100, ..subset_row(1, "a.h5", 3) };
    let two = LedgerRow { rows_read: 100, rows_kept: 40, removed_by: vec![held], ..subset_row(2, "b.h5", 4) };
    assert_eq!(Before::of(&[&one, &two]), Before { read: 140, kept: 140 });
}

#[test]
fn variables_that_a_release_does_not_have_make_no_file_of_it_richer() {
    // landsat_perc is of release 004 alone.
    let wanted = Wanted { variables: vec!["h_canopy", "landsat_perc"], ..Wanted::default() };
    let poorer = LedgerRow {
        release: Some("007".to_owned()),
        variables: wanted.variables.join(" "),
        missing_variables: Some("h_canopy".to_owned()),
        ..subset_row(1, "a.h5", 3)
    };
    let mut richer = stranger(5, 15);
    richer.holds = holding(stranger(5, 15), 5, 15, &["landsat_perc"]).holds;
    assert_eq!(shared(among(&richer, &[poorer], &[(1, 0, 10)], &wanted)), (Vec::new(), vec![(1, 5)]));
}

#[test]
fn an_attempt_that_kept_nothing_adds_no_region_to_what_is_asked_for() {
    let of_b = Wanted { area: Some("B".to_owned()), ..Wanted::default() };
    for area in [Some("A".to_owned()), None] {
        let empty = LedgerRow { state: GranuleState::Empty, rows_kept: 0, area: area.clone(), ..row(1, "a") };
        let changed = Candidate { modified_at: Some(2), size_bytes: 6, ..candidate("a") };
        match verdict_with(&changed, &[empty], &of_b, None) {
            Verdict::Take(taking) => assert_eq!(taking.area, Some(vec!["B".to_owned()]), "{area:?}"),
            other => panic!("{other:?}"),
        }
    }
    let kept = LedgerRow { area: Some("A".to_owned()), ..row(1, "a") };
    let changed = Candidate { modified_at: Some(2), size_bytes: 6, ..candidate("a") };
    match verdict_with(&changed, &[kept], &of_b, None) {
        Verdict::Take(taking) => assert_eq!(taking.area, Some(vec!["B".to_owned(), "A".to_owned()])),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_granule_that_is_read_in_place_leaves_what_a_file_without_identity_may_have_of_it() {
    let stranger = LedgerRow {
        rgt: None,
        cycle: None,
        region: None,
        subset: Some(true),
        start_time: Some(0),
        granule: "stranger-0123456789abcdef".to_owned(),
        ..row(3, "b")
    };
    let mut described = Candidate { is_described: true, ..candidate("a") };
    described.identity.as_mut().unwrap().start = Some(100);
    assert_eq!(shared(verdict(&described, std::slice::from_ref(&stranger))), (vec![3], vec![]));
    described.identity.as_mut().unwrap().start = Some(86_400);
    assert_eq!(shared(verdict(&described, &[stranger])), (vec![], vec![]), "another day");
}
