//! Speed of writing a fragment: Arrow → files in memory, which are synced as those of an ingest.
//!
//! ```text
//! cargo bench --bench fragment [-- ROUNDS]
//! ```

#[path = "../common/cost.rs"]
mod cost;
#[path = "../common/segments.rs"]
mod segments;

use std::error::Error;
use std::path::Path;

use cost::{Cost, rounds};
use segments::{FLOATS, create, folder, segments};
use tiledb::write_tiles;

const ROWS: usize = 100_000;

fn main() -> Result<(), Box<dyn Error>> {
    let (folder, rounds) = (folder()?, rounds(10)?);
    println!("a fragment of {ROWS} segments with {FLOATS} floats, mean of {rounds} rounds");
    for (what, is_scattered) in [("along tracks", false), ("scattered", true)] {
        let batch = segments(0, ROWS, is_scattered)?;
        let uri = create(folder.path(), what, &batch.schema())?;
        let bytes: usize = batch.columns().iter().map(|column| column.get_buffer_memory_size()).sum();
        let mut timestamp = 10;
        let cost = Cost::measure(rounds, || {
            timestamp += 1;
            let written = write_tiles(Path::new(&uri), timestamp, vec![batch.clone()])?;
            // The memory of the folder is limited.
            std::fs::remove_dir_all(Path::new(&uri).join("__fragments").join(written.name))?;
            Ok(())
        })?;
        cost.print(what, ROWS, bytes as u64);
    }
    Ok(())
}
