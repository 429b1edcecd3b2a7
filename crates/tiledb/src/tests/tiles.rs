//! Reads by tile, where they differ from those of libtiledb.

use super::*;
use crate::{LiveFragment, write_fragment};

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
    let array = Array::open(ctx(), &uri).unwrap();
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
