//! Reads by tile, where they differ from those of libtiledb.

use std::path::PathBuf;

use super::*;
use crate::{Literal, LiveFragment, Op, Predicate, write_fragment};

/// Damages that are tried; sixty thousand were once.
const ROUNDS: usize = 400;

/// An array of `fragments` fragments of `rows` rows each, with some floats.
fn fragments(fragments: usize, rows: usize, floats: usize) -> (TempDir, Array) {
    let names = (0..floats).map(|at| Field::new(format!("f{at}"), DataType::Float64, false));
    let schema = schema(names.collect());
    let (folder, uri) = new_uri();
    Array::create(ctx(), &uri, &layout(), &schema).unwrap();
    for at in 0..fragments {
        let float: ArrayRef = Arc::new(Float64Array::from_iter_values((0..rows).map(|row| row as f64)));
        let batch = batch(&schema, at * rows, rows, vec![float; floats]);
        write_fragment(ctx(), &uri, 10 + at as u64, vec![batch]).unwrap();
    }
    let array = Array::open_by_library(ctx(), &uri, None).unwrap();
    (folder, array)
}

fn live(array: &Array) -> Vec<LiveFragment> {
    by_tile(array).unwrap().live_fragments().to_vec()
}

fn open(array: &Array, layout: &ArrayLayout, cache: &FragmentCache) -> Array {
    let storage = Arc::new(LocalFiles::new(array.uri()));
    Array::open_fragments(array.uri(), layout, array.schema(), live(array), storage, cache).unwrap()
}

/// Tiles are counted with the layout's capacity before a fragment is opened: with a larger one, half of the rows were missing.
#[test]
fn a_capacity_other_than_that_of_the_fragments_is_an_error() {
    let (_folder, array) = fragments(1, 640, 0);
    let layout = ArrayLayout { capacity: 128, ..layout() };
    let by_tile = open(&array, &layout, &FragmentCache::default());
    let error = by_tile.read(&request(&["row"])).unwrap().find_map(Result::err).unwrap();
    assert!(matches!(error, Error::Format { .. }), "{error}");
}

/// A long-lived session that reads more and more columns of the same fragments must not exceed the cache's size.
#[test]
fn a_cache_is_bounded_though_only_the_columns_of_its_fragments_are_added() {
    let (_folder, array) = fragments(8, 640, 12);
    let bytes = |cache: &FragmentCache| -> usize {
        let shown = format!("{cache:?}");
        shown.split("bytes: ").nth(1).unwrap().split(',').next().unwrap().parse().unwrap()
    };
    let read = |cache: &FragmentCache, columns: &[&str]| {
        let rows = all_rows(&open(&array, array.layout(), cache), &request(columns)).num_rows();
        assert_eq!(rows, 8 * 640);
    };
    let unbounded = FragmentCache::default();
    (0..2).for_each(|_| read(&unbounded, &["row"]));
    let limit = bytes(&unbounded) + 1_000;
    let all = names(&array.schema()).into_iter().map(str::to_owned).collect::<Vec<_>>();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    (0..2).for_each(|_| read(&unbounded, &all));
    assert!(bytes(&unbounded) > limit);
    let bounded = FragmentCache::new(limit);
    for columns in [&["row"][..], &["row"], &all, &all] {
        read(&bounded, columns);
    }
    assert!(bytes(&bounded) <= limit, "{bounded:?}, expected at most {limit}");
}

/// Else a query for rare rows can neither be cancelled nor pruned further before it has read its whole partition.
#[test]
fn a_read_that_finds_nothing_returns_after_each_step() {
    let (_folder, array) = fragments(1, 6_400, 1);
    let array = open(&array, array.layout(), &FragmentCache::default());
    let value = Literal::Float(0.5);
    let condition = Predicate::Compare { column: "f0".to_owned(), op: Op::Eq, value };
    let mut reader = array.read(&ReadRequest { condition: Some(condition), ..request(&["row"]) }).unwrap();
    let steps = std::iter::from_fn(|| reader.next_step()).map(|step| assert!(step.unwrap().is_none())).count();
    assert!(steps >= 6_400 / 128, "{steps} steps");
}

#[test]
fn rows_read_before_an_error_do_not_follow_it() {
    let (_folder, array) = fragments(2, 5, 0);
    let array = open(&array, array.layout(), &FragmentCache::default());
    let last = &array.live_fragments()[1].name;
    let folder = PathBuf::from(array.uri()).join("__fragments").join(last);
    let mut results = array.read(&request(&["row"])).unwrap();
    for file in std::fs::read_dir(folder).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    assert!(matches!(results.next(), Some(Err(Error::File { .. }))));
    assert!(results.next().is_none());
}

/// Whatever byte of whatever file is wrong, a read ends, with rows or an error, and neither panics nor reserves memory without bound.
#[test]
fn damaged_files_end_reads_without_a_panic() {
    let nullable: ArrayRef = Arc::new(Int64Array::from_iter((0..300).map(|at| (at % 3 > 0).then_some(at))));
    let texts: ArrayRef =
        Arc::new(arrow::array::LargeStringArray::from_iter((0..300).map(|at| (at % 5 > 0).then(|| format!("t{at}")))));
    let fields = vec![Field::new("number", DataType::Int64, true), Field::new("text", DataType::LargeUtf8, true)];
    let (_folder, array) = stored(&schema(fields.clone()), &[batch(&schema(fields), 0, 300, vec![nullable, texts])]);
    let root = PathBuf::from(array.uri());
    let mut files = Vec::new();
    for folder in [root.join("__schema"), root.join("__fragments").join(&live(&array)[0].name)] {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        files.extend(entries.filter(|path| path.is_file()));
    }
    assert!(files.len() > 8, "{files:?}");
    let shared = open(&array, array.layout(), &FragmentCache::default());
    let condition = Predicate::Compare { column: "number".to_owned(), op: Op::Gt, value: Literal::Int(7) };
    let range =
        crate::DimensionRange { dimension: "lat".into(), low: Literal::Float(-40.0), high: Literal::Float(40.0) };
    let requests = [
        request(&["row", "lat", "time", "number", "text"]),
        ReadRequest { condition: Some(condition), ranges: vec![range], ..request(&["text"]) },
    ];
    let (mut seed, mut errors) = (1_u64, 0);
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    for _ in 0..ROUNDS {
        let file = &files[next(files.len())];
        let intact = std::fs::read(file).unwrap();
        let mut damaged = intact.clone();
        let at = next(damaged.len());
        match next(4) {
            0 => damaged.truncate(at),
            1 => damaged[at] = 0xff,
            _ => damaged[at] ^= 1 << next(8),
        }
        std::fs::write(file, &damaged).unwrap();
        let storage = Arc::new(LocalFiles::new(array.uri()));
        let cache = FragmentCache::default();
        let live = shared.live_fragments().to_vec();
        let opened = Array::open_fragments(array.uri(), array.layout(), array.schema(), live, storage, &cache).unwrap();
        for request in &requests {
            let result: Result<Vec<_>, _> = opened.read(request).and_then(Iterator::collect);
            errors += usize::from(result.is_err());
        }
        std::fs::write(file, &intact).unwrap();
    }
    assert!(errors > ROUNDS / 4, "{errors}");
}
