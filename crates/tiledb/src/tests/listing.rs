//! Arrays opened by their URI without libtiledb: the same fragments as libtiledb finds, whatever was consolidated and vacuumed.

use std::collections::BTreeSet;
use std::path::Path;

use proptest::prelude::*;
use tiledb_format::{CommitKind, TimestampedName};
use tiledb_sys as sys;

use super::*;
use crate::context::c_text;
use crate::{Ranges, write_fragment};

/// What happens to an array.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A fragment is written.
    Write,
    /// The fragments of some timestamps become one.
    Fragments {
        first: u64,
        last: u64,
    },
    /// Commits, metadata or footers are consolidated.
    Consolidate(&'static str),
    Vacuum(&'static str),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let kinds = || prop::sample::select(vec!["commits", "fragment_meta", "array_meta"]);
    let step = prop_oneof![
        4 => Just(Step::Write),
        2 => (0..9_u64, 1..9_u64).prop_map(|(first, more)| Step::Fragments { first, last: first + more }),
        2 => kinds().prop_map(Step::Consolidate),
        1 => kinds().prop_map(Step::Vacuum),
        1 => Just(Step::Vacuum("fragments")),
    ];
    prop::collection::vec(step, 3..9)
}

/// Performs a step; the fragment of a write has the time and the first row `next`.
fn perform(uri: &str, step: Step, next: u64) {
    let text = c_text(uri).unwrap();
    let c = ctx().as_ptr();
    let consolidate = |settings: &[(&str, &str)]| {
        let config = ctx().config_with(settings).unwrap();
        // SAFETY: live objects, and a string that outlives the call.
        let code = unsafe { sys::tiledb_array_consolidate(c, text.as_ptr(), config.as_ptr()) };
        ctx().check(code, "consolidate", uri).unwrap();
    };
    match step {
        Step::Write => {
            let first = usize::try_from(next).unwrap() * 5;
            write_fragment(ctx(), uri, next, vec![batch(&schema(vec![]), first, 5, vec![])]).unwrap();
        }
        Step::Fragments { first, last } => {
            let (first, last) = (first.to_string(), last.to_string());
            consolidate(&[
                ("sm.consolidation.mode", "fragments"),
                ("sm.consolidation.timestamp_start", &first),
                ("sm.consolidation.timestamp_end", &last),
            ]);
        }
        Step::Consolidate(mode) => consolidate(&[("sm.consolidation.mode", mode)]),
        Step::Vacuum(mode) => {
            let config = ctx().config_with(&[("sm.vacuum.mode", mode)]).unwrap();
            // SAFETY: as above.
            let code = unsafe { sys::tiledb_array_vacuum(c, text.as_ptr(), config.as_ptr()) };
            ctx().check(code, "vacuum", uri).unwrap();
        }
    }
}

/// Whether a fragment, replaced or not, is visible in part at this timestamp.
fn has_part(uri: &str, at: u64) -> bool {
    let fragments = std::fs::read_dir(Path::new(uri).join("__fragments")).unwrap();
    let names = fragments.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.map(|name| TimestampedName::parse(&name).unwrap()).any(|name| name.first <= at && at < name.last)
}

/// Compares what both engines read as of `at`.
fn compare(uri: &str, at: Option<u64>) {
    let library = Array::open_by_library(ctx(), uri, at).unwrap();
    let request = request(&["row"]);
    match Array::open_by_tile(uri, at) {
        Ok(array) => {
            assert_eq!(all_rows(&array, &request), all_rows(&library, &request), "at {at:?}");
            assert_eq!((array.schema(), array.layout()), (library.schema(), library.layout()));
            if at.is_none() {
                assert_eq!(described(&array), described(&library));
            }
        }
        Err(error) => assert!(matches!(at, Some(at) if has_part(uri, at)), "at {at:?}: {error}"),
    }
    // Whichever engine reads it.
    let array = Array::open_at(ctx(), uri, at.unwrap_or(1_000)).unwrap();
    assert_eq!(all_rows(&array, &request), all_rows(&library, &request), "at {at:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(isdb_testing::times(8, 300)))]

    /// Otherwise a user of such an array would miss rows, or read them twice.
    #[test]
    fn fragments_are_those_of_libtiledb_after_any_maintenance(steps in steps()) {
        let (_folder, uri) = new_uri();
        Array::create(ctx(), &uri, &layout(), &schema(vec![])).unwrap();
        let mut next = 0;
        for step in steps {
            perform(&uri, step, next);
            next += u64::from(matches!(step, Step::Write));
            (0..next).for_each(|at| compare(&uri, Some(at)));
            compare(&uri, None);
        }
    }
}

/// All kinds of files of commits at once, which the steps above seldom reach.
#[test]
fn lists_of_consolidated_and_of_ignored_commits_are_read() {
    let (_folder, uri) = new_uri();
    Array::create(ctx(), &uri, &layout(), &schema(vec![])).unwrap();
    let all = Step::Fragments { first: 0, last: 9 };
    let steps = [Step::Write, Step::Write, Step::Consolidate("commits"), Step::Vacuum("commits"), all]
        .into_iter()
        .chain([Step::Vacuum("fragments"), Step::Write, Step::Write, Step::Fragments { first: 6, last: 7 }]);
    // The writes are at 0, 1, 6 and 7 ms.
    for (next, step) in (0..).zip(steps) {
        perform(&uri, step, next);
        compare(&uri, None);
        (0..=next).for_each(|at| compare(&uri, Some(at)));
    }
    let commits = std::fs::read_dir(Path::new(&uri).join("__commits")).unwrap();
    let kinds: BTreeSet<&str> = commits
        .map(|entry| CommitKind::parse(entry.unwrap().file_name().to_str().unwrap()).unwrap().1.suffix())
        .collect();
    assert_eq!(kinds, BTreeSet::from([".con", ".ign", ".vac", ".wrt"]));
}

/// What this crate does not know must reach libtiledb, and not be left out.
#[test]
fn what_only_libtiledb_reads_is_left_to_it() {
    let plain = schema(vec![]);
    let (_folder, uri) = new_uri();
    let single = ArrayLayout { allows_duplicates: false, ..layout() };
    Array::create(ctx(), &uri, &single, &plain).unwrap();
    write_fragment(ctx(), &uri, 10, vec![batch(&plain, 0, 5, vec![])]).unwrap();
    assert!(matches!(Array::open_by_tile(&uri, None), Err(Error::Unsupported { .. })));
    let array = Array::open(ctx(), &uri).unwrap();
    assert!(array.tiles(&Ranges::new()).unwrap().is_none());
    assert_eq!(all_rows(&array, &request(&["row"])).num_rows(), 5);

    let (_folder, array) = stored(&plain, &[batch(&plain, 0, 5, vec![])]);
    let uri = array.uri();
    assert!(Array::open(ctx(), uri).unwrap().tiles(&Ranges::new()).unwrap().is_some());
    // A condition that deletes cells, and a fragment of format version 11.
    let name = TimestampedName { first: 20, last: 20, uuid: "0".repeat(32), version: Some(22) };
    for (other, folder) in [(format!("__commits/{name}.del"), false), (format!("{name}"), true)] {
        let path = Path::new(uri).join(&other);
        if folder {
            std::fs::create_dir(&path).unwrap()
        } else {
            std::fs::write(&path, "").unwrap()
        }
        assert!(Array::open_by_tile(uri, None).is_err(), "{other}");
        if folder { std::fs::remove_dir(&path).unwrap() } else { std::fs::remove_file(&path).unwrap() }
    }
    assert!(Array::open_by_tile(uri, None).is_ok());
    assert!(Array::open_by_tile("s3://bucket/array", None).is_err());
}
