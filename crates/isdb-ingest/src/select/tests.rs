//! Whole lists of files, round after round.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use isdb_pipeline::{FileContents, SegmentSet, StoredSegments};
use isdb_schema::ledger::GranuleState;
use isdb_store::{Id, LedgerRow};

use super::*;
use crate::taking::Carry;
use crate::testing::{candidate, revision, row, subset};
use crate::wanted::Wanted;

/// What is stored in the end of `files`, those called `unreadable` failing while they are read, and what was left out. Every
/// round's attempts are in the ledger before the next.
fn stored(
    mut ledger: Vec<LedgerRow>,
    files: Vec<Candidate>,
    unreadable: &[&str],
) -> (Vec<String>, BTreeMap<Skip, usize>) {
    let (mut files, mut skipped) = (files, BTreeMap::new());
    while !files.is_empty() {
        let wanted = Wanted::default();
        let rules = Rules { since: Some(Id(100)), ..rules(&wanted) };
        let selected = select(files, &Standing::of(&ledger), &rules);
        for (_, why) in selected.skipped {
            *skipped.entry(why).or_default() += 1;
        }
        for attempt in selected.now {
            let id = 100 + i64::try_from(ledger.len()).unwrap();
            ledger.push(ended(id, &attempt, unreadable));
        }
        files = selected.later;
    }
    let standing = Standing::of(&ledger);
    let mut names: Vec<String> = standing.rows().map(|row| name(&row.source)).collect();
    names.sort();
    (names, skipped)
}

/// Rules without anything known of what files hold.
fn rules(wanted: &Wanted) -> Rules<'_> {
    static NOTHING: (LazyLock<StoredSegments>, BTreeSet<Id>) =
        (LazyLock::new(StoredSegments::default), BTreeSet::new());
    let (stored, owed) = (&*NOTHING.0, &NOTHING.1);
    Rules { wanted, covers: &|_, _| false, retry: false, force: false, since: None, stored, owed }
}

fn ended(id: i64, attempt: &Attempt, unreadable: &[&str]) -> LedgerRow {
    let Attempt { candidate, taking } = attempt;
    let (identity, source) = (candidate.identity.as_ref().unwrap(), candidate.source());
    let is_unreadable = unreadable.contains(&name(&source).as_str());
    LedgerRow {
        size_bytes: candidate.size_bytes.cast_signed(),
        modified_at: candidate.modified_at,
        checksum: candidate.checksum.clone(),
        subset: Some(identity.subset),
        release: identity.release.map(|release| format!("{release:03}")),
        revision: identity.revision.map(|revision| format!("{revision:02}")),
        replaces: if is_unreadable { Vec::new() } else { taking.replaces.clone() },
        state: if is_unreadable { GranuleState::Failed } else { GranuleState::Ingested },
        source,
        ..row(id, &identity.id)
    }
}

fn name(source: &str) -> String {
    source.rsplit('/').next().unwrap().to_owned()
}

/// The same result, whichever of the files comes first.
fn in_both_orders(
    ledger: &[LedgerRow],
    files: &[Candidate],
    unreadable: &[&str],
) -> (Vec<String>, BTreeMap<Skip, usize>) {
    let turned: Vec<Candidate> = files.iter().rev().cloned().collect();
    let one = stored(ledger.to_vec(), files.to_vec(), unreadable);
    assert_eq!(one, stored(ledger.to_vec(), turned, unreadable));
    one
}

#[test]
fn of_two_revisions_the_newer_is_taken_and_the_older_if_that_cannot_be_read() {
    let files = [revision("a", 1), revision("a", 2)];
    let (names, skipped) = in_both_orders(&[], &files, &[]);
    assert_eq!((names, skipped), (vec!["a_2.h5".to_owned()], BTreeMap::from([(Skip::Older, 1)])));
    let (names, skipped) = in_both_orders(&[], &files, &["a_2.h5"]);
    assert_eq!((names, skipped), (vec!["a_1.h5".to_owned()], BTreeMap::new()));
}

#[test]
fn what_is_stored_stays_when_its_successor_cannot_be_read() {
    let (names, _) = in_both_orders(&[row(1, "a")], &[revision("a", 2)], &["a_2.h5"]);
    assert_eq!(names, ["a.h5"]);
}

#[test]
fn a_whole_granule_is_stored_rather_than_its_subsets_and_subsets_if_it_cannot_be_read() {
    let files = [subset("a", "one.h5", 3), candidate("a"), subset("a", "two.h5", 4)];
    let (names, skipped) = in_both_orders(&[], &files, &[]);
    assert_eq!((names, skipped), (vec!["a.h5".to_owned()], BTreeMap::from([(Skip::Subset, 2)])));
    let (names, skipped) = in_both_orders(&[], &files, &["a.h5"]);
    assert_eq!((names.as_slice(), skipped), (&["one.h5".to_owned(), "two.h5".to_owned()][..], BTreeMap::new()));
}

#[test]
fn copies_are_stored_once_and_another_file_of_the_same_granule_is_a_copy() {
    let copy = Candidate { path: "copy.h5".into(), ..candidate("a") };
    let other = Candidate { path: "other.h5".into(), size_bytes: 9, ..candidate("a") };
    let (names, skipped) = in_both_orders(&[], &[candidate("a"), copy.clone(), other.clone()], &[]);
    assert_eq!((names, skipped), (vec!["a.h5".to_owned()], BTreeMap::from([(Skip::Copy, 2)])));
    // What is stored decides, not the path.
    let (names, skipped) = in_both_orders(&[row(1, "a")], &[Candidate { path: "0.h5".into(), ..other }, copy], &[]);
    assert_eq!((names, skipped), (vec!["a.h5".to_owned()], BTreeMap::from([(Skip::Stored, 2)])));
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
    assert_eq!((names, skipped), (vec!["7.h5".to_owned()], BTreeMap::from([(Skip::Older, 1)])));
    let attempt = |file: &Candidate| Attempt { candidate: file.clone(), taking: Taking::default() };
    let stored = [ended(1, &attempt(&files[1]), &[])];
    let (names, skipped) = in_both_orders(&stored, &files, &[]);
    assert_eq!(names, ["7.h5"]);
    assert_eq!(skipped, BTreeMap::from([(Skip::Stored, 1), (Skip::Older, 1)]));
}

#[test]
fn files_that_cannot_be_identified_are_each_tried() {
    let unreadable = |path: &str| Candidate::new(path.into(), Err("truncated".to_owned()));
    let wanted = Wanted::default();
    let selected = select(vec![unreadable("x.h5"), unreadable("y.h5")], &Standing::of(&[]), &rules(&wanted));
    assert_eq!((selected.now.len(), selected.later.len()), (2, 0));
}

#[test]
fn files_that_may_be_of_one_granule_go_one_after_the_other() {
    // Two that do not tell their granule: one at the time of a, one a day later.
    let stranger = |name: &str, start_ns: i64| {
        let mut file = candidate(name);
        let identity = file.identity.as_mut().unwrap();
        (identity.rgt, identity.subset, identity.id) = (None, true, format!("{name}-0123456789abcde{name}"));
        let span = Some((start_ns, start_ns + 1_000));
        file.holds = Some(Arc::new(FileContents { segments: SegmentSet::default().into(), span, missing: Vec::new() }));
        file
    };
    let mut whole = candidate("a");
    whole.identity.as_mut().unwrap().start = Some(100);
    let wanted = Wanted::default();
    let files = vec![stranger("b", 150_000_000_000), whole, stranger("c", 86_400_000_000_000)];
    let selected = select(files, &Standing::of(&[]), &rules(&wanted));
    let names = |files: Vec<&Candidate>| -> Vec<String> { files.iter().map(|file| name(&file.source())).collect() };
    let mut now = names(selected.now.iter().map(|attempt| &attempt.candidate).collect());
    now.sort();
    assert_eq!(now, ["a.h5", "c.h5"]);
    assert_eq!(names(selected.later.iter().collect()), ["b.h5"]);
}

#[test]
fn two_files_never_take_apart_one_attempt_in_the_same_round() {
    let attempt = |path: &str, taking: Taking| Attempt { candidate: candidate(path), taking };
    let carrying = |id: i64| Taking { carries: vec![Carry { row: row(id, "a"), went: 1 }], ..Taking::default() };
    let replacing = |id: i64| Taking { replaces: vec![Id(id)], ..Taking::default() };
    let merging = |id: i64| Taking { merges_with: vec![Id(id)], ..Taking::default() };
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
        let mut selected = Selected { now, ..Selected::default() };
        selected.postpone_conflicts();
        assert_eq!((selected.now.len(), selected.later.len()), (together, 2 - together), "{first:?} {second:?}");
        assert_eq!(name(&selected.now[0].candidate.source()), "b.h5", "the first goes on, so that rounds end");
    }
}
