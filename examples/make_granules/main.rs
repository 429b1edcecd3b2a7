//! Writes synthetic ATL08 granules in the product's layout, so that isdb can be tried without an Earthdata login. Terrain and
//! forest are functions of the position, so neighbouring tracks agree; the same seed gives the same files.
//!
//! ```text
//! cargo run --example make_granules -- OUT [--count 6] [--repeat 1] [--every 37] [--segments 2000] [--release 007]
//!     [--seed 1] [--revision 1] [--region 10] [--subset 100] [--extract]
//! ```
//!
//! `--repeat N` flies each track N times, 91 days apart, before the next track; `--count` is the number of granules. Tracks are
//! about `--every` days apart; a small number puts many granules into one calendar quarter. `--region` sets the region of every
//! granule; granules that differ only in their region have the same segments. `--subset N` leaves out the first N segments of each
//! beam and names the file as a subsetter does. `--extract` leaves out the identity of the granule except for the track in its
//! rows, as some clip tools do.

mod noise;
mod segment;
mod track;
mod write;

use std::error::Error;
use std::path::PathBuf;

const USAGE: &str = "usage: make_granules OUT [--count N] [--repeat N] [--every DAYS] [--segments N] [--release 007] [--seed S] \
     [--revision N] [--region N] [--subset N] [--extract]";

/// The command line.
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
    let options = parse_options(std::env::args().skip(1))?;
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
        write::write_granule(&path, &track, segments, options.extract)?;
        println!("{}", path.display());
    }
    Ok(())
}

fn parse_options(mut arguments: impl Iterator<Item = String>) -> Result<Options, Box<dyn Error>> {
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
