//! Writes one granule in the product's layout: datasets in HDF5 chunks of 10,000 rows, floats deflated, integers shuffled and
//! deflated, with the attributes that readers use.

use std::error::Error;
use std::ops::Range;
use std::path::Path;

use hdf5::{AttrValue, DatasetBuilder, FileBuilder, FinishedGroup, GroupBuilder, MaxExtent};
use isdb_schema::catalogue::{Dtype, Fill, Variable, variables};

use crate::segment::Segment;
use crate::track::Track;

const BEAMS: [(u8, &str); 6] = [(0, "gt1l"), (1, "gt1r"), (2, "gt2l"), (3, "gt2r"), (4, "gt3l"), (5, "gt3r")];
/// Rows of an HDF5 chunk in every release.
const CHUNK_ROWS: u64 = 10_000;
const DEFLATE_LEVEL: u32 = 6;
/// GPS seconds of 2018-01-01, from which `delta_time` counts.
const ATLAS_EPOCH_GPS: f64 = 1_198_800_018.0;

/// Writes the granule of `track` with a row for most of the `segments` in each beam; an extract lacks the granule's identity.
pub(crate) fn write_granule(
    path: &Path,
    track: &Track,
    segments: Range<usize>,
    extract: bool,
) -> Result<(), Box<dyn Error>> {
    let mut file = FileBuilder::new();
    file.set_attr("Conventions", ascii("CF-1.6"));
    file.set_attr("short_name", ascii("ATL08"));
    file.set_attr("level", ascii("L3A"));
    file.set_attr("description", ascii("synthetic granule in the layout of ATL08; no measurements"));
    if !extract {
        add_identity(&mut file, track)?;
    }
    for (beam, beam_name) in BEAMS {
        let mut group = file.create_group(beam_name);
        group.set_attr("groundtrack_id", ascii(beam_name));
        group.set_attr("atlas_beam_type", ascii(if track.is_strong(beam) { "strong" } else { "weak" }));
        group.set_attr("sc_orientation", ascii(if track.sc_orient == 0 { "Backward" } else { "Forward" }));
        let land = fill_land_segments(group.create_group("land_segments"), track, beam, segments.clone());
        group.add_group(land);
        file.add_group(group.finish());
    }
    Ok(file.write(path)?)
}

/// Adds the groups that identify the granule, its release and its orbit.
fn add_identity(file: &mut FileBuilder, track: &Track) -> Result<(), Box<dyn Error>> {
    let release = format!("{:03}", track.name.release);
    file.set_attr("identifier_product_doi", ascii(&format!("doi:10.5067/ATLAS/ATL08.{release}")));

    let mut ancillary = file.create_group("ancillary_data");
    ancillary.create_dataset("atlas_sdp_gps_epoch").with_f64_data(&[ATLAS_EPOCH_GPS]).with_shape(&[1]);
    ancillary.create_dataset("release").with_ascii_strings_sized(&[&release], 80)?;
    ancillary.create_dataset("version").with_ascii_strings_sized(&[&format!("{:02}", track.name.revision)], 80)?;
    ancillary.create_dataset("start_region").with_i32_data(&[track.name.region.into()]).with_shape(&[1]);
    file.add_group(ancillary.finish());

    let mut orbit = file.create_group("orbit_info");
    orbit.create_dataset("rgt").with_i16_data(&[i16::try_from(track.name.rgt)?]).with_shape(&[1]);
    orbit.create_dataset("cycle_number").with_i8_data(&[i8::try_from(track.name.cycle)?]).with_shape(&[1]);
    orbit.create_dataset("sc_orient").with_i8_data(&[track.sc_orient]).with_shape(&[1]);
    orbit.create_dataset("sc_orient_time").with_f64_data(&[track.start - 86_400.0]).with_shape(&[1]);
    file.add_group(orbit.finish());

    let mut metadata = file.create_group("METADATA");
    let mut identification = metadata.create_group("DatasetIdentification");
    identification.set_attr("fileName", ascii(&track.name.to_string()));
    identification.set_attr("VersionID", ascii(&release));
    metadata.add_group(identification.finish());
    file.add_group(metadata.finish());
    Ok(())
}

/// Adds the variables of the track's release to `land`.
fn fill_land_segments(mut land: GroupBuilder, track: &Track, beam: u8, segments: Range<usize>) -> FinishedGroup {
    let rows = beam_segments(track, beam, segments);
    let release_variables = || variables().iter().filter(|variable| variable.releases.contains(track.name.release));
    for variable in release_variables().filter(|variable| !variable.path.contains('/')) {
        add_dataset(&mut land, variable, &rows);
    }
    for name in ["canopy", "terrain"] {
        let mut group = land.create_group(name);
        for variable in release_variables().filter(|variable| variable.path.split('/').next() == Some(name)) {
            add_dataset(&mut group, variable, &rows);
        }
        land.add_group(group.finish());
    }
    land.finish()
}

/// Returns the segments of a beam; a few are missing where clouds hide the ground.
fn beam_segments(track: &Track, beam: u8, segments: Range<usize>) -> Vec<Segment> {
    let mut photons = 0;
    let mut rows = Vec::with_capacity(segments.len());
    for along in (0..u32::MAX).take(segments.end).skip(segments.start) {
        let segment = Segment::new(track, beam, along, photons);
        if segment.photons() > 0 {
            photons += segment.photons();
            rows.push(segment);
        }
    }
    rows
}

/// Adds the dataset of one variable with its attributes.
fn add_dataset(group: &mut GroupBuilder, variable: &Variable, rows: &[Segment]) {
    let dataset = group.create_dataset(variable.name);
    set_numbers(dataset, variable, rows);
    let (length, width) = (rows.len() as u64, variable.width as u64);
    if variable.width == 1 {
        dataset.with_shape(&[length]).with_maxshape(&[MaxExtent::Unlimited]).with_chunks(&[CHUNK_ROWS]);
    } else {
        dataset.with_shape(&[length, width]).with_maxshape(&[MaxExtent::Unlimited, MaxExtent::Fixed(width)]);
        dataset.with_chunks(&[CHUNK_ROWS, width]);
    }
    if variable.dtype.is_integer() {
        dataset.with_shuffle();
    }
    dataset.with_deflate(DEFLATE_LEVEL);
    dataset.set_attr("units", ascii(variable.product_units));
    dataset.set_attr("long_name", ascii(variable.long_name));
    if !variable.flag_meanings.is_empty() {
        dataset.set_attr("flag_meanings", ascii(variable.flag_meanings));
    }
}

/// Sets the numbers of `variable` in its type, with its fill where a segment has none, and the fill as an attribute.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the values of a variable fit its type, and floats are rounded to it"
)]
fn set_numbers(dataset: &mut DatasetBuilder, variable: &Variable, rows: &[Segment]) {
    let fill = match variable.fill {
        Some(Fill::Int(fill)) => fill as f64,
        Some(Fill::Float(fill)) => f64::from(fill),
        None => 0.0,
    };
    let elements = rows.iter().flat_map(|row| (0..variable.width).map(move |element| row.value(variable, element)));
    let values = elements.map(|value| value.unwrap_or(fill));
    let attribute = match variable.dtype {
        Dtype::Int8 => {
            dataset.with_i8_data(&values.map(|v| v as i8).collect::<Vec<_>>());
            AttrValue::I8(fill as i8)
        }
        Dtype::Int16 => {
            dataset.with_i16_data(&values.map(|v| v as i16).collect::<Vec<_>>());
            AttrValue::I16(fill as i16)
        }
        Dtype::Int32 => {
            dataset.with_i32_data(&values.map(|v| v as i32).collect::<Vec<_>>());
            AttrValue::I32(fill as i32)
        }
        Dtype::Int64 => {
            dataset.with_i64_data(&values.map(|v| v as i64).collect::<Vec<_>>());
            AttrValue::I64(fill as i64)
        }
        Dtype::Float32 => {
            dataset.with_f32_data(&values.map(|v| v as f32).collect::<Vec<_>>());
            AttrValue::F32(fill as f32)
        }
        Dtype::Float64 => {
            dataset.with_f64_data(&values.collect::<Vec<_>>());
            AttrValue::F64(fill)
        }
    };
    if variable.fill.is_some() {
        dataset.set_attr("_FillValue", attribute);
    }
}

fn ascii(text: &str) -> AttrValue {
    AttrValue::AsciiString(text.to_owned())
}
