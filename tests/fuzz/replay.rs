//! The corpora of the fuzz targets, and mutations of them, on every machine that runs the tests.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may fail only loudly")]

use std::path::{Path, PathBuf};

use isdb_fuzz::{Mutations, TARGETS, Target, target};

/// The inputs of a target, by name.
fn corpus(target: Target) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.corpus);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "no inputs in {}", folder.display());
    files
}

/// Runs the target over `input`; one that fails is kept, so that it can be looked at and join the corpus.
fn run(target: Target, input: &[u8], case: &str) {
    if std::panic::catch_unwind(|| (target.run)(input)).is_err() {
        let kept = std::env::temp_dir().join(format!("isdb-fuzz-{}-{}", target.name, std::process::id()));
        std::fs::write(&kept, input).unwrap();
        panic!("{} fails on {case}, kept as {}", target.name, kept.display());
    }
}

/// Replays the corpus of the target `name`, then `mutations` of each input, or a hundred times as many in `make test-long`.
fn replay(name: &str, mutations: u32) {
    let target = target(name).unwrap();
    let seed = isdb_testing::seed();
    for file in corpus(target) {
        let input = std::fs::read(&file).unwrap();
        run(target, &input, &file.display().to_string());
        let mutated = Mutations::new(&input, seed).take(isdb_testing::times(mutations, 100 * mutations) as usize);
        for (number, mutated) in mutated.enumerate() {
            run(target, &mutated, &format!("mutation {number} of {}, ISDB_TEST_SEED={seed}", file.display()));
        }
    }
}

#[test]
fn no_file_makes_opening_a_granule_panic() {
    replay("granule_open", 500);
}

#[test]
fn no_file_makes_decoding_a_granule_panic_or_lose_rows() {
    replay("granule_decode", 200);
}

#[test]
fn no_config_makes_the_parser_panic() {
    replay("config", 1_000);
}

#[test]
fn a_predicate_pushed_into_the_array_answers_as_the_engine_alone() {
    replay("predicate", 20);
}

#[test]
fn no_region_makes_the_parser_panic_or_lose_area() {
    replay("geojson", 1_000);
}

#[test]
fn no_netrc_loses_an_entry() {
    replay("netrc", 200);
}

#[test]
fn no_reply_of_cmr_makes_the_search_panic_or_a_work_list_unreadable() {
    replay("cmr", 10);
}

#[test]
fn every_target_has_a_corpus_that_is_replayed() {
    let folders = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")).unwrap();
    let mut found: Vec<_> = folders.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let mut expected: Vec<_> = TARGETS.iter().map(|target| target.corpus.to_owned()).collect();
    found.sort();
    expected.sort();
    expected.dedup();
    assert_eq!(found, expected);
}
