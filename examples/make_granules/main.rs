//! Writes synthetic ATL08 granules with the product's layout, for trying isdb without an Earthdata login. Terrain and
//! forest are functions of the position, so that neighbouring tracks agree; the same seed gives the same files.
//!
//! ```text
//! cargo run --example make_granules -- OUT [--count 6] [--repeat 1] [--every 37] [--segments 2000] [--release 007]
//!     [--seed 1] [--revision 1] [--region 10] [--subset 100] [--extract]
//! ```
//!
//! `--repeat N` flies each track N times, 91 days apart, before it goes to the next; `--count` counts the granules. From one
//! track to the next are about `--every` days; few bring many granules into one calendar quarter.
//! `--region` puts every granule into this region; one made with another region but else the same overlaps it wholly. `--subset N`
//! leaves out the first N segments of each beam, as a subsetter does, and names the file like one.
//! `--extract` leaves out whatever tells which granule a file is, but for the track of its rows, as some clip tools do.

mod noise;
mod segment;
mod track;
mod write;

use std::error::Error;
use std::path::PathBuf;

const USAGE: &str = "usage: make_granules OUT [--count N] [--repeat N] [--every DAYS] [--segments N] [--release 007] [--seed S] \
     [--revision N] [--region N] [--subset N] [--extract]";

/// What is asked for on the command line.
struct Options {
    out: PathBuf,
    count: u64,
    repeat: u64,
    every: f64,
    segments: usize,
    release: u16,
    seed: u64,
    revision: u8,
    region: Option<u8>,
    subset: Option<usize>,
    extract: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = options(std::env::args().skip(1))?;
    std::fs::create_dir_all(&options.out)?;
    for index in 0..options.count {
        let flight =
            track::Flight { index: index / options.repeat, pass: index % options.repeat, every: options.every };
        let mut track = track::Track::new(options.seed, flight, options.release);
        track.name.revision = options.revision;
        track.name.region = options.region.unwrap_or(track.name.region);
        track.name.processed = options.subset.is_some();
        let name = if options.extract { format!("extract_{index}.h5") } else { track.name.to_string() };
        let path = options.out.join(name);
        let segments = options.subset.unwrap_or(0)..options.segments;
        write::granule(&path, &track, segments, options.extract)?;
        println!("{}", path.display());
    }
    Ok(())
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Options, Box<dyn Error>> {
    let (mut out, mut count, mut repeat, mut segments, mut release, mut seed) = (None, 6, 1, 2000, 7, 1);
    let (mut every, mut revision, mut region, mut subset, mut extract) = (37.0, 1, None, None, false);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--count" => count = value()?.parse()?,
            "--repeat" => repeat = value()?.parse()?,
            "--every" => every = value()?.parse()?,
            "--segments" => segments = value()?.parse()?,
            "--release" => release = value()?.parse()?,
            "--seed" => seed = value()?.parse()?,
            "--revision" => revision = value()?.parse()?,
            "--region" => region = Some(value()?.parse()?),
            "--subset" => subset = Some(value()?.parse()?),
            "--extract" => extract = true,
            option if option.starts_with('-') => return Err(format!("unknown option {option}").into()),
            folder => out = Some(PathBuf::from(folder)),
        }
    }
    if !(4..=7).contains(&release) || segments == 0 || repeat == 0 {
        return Err("--release is 004 to 007, --segments and --repeat at least 1".into());
    }
    let out = out.ok_or(USAGE)?;
    Ok(Options { out, count, repeat, every, segments, release, seed, revision, region, subset, extract })
}
