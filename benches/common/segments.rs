//! Synthetic segments, and arrays of them in memory.

use std::collections::HashMap;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, Float64Array, RecordBatch, TimestampNanosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use tempfile::TempDir;
use tiledb::{Array, ArrayLayout, CellOrder, Context, Dimension, Domain, NULL_IS_NAN, NULL_KEY};

/// Floats of a segment: about as many as the product has.
pub(crate) const FLOATS: usize = 90;
/// Cells of a tile, as in the array of a database.
const CAPACITY: u64 = 4_096;
/// Segments of a track, along which the latitude changes slowly.
const TRACK: usize = 5_000;
/// Days between two tracks, and nanoseconds of a day and between two segments.
const REPEAT: i64 = 91;
const DAY: i64 = 86_400_000_000_000;
const STEP: i64 = 14_000_000;

/// A folder in memory, if the system has one.
pub(crate) fn folder() -> Result<TempDir, Box<dyn Error>> {
    let memory = Path::new("/dev/shm");
    Ok(if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }?)
}

/// Creates an empty array in `folder`, and returns its URI.
pub(crate) fn create(folder: &Path, name: &str, schema: &SchemaRef) -> Result<String, Box<dyn Error>> {
    let uri = folder.join(name).display().to_string();
    let degrees = |name: &str, limit: f32| Dimension {
        name: name.to_owned(),
        domain: Domain::Float32 { low: -limit, high: limit, extent: None },
    };
    let time = Domain::TimestampNs { low: -100_000 * DAY, high: 100_000 * DAY, extent: None };
    let layout = ArrayLayout {
        dimensions: vec![
            degrees("latitude", 90.0),
            degrees("longitude", 180.0),
            Dimension { name: "time".to_owned(), domain: time },
        ],
        cell_order: CellOrder::Hilbert,
        capacity: CAPACITY,
        allows_duplicates: true,
    };
    Array::create(&Context::new([])?, &uri, &layout, schema)?;
    Ok(uri)
}

/// The rows `first..first + count` of synthetic segments: along tracks, or scattered over the globe.
pub(crate) fn segments(first: usize, count: usize, is_scattered: bool) -> Result<RecordBatch, Box<dyn Error>> {
    let mut dice = Dice(3 + first as u64);
    let (mut latitudes, mut longitudes, mut times) = (Vec::new(), Vec::new(), Vec::new());
    for row in first..first + count {
        let (track, along) = (row / TRACK, row % TRACK);
        let (latitude, longitude) = if is_scattered {
            (dice.next() % 178_000, dice.next() % 358_000)
        } else {
            (30_000 + along as u64, (track as u64 * 5_011 + along as u64 / 8) % 358_000)
        };
        latitudes.push(single(latitude as f64 / 1e3 - 89.0));
        longitudes.push(single(longitude as f64 / 1e3 - 179.0));
        times.push((17_900 + i64::try_from(track)? % 20 * REPEAT) * DAY + i64::try_from(along)? * STEP);
    }
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(Float64Array::from(latitudes)),
        Arc::new(Float64Array::from(longitudes)),
        Arc::new(TimestampNanosecondArray::from(times).with_timezone("UTC")),
    ];
    columns.extend((0..FLOATS).map(|_| Arc::new(floats(&mut dice, count)) as ArrayRef));
    Ok(RecordBatch::try_new(schema(), columns)?)
}

/// Floats with noise, in which NULLs come in runs of three.
fn floats(dice: &mut Dice, count: usize) -> Float32Array {
    let mut left = 0;
    let values = (0..count).map(|row| {
        if left == 0 {
            left = 1 + dice.next() % 20;
        }
        left -= 1;
        let noise = (dice.next() % 1_000) as f32;
        (left > 3).then(|| noise * 0.01 + (row as f32 * 0.001).sin())
    });
    values.collect()
}

fn schema() -> SchemaRef {
    let utc = DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
    let null = HashMap::from([(NULL_KEY.to_owned(), NULL_IS_NAN.to_owned())]);
    let mut fields = vec![
        Field::new("latitude", DataType::Float64, false),
        Field::new("longitude", DataType::Float64, false),
        Field::new("time", utc, false),
    ];
    fields.extend((0..FLOATS).map(|at| Field::new(name(at), DataType::Float32, true).with_metadata(null.clone())));
    Arc::new(Schema::new(fields))
}

/// The name of a float.
pub(crate) fn name(at: usize) -> String {
    format!("v{at}")
}

/// The nearest number of single precision.
#[expect(clippy::cast_possible_truncation, reason = "rounds, as intended")]
fn single(value: f64) -> f64 {
    f64::from(value as f32)
}

/// Random numbers: xorshift.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 16
    }
}
