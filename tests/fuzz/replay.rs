//! A replay of the fuzz targets' corpora and some mutations of them, in every run of the tests.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::{Path, PathBuf};

use isdb_fuzz::{Mutations, TARGETS, Target, target};

/// The inputs of a target, sorted by name.
fn corpus(target: Target) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.corpus);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "no inputs in {}", folder.display());
    files
}

/// Runs the target with `input`. An input that fails is kept in a file, so that it can be examined and added to the corpus.
fn run(target: Target, input: &[u8], case: &str) {
    if std::panic::catch_unwind(|| (target.run)(input)).is_err() {
        let kept = std::env::temp_dir().join(format!("isdb-fuzz-{}-{}", target.name, std::process::id()));
        std::fs::write(&kept, input).unwrap();
        panic!("{} fails on {case}; the input is kept as {}", target.name, kept.display());
    }
}

/// Replays the corpus of the target `name`, and `mutations` of each input, or a hundred times that number in `make test-long`.
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
fn opening_any_file_does_not_panic() {
    replay("granule_open", 500);
}

#[test]
fn decoding_any_file_neither_panics_nor_loses_rows() {
    replay("granule_decode", 200);
}

#[test]
fn parsing_any_config_does_not_panic() {
    replay("config", 1_000);
}

#[test]
fn a_predicate_pushed_down_selects_the_same_rows_as_the_engine() {
    replay("predicate", 20);
}

#[test]
fn parsing_any_region_neither_panics_nor_loses_area() {
    replay("geojson", 1_000);
}

#[test]
fn sampling_any_raster_does_not_panic() {
    replay("raster", 500);
}

#[test]
fn editing_any_netrc_keeps_its_entries() {
    replay("netrc", 200);
}

#[test]
fn any_cmr_reply_gives_a_readable_work_list() {
    replay("cmr", 10);
}

#[test]
fn any_schema_of_an_array_is_read_and_written() {
    replay("array_schema", 500);
}

#[test]
fn the_metadata_of_any_fragment_stay_within_its_files() {
    replay("fragment_metadata", 200);
}

#[test]
fn decoding_any_tile_with_any_filters_does_not_panic() {
    replay("tile", 1_000);
}

#[test]
fn opening_a_database_with_any_log_does_not_panic() {
    replay("commit_log", 100);
}

#[test]
fn every_target_has_a_corpus() {
    let folders = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")).unwrap();
    let mut found: Vec<_> = folders.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let mut expected: Vec<_> = TARGETS.iter().map(|target| target.corpus.to_owned()).collect();
    found.sort();
    expected.sort();
    expected.dedup();
    assert_eq!(found, expected);
}
