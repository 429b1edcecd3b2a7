//! Decoding speed of a granule on one core, compared with a loop that only inflates the same HDF5 chunks.
//!
//! ```text
//! cargo bench --bench decode [-- GRANULE [ROUNDS]]
//! ```
//!
//! Without a granule, makes one of about 36,000 segments as the example `make_granules` does. The file is read into memory first. Both speeds are printed in bytes of inflated HDF5 chunks per second, the best of all rounds.

#[path = "../../examples/make_granules/noise.rs"]
mod noise;
#[path = "../../examples/make_granules/segment.rs"]
mod segment;
#[path = "../../examples/make_granules/track.rs"]
mod track;
#[path = "../../examples/make_granules/write.rs"]
mod write;

use std::error::Error;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use isdb_granule::{ByteSource, Granule};
use isdb_schema::catalogue::{Variable, variables};
use libdeflater::Decompressor;

const BEAMS: [&str; 6] = ["gt1l", "gt1r", "gt2l", "gt2r", "gt3l", "gt3r"];
/// Release of the granule that is made, and segments of each of its beams.
const RELEASE: u16 = 7;
const SEGMENTS: usize = 6_000;
/// HDF5 filter id of deflate.
const DEFLATE: u16 = 1;

/// A file in memory.
struct Memory(String, Arc<Vec<u8>>);

impl ByteSource for Memory {
    fn name(&self) -> &str {
        &self.0
    }

    fn len(&self) -> u64 {
        self.1.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let bytes = start.checked_add(buffer.len()).and_then(|end| self.1.get(start..end));
        buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// The stored bytes of an HDF5 chunk, how often they were deflated, and their inflated size.
struct Chunk {
    start: usize,
    end: usize,
    deflates: usize,
    inflated: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds `--bench`.
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let folder = tempfile::tempdir()?;
    let path = match arguments.next() {
        Some(path) => path,
        None => make_granule(folder.path())?,
    };
    let rounds: usize = arguments.next().map_or(Ok(9), |rounds| rounds.parse())?;
    let bytes = Arc::new(std::fs::read(&path)?);
    let chunks = chunks(&bytes)?;
    let inflated: usize = chunks.iter().map(|chunk| chunk.inflated).sum();
    let wanted: Vec<&Variable> = variables().iter().collect();

    let mut inflate = Vec::new();
    let mut open = Vec::new();
    let mut decode = Vec::new();
    let mut rows = 0;
    // In turn, so that both see the same machine.
    for _ in 0..rounds.max(1) {
        let start = Instant::now();
        inflate_all(&bytes, &chunks)?;
        inflate.push(start.elapsed());

        let start = Instant::now();
        let granule = Granule::open(Memory(path.clone(), Arc::clone(&bytes)))?;
        open.push(start.elapsed());
        rows = granule.decode(&wanted, 1)?.rows_read;
        decode.push(start.elapsed());
    }
    let megabytes = inflated as f64 / 1e6;
    let best = |times: &[Duration]| times.iter().min().copied().unwrap_or_default().as_secs_f64();
    println!("{rows} rows, {} chunks, {megabytes:.1} MB inflated", chunks.len());
    println!("inflate only    {:7.1} MB/s  {:7.1} ms", megabytes / best(&inflate), best(&inflate) * 1e3);
    println!("open and decode {:7.1} MB/s  {:7.1} ms", megabytes / best(&decode), best(&decode) * 1e3);
    println!("of which open              {:7.1} ms", best(&open) * 1e3);
    println!("ratio           {:7.1} %", 100.0 * best(&inflate) / best(&decode));
    Ok(())
}

/// Writes a granule, and returns its path.
fn make_granule(folder: &Path) -> Result<String, Box<dyn Error>> {
    let flight = track::Flight { index: 0, pass: 0, every: 37.0 };
    let track = track::Track::new(1, flight, RELEASE);
    let path = folder.join(track.name.to_string());
    write::write_granule(&path, &track, 0..SEGMENTS, false)?;
    Ok(path.display().to_string())
}

/// The chunks of every catalogue variable of every beam.
fn chunks(bytes: &[u8]) -> Result<Vec<Chunk>, Box<dyn Error>> {
    let file = hdf5::File::from_bytes(bytes.to_vec())?;
    let mut chunks = Vec::new();
    for path in
        BEAMS.iter().flat_map(|beam| variables().iter().map(move |v| format!("{beam}/land_segments/{}", v.path)))
    {
        let Ok(dataset) = file.dataset(&path) else { continue };
        let Some(shape) = dataset.chunk_shape()? else { continue };
        let numbers: u64 = shape.iter().product();
        let inflated = usize::try_from(numbers * dataset.element_size()?)?;
        let deflates = dataset.filters().iter().filter(|filter| **filter == DEFLATE).count();
        for chunk in dataset.chunks()? {
            let start = usize::try_from(chunk.address)?;
            let end = start + usize::try_from(chunk.storage_size)?;
            chunks.push(Chunk { start, end, deflates, inflated });
        }
    }
    Ok(chunks)
}

/// Inflates every chunk into the same two buffers.
fn inflate_all(bytes: &[u8], chunks: &[Chunk]) -> Result<(), Box<dyn Error>> {
    let mut inflater = Decompressor::new();
    let largest = chunks.iter().map(|chunk| chunk.inflated).max().unwrap_or(0);
    // A chunk deflated twice is slightly longer than itself in between.
    let (mut target, mut between) = (vec![0; largest], vec![0; largest + largest / 1000 + 64]);
    for chunk in chunks {
        let mut stored = bytes.get(chunk.start..chunk.end).ok_or("a chunk lies beyond the end of the file")?;
        if chunk.deflates > 1 {
            let len = inflater.zlib_decompress(stored, &mut between)?;
            stored = between.get(..len).unwrap_or_default();
        }
        if chunk.deflates > 0 {
            inflater.zlib_decompress(stored, &mut target)?;
        }
    }
    std::hint::black_box(&target);
    Ok(())
}
