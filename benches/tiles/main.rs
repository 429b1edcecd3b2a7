//! Speed of reading tiles on one core: bytes of files in memory → Arrow, by tile and by libtiledb.
//!
//! ```text
//! cargo bench --bench tiles [-- ROUNDS]
//! ```
//!
//! MB/s are of the Arrow values of the columns.

#[path = "../common/cost.rs"]
mod cost;
#[path = "../common/segments.rs"]
mod segments;

use std::error::Error;
use std::path::Path;

use cost::{Cost, rounds};
use segments::{FLOATS, create, folder, name, segments};
use tiledb::{Array, Context, DimensionRange, Literal, Op, Predicate, ReadRequest, write_tiles};

const FRAGMENTS: usize = 4;
const ROWS: usize = 100_000;

// The settings of isdb: one thread, small requests.
const SETTINGS: [(&str, &str); 4] = [
    ("sm.compute_concurrency_level", "1"),
    ("sm.io_concurrency_level", "2"),
    ("vfs.min_batch_size", "65536"),
    ("vfs.min_batch_gap", "65536"),
];

fn main() -> Result<(), Box<dyn Error>> {
    let (folder, rounds) = (folder()?, rounds(20)?);
    let uri = create(folder.path(), "segments", &segments(0, 1, false)?.schema())?;
    for (at, timestamp) in (0..FRAGMENTS).zip(10..) {
        write_tiles(Path::new(&uri), timestamp, vec![segments(at * ROWS, ROWS, false)?])?;
    }
    let arrays = [
        ("by tile", Array::open_by_tile(&uri, None)?),
        ("libtiledb", Array::open_by_library(&Context::new(SETTINGS)?, &uri, None)?),
    ];
    println!("{FRAGMENTS} fragments of {ROWS} segments with {FLOATS} floats, mean of {rounds} rounds");
    for (what, request) in requests() {
        let mut found = Vec::new();
        for (engine, array) in &arrays {
            let (rows, bytes) = read(array, &request)?;
            let cost = Cost::measure(rounds, || read(array, &request).map(|_| ()))?;
            cost.print(&format!("{what}, {engine}"), rows, bytes);
            found.push(rows);
        }
        if found.iter().any(|rows| Some(rows) != found.first()) {
            return Err(format!("{what}: {found:?} rows").into());
        }
    }
    Ok(())
}

fn requests() -> [(&'static str, ReadRequest); 5] {
    let all = |columns: Vec<String>| ReadRequest {
        columns,
        ranges: Vec::new(),
        condition: None,
        tiles: None,
        order: None,
        batch_rows: 8_192,
    };
    let range = |dimension: &str, low, high| DimensionRange {
        dimension: dimension.to_owned(),
        low: Literal::Float(low),
        high: Literal::Float(high),
    };
    let four = || vec!["latitude".to_owned(), "longitude".to_owned(), "time".to_owned(), name(0)];
    let tall = Predicate::Compare { column: name(1), op: Op::Gt, value: Literal::Float(9.5) };
    let square = vec![range("latitude", -57.0, -56.0), range("longitude", -179.0, -169.0)];
    [
        ("one column", all(vec![name(0)])),
        ("four columns", all(four())),
        ("four columns, a twentieth of the rows", ReadRequest { condition: Some(tall), ..all(four()) }),
        ("four columns of a box", ReadRequest { ranges: square, ..all(four()) }),
        ("all floats", all((0..FLOATS).map(name).collect())),
    ]
}

/// Reads all batches, and returns the numbers of their rows and bytes.
fn read(array: &Array, request: &ReadRequest) -> Result<(usize, u64), Box<dyn Error>> {
    let (mut rows, mut bytes) = (0, 0);
    for batch in array.read(request)? {
        let batch = batch?;
        rows += batch.num_rows();
        bytes += batch.columns().iter().map(|column| width(column.as_ref()) * batch.num_rows() as u64).sum::<u64>();
    }
    Ok((rows, bytes))
}

fn width(column: &dyn arrow::array::Array) -> u64 {
    column.data_type().primitive_width().unwrap_or_default() as u64
}
