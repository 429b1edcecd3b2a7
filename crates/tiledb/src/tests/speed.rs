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
    let mut written = batch(&schema, 0, count, columns.collect());
    // Along tracks, latitude changes slowly.
    let mut all = written.columns().to_vec();
    all[1] = Arc::new((0..count).map(|row| Some((row as f64 * 1e-3).sin() * 80.0)).collect::<Float64Array>());
    written = RecordBatch::try_new(written.schema(), all).unwrap();
    let layout = ArrayLayout { capacity: 10_000, ..layout() };
    for round in 0..5 {
        for native in [false, true] {
            let (_folder, uri) = new_uri();
            Array::create(ctx(), &uri, &layout, &schema).unwrap();
            let start = std::time::Instant::now();
            let cpu = cpu_ms();
            if native {
                write_tiles(Path::new(&uri), 10, vec![written.clone()]).unwrap();
            } else {
                write_by_library(ctx(), &uri, 10, vec![written.clone()]).unwrap();
            }
            let (wall, cpu) = (start.elapsed(), cpu_ms() - cpu);
            let bytes = Array::open(ctx(), &uri).unwrap().fragments().unwrap()[0].bytes;
            println!("round {round}, native {native}: {wall:?}, {cpu} ms of CPU, {bytes} bytes");
        }
    }
}

/// Milliseconds of CPU that this process has used, in steps of 10.
fn cpu_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * 10
}
