//! Decisions that depend on the segments and variables of files.

use isdb_pipeline::{FileContents, SegmentSet};

use super::*;

/// Returns a file with the segments `from` to `to` of one beam, and all requested variables except `missing`.
fn with_segments(candidate: Candidate, from: i64, to: i64, missing: &[&'static str]) -> Candidate {
    let segments = SegmentSet::from_ids("gt1l", from..to);
    let contents = FileContents { span: segments.span(), segments: segments.into(), missing: missing.to_vec() };
    Candidate { contents: Some(contents.into()), ..candidate }
}

/// Returns the decision on `candidate` if the attempts of `ledger` have the segments `stored` (id, from, to) of the
/// same beam.
fn decide_among(
    candidate: &Candidate,
    ledger: &[LedgerRow],
    stored: &[(i64, i64, i64)],
    fingerprint: &Fingerprint,
) -> Decision {
    let segments = |(id, from, to): &(i64, i64, i64)| (*id, SegmentSet::from_ids("gt1l", *from..*to));
    let stored: StoredSegments = stored.iter().map(segments).collect();
    let context = DecisionContext { stored: &stored, ..context(fingerprint) };
    context.decide(candidate, &Ledger::new(ledger.iter().cloned()))
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
    // With the revisions exchanged the stored segments stay, and the file adds only the others.
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

/// Returns an extract with the segments `from` to `to`.
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
    // Of the next granule along the orbit, which shares some segments with this one.
    assert_eq!(shared(decide_among(&extract(8, 18), &whole, &[(1, 0, 10)], &nothing)), (vec![1], Vec::new()));
    // Of another pass.
    assert_eq!(shared(decide_among(&extract(50, 60), &whole, &[(1, 0, 10)], &nothing)), (Vec::new(), Vec::new()));
    // The granule itself replaces the segments that it has as well.
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
    richer.contents = with_segments(extract(5, 15), 5, 15, &["landsat_perc"]).contents;
    assert_eq!(shared(decide_among(&richer, &[poorer], &[(1, 0, 10)], &fingerprint)), (Vec::new(), vec![(1, 5)]));
}
