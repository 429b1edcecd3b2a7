//! How long writes take.

use std::path::Path;

use arrow::array::Float32Array;

use super::round_trip::Dice;
use super::*;
use crate::write::write_by_library;
use crate::write_tiles;

/// Not a test: prints how long both engines take to write 100,000 rows of 90 columns. Run it with optimisation, and `--nocapture`.
#[test]
#[ignore = "a measurement"]
fn speed() {
    let fields = (0..90).map(|at| Field::new(format!("v{at}"), DataType::Float32, true)).collect();
    let schema = schema(fields);
    let count = 100_000;
    let mut dice = Dice(3);
    let columns = (0..90).map(|_| {
        let mut left = 0;
        let values = (0..count).map(|row| {
            // NULLs come in runs of about ten.
            if left == 0 {
                left = 1 + dice.roll() % 20;
            }
            left -= 1;
            let noise = u16::try_from(dice.roll() % 1_000).unwrap();
            (left > 3).then(|| f32::from(noise) * 0.01 + (row as f32 * 0.001).sin())
        });
        Arc::new(values.collect::<Float32Array>()) as ArrayRef
    });
    let columns: Vec<ArrayRef> = columns.collect();
    // Tracks of some thousand rows, along which the latitude changes slowly; or no order at all.
    let mut tracks = batch(&schema, 0, count, columns.clone()).columns().to_vec();
    let row_of_track = |row: usize| (row % 5_000, row / 5_000);
    let latitudes =
        (0..count).map(row_of_track).map(|(row, track)| Some(row as f64 * 0.001 - 60.0 + track as f64 * 1e-5));
    tracks[1] = Arc::new(latitudes.collect::<Float64Array>());
    let times = (0..count)
        .map(row_of_track)
        .map(|(row, track)| i64::try_from(track).unwrap() * 91 * DAY_NS + i64::try_from(row).unwrap() * 14_000_000);
    tracks[2] = Arc::new(TimestampNanosecondArray::from_iter_values(times).with_timezone("UTC"));
    let tracks = RecordBatch::try_new(Arc::new(schema.clone()), tracks).unwrap();
    let scattered = batch(&schema, 0, count, columns);
    let layout = ArrayLayout { capacity: 10_000, ..layout() };
    for (name, written) in [("tracks", tracks), ("scattered rows", scattered)] {
        for (round, native) in (0..5).flat_map(|round| [(round, false), (round, true)]) {
            let (_folder, uri) = new_uri();
            Array::create(ctx(), &uri, &layout, &schema).unwrap();
            let (start, cpu) = (std::time::Instant::now(), cpu_ms());
            if native {
                write_tiles(Path::new(&uri), 10, vec![written.clone()]).unwrap();
            } else {
                write_by_library(ctx(), &uri, 10, vec![written.clone()]).unwrap();
            }
            let (wall, cpu) = (start.elapsed().as_millis(), cpu_ms() - cpu);
            let bytes = Array::open(ctx(), &uri).unwrap().fragments().unwrap()[0].bytes;
            println!("{name}, round {round}, native {native}: {wall} ms, {cpu} ms of CPU, {bytes} bytes");
        }
    }
}

/// Milliseconds of CPU that this process has used, in steps of 10.
fn cpu_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * 10
}
