//! Whole lists of files, round after round.

use std::sync::Arc;

use isdb_pipeline::{FileContents, SegmentSet};
use isdb_schema::ledger::GranuleState;
use isdb_store::{Id, LedgerRow};

use super::*;
use crate::decide::attempt_plan::{AttemptPlan, CarriedAttempt};
use crate::decide::fingerprint::Fingerprint;
use crate::testing::{candidate, context, revision, row, subset};

/// Ingests `files` in rounds; those called `unreadable` fail. Returns the stored files and the skipped ones by reason.
/// The attempts of a round are in the ledger before the next one.
fn stored(
    mut ledger: Vec<LedgerRow>,
    files: Vec<Candidate>,
    unreadable: &[&str],
) -> (Vec<String>, BTreeMap<SkipReason, usize>) {
    let (mut files, mut skipped) = (files, BTreeMap::new());
    while !files.is_empty() {
        let fingerprint = Fingerprint::default();
        let context = DecisionContext { first_id_of_run: Some(Id(100)), ..context(&fingerprint) };
        let round = decide_round(files, &Ledger::new(ledger.iter().cloned()), &context);
        for (_, reason) in round.skipped {
            *skipped.entry(reason).or_default() += 1;
        }
        for attempt in round.now {
            let id = 100 + i64::try_from(ledger.len()).unwrap();
            ledger.push(ended(id, &attempt, unreadable));
        }
        files = round.later;
    }
    let ledger = Ledger::new(ledger);
    let mut names: Vec<String> = ledger.current().map(|attempt| name(&attempt.source)).collect();
    names.sort();
    (names, skipped)
}

fn ended(id: i64, attempt: &PlannedAttempt, unreadable: &[&str]) -> LedgerRow {
    let PlannedAttempt { candidate, plan } = attempt;
    let (identity, source) = (candidate.identity.as_ref().unwrap(), candidate.source());
    let is_unreadable = unreadable.contains(&name(&source).as_str());
    LedgerRow {
        size_bytes: candidate.size_bytes.cast_signed(),
        modified_at: candidate.modified_at,
        checksum: candidate.checksum.clone(),
        subset: Some(identity.subset),
        release: identity.release.map(|release| format!("{release:03}")),
        revision: identity.revision.map(|revision| format!("{revision:02}")),
        replaces: if is_unreadable { Vec::new() } else { plan.replaces.clone() },
        state: if is_unreadable { GranuleState::Failed } else { GranuleState::Ingested },
        source,
        ..row(id, &identity.id)
    }
}

fn name(source: &str) -> String {
    source.rsplit('/').next().unwrap().to_owned()
}

/// Returns the same as [`stored`], after checking that the order of `files` does not matter.
fn in_both_orders(
    ledger: &[LedgerRow],
    files: &[Candidate],
    unreadable: &[&str],
) -> (Vec<String>, BTreeMap<SkipReason, usize>) {
    let reversed: Vec<Candidate> = files.iter().rev().cloned().collect();
    let one = stored(ledger.to_vec(), files.to_vec(), unreadable);
    assert_eq!(one, stored(ledger.to_vec(), reversed, unreadable));
    one
}

#[test]
fn the_newer_revision_is_ingested_and_the_older_one_if_it_cannot_be_read() {
    let files = [revision("a", 1), revision("a", 2)];
    let (names, skipped) = in_both_orders(&[], &files, &[]);
    assert_eq!((names, skipped), (vec!["a_2.h5".to_owned()], BTreeMap::from([(SkipReason::Older, 1)])));
    let (names, skipped) = in_both_orders(&[], &files, &["a_2.h5"]);
    assert_eq!((names, skipped), (vec!["a_1.h5".to_owned()], BTreeMap::new()));
}

#[test]
fn a_stored_granule_stays_when_its_successor_cannot_be_read() {
    let (names, _) = in_both_orders(&[row(1, "a")], &[revision("a", 2)], &["a_2.h5"]);
    assert_eq!(names, ["a.h5"]);
}

#[test]
fn a_whole_granule_is_ingested_and_its_subsets_if_it_cannot_be_read() {
    let files = [subset("a", "one.h5", 3), candidate("a"), subset("a", "two.h5", 4)];
    let (names, skipped) = in_both_orders(&[], &files, &[]);
    assert_eq!((names, skipped), (vec!["a.h5".to_owned()], BTreeMap::from([(SkipReason::Subset, 2)])));
    let (names, skipped) = in_both_orders(&[], &files, &["a.h5"]);
    assert_eq!((names.as_slice(), skipped), (&["one.h5".to_owned(), "two.h5".to_owned()][..], BTreeMap::new()));
}

#[test]
fn copies_are_stored_once_and_another_file_of_the_same_granule_is_a_copy() {
    let copy = Candidate { path: "copy.h5".into(), ..candidate("a") };
    let other = Candidate { path: "other.h5".into(), size_bytes: 9, ..candidate("a") };
    let (names, skipped) = in_both_orders(&[], &[candidate("a"), copy.clone(), other.clone()], &[]);
    assert_eq!((names, skipped), (vec!["a.h5".to_owned()], BTreeMap::from([(SkipReason::Copy, 2)])));
    // The stored file is preferred, whatever the paths.
    let (names, skipped) = in_both_orders(&[row(1, "a")], &[Candidate { path: "0.h5".into(), ..other }, copy], &[]);
    assert_eq!((names, skipped), (vec!["a.h5".to_owned()], BTreeMap::from([(SkipReason::Stored, 2)])));
}

#[test]
fn a_newer_release_is_not_replaced_by_an_older_of_the_same_request() {
    let of_release = |release: u16| {
        let mut file = candidate("a");
        file.path = format!("{release}.h5").into();
        file.size_bytes = release.into();
        file.identity.as_mut().unwrap().release = Some(release);
        file
    };
    let files = [of_release(6), of_release(7)];
    let (names, skipped) = in_both_orders(&[], &files, &[]);
    assert_eq!((names, skipped), (vec!["7.h5".to_owned()], BTreeMap::from([(SkipReason::Older, 1)])));
    let attempt = |file: &Candidate| PlannedAttempt { candidate: file.clone(), plan: AttemptPlan::default() };
    let stored = [ended(1, &attempt(&files[1]), &[])];
    let (names, skipped) = in_both_orders(&stored, &files, &[]);
    assert_eq!(names, ["7.h5"]);
    assert_eq!(skipped, BTreeMap::from([(SkipReason::Stored, 1), (SkipReason::Older, 1)]));
}

#[test]
fn every_unidentified_file_is_tried() {
    let unreadable = |path: &str| Candidate::new(path.into(), Err("truncated".to_owned()));
    let fingerprint = Fingerprint::default();
    let round = decide_round(vec![unreadable("x.h5"), unreadable("y.h5")], &Ledger::default(), &context(&fingerprint));
    assert_eq!((round.now.len(), round.later.len()), (2, 0));
}

#[test]
fn files_that_may_be_of_one_granule_are_ingested_one_after_the_other() {
    // Two extracts: one at the time of a, one a day later.
    let extract = |name: &str, start_ns: i64| {
        let mut file = candidate(name);
        let identity = file.identity.as_mut().unwrap();
        (identity.rgt, identity.subset, identity.id) = (None, true, format!("{name}-0123456789abcde{name}"));
        let span = Some((start_ns, start_ns + 1_000));
        file.contents =
            Some(Arc::new(FileContents { segments: SegmentSet::default().into(), span, missing: Vec::new() }));
        file
    };
    let mut whole = candidate("a");
    whole.identity.as_mut().unwrap().start = Some(100);
    let fingerprint = Fingerprint::default();
    let files = vec![extract("b", 150_000_000_000), whole, extract("c", 86_400_000_000_000)];
    let round = decide_round(files, &Ledger::default(), &context(&fingerprint));
    let names = |files: Vec<&Candidate>| -> Vec<String> { files.iter().map(|file| name(&file.source())).collect() };
    let mut now = names(round.now.iter().map(|attempt| &attempt.candidate).collect());
    now.sort();
    assert_eq!(now, ["a.h5", "c.h5"]);
    assert_eq!(names(round.later.iter().collect()), ["b.h5"]);
}

#[test]
fn two_files_of_one_round_never_replace_parts_of_the_same_attempt() {
    let attempt = |path: &str, plan: AttemptPlan| PlannedAttempt { candidate: candidate(path), plan };
    let carrying = |id: i64| AttemptPlan {
        carries: vec![CarriedAttempt { row: row(id, "a"), replaced: 1 }],
        ..AttemptPlan::default()
    };
    let replacing = |id: i64| AttemptPlan { replaces: vec![Id(id)], ..AttemptPlan::default() };
    let merging = |id: i64| AttemptPlan { merges_with: vec![Id(id)], ..AttemptPlan::default() };
    let rounds = [
        (carrying(1), carrying(1), 1),
        (carrying(1), replacing(1), 1),
        (carrying(1), merging(1), 1),
        (merging(1), carrying(1), 1),
        (merging(1), merging(1), 2),
        (carrying(1), carrying(2), 2),
    ];
    for (first, second, together) in rounds {
        let now = vec![attempt("b", first.clone()), attempt("c", second.clone())];
        let mut round = Round { now, ..Round::default() };
        round.postpone_conflicts();
        assert_eq!((round.now.len(), round.later.len()), (together, 2 - together), "{first:?} {second:?}");
        assert_eq!(name(&round.now[0].candidate.source()), "b.h5", "the first one stays, so that rounds end");
    }
}
