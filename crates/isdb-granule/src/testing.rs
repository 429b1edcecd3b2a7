//! Sources, real files and built files for the tests of this crate.

use std::io;

use arrow::array::ArrayRef;
use arrow::util::display::array_value_to_string;
use hdf5::{AttrValue, FileBuilder, GroupBuilder};
use isdb_schema::catalogue::{Variable, variable, variables};
pub(crate) use isdb_testing::real;

use crate::error::{Error, Result};
use crate::granule::{Decoded, Granule};
use crate::source::{ByteSource, FileSource};

/// A granule in memory.
pub(crate) struct Bytes {
    name: String,
    bytes: Vec<u8>,
}

impl Bytes {
    pub(crate) fn new(name: &str, bytes: Vec<u8>) -> Self {
        Self { name: name.to_owned(), bytes }
    }
}

impl ByteSource for Bytes {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).unwrap();
        let bytes = start.checked_add(buffer.len()).and_then(|end| self.bytes.get(start..end));
        buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// The names of the real granules, of releases 004 to 007.
pub(crate) const R004: &str = "processed_ATL08_20200821122613_08730802_004_01.h5";
pub(crate) const R005: &str = "ICESat2VegR_atl08_clip_r005_d32a3678.h5";
pub(crate) const R006: &str = "ICESat2VegR_atl08_clip_r006.h5";
pub(crate) const R007: &str = "nsidc_test_atl08_r007_6beams_217d0236.h5";

/// Opens the real granule called `name`.
pub(crate) fn open_real(name: &str) -> Option<Granule> {
    Some(Granule::open(FileSource::open(real(name)?).unwrap()).unwrap())
}

/// Every variable of the catalogue.
pub(crate) fn all() -> Vec<&'static Variable> {
    variables().iter().collect()
}

/// The variables with these names.
pub(crate) fn named(names: &[&str]) -> Vec<&'static Variable> {
    names.iter().map(|name| variable(name).unwrap()).collect()
}

/// Decodes the variables with these names of a granule in memory.
pub(crate) fn decode(bytes: Vec<u8>, names: &[&str]) -> Result<Decoded> {
    Granule::open(Bytes::new("made.h5", bytes))?.decode(&named(names), 2)
}

/// The error and its causes in one line.
pub(crate) fn with_causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

/// The bytes of an HDF5 file with the content that `fill` adds.
pub(crate) fn build_file(fill: impl FnOnce(&mut FileBuilder)) -> Vec<u8> {
    let mut file = FileBuilder::new();
    fill(&mut file);
    file.finish().unwrap()
}

/// Adds the group `name`.
pub(crate) fn add_group(file: &mut FileBuilder, name: &str, fill: impl FnOnce(&mut GroupBuilder)) {
    let mut group = file.create_group(name);
    fill(&mut group);
    let group = group.finish();
    file.add_group(group);
}

/// Adds the beam `name` with these attributes, three valid rows of the required variables and of `segment_id_beg` except for the
/// datasets in `without`, and the datasets that `more` adds to its `land_segments`.
pub(crate) fn add_beam(
    file: &mut FileBuilder,
    name: &str,
    attributes: &[(&str, &str)],
    without: &[&str],
    more: impl FnOnce(&mut GroupBuilder),
) {
    add_group(file, name, |beam| {
        for (attribute, value) in attributes {
            beam.set_attr(attribute, AttrValue::AsciiString((*value).to_owned()));
        }
        let mut land = beam.create_group("land_segments");
        if !without.contains(&"latitude") {
            land.create_dataset("latitude").with_f32_data(&[10.0, 10.001, 10.002]).with_shape(&[3]);
        }
        if !without.contains(&"longitude") {
            land.create_dataset("longitude").with_f32_data(&[-60.0, -0.0, -60.002]).with_shape(&[3]);
        }
        if !without.contains(&"delta_time") {
            land.create_dataset("delta_time").with_f64_data(&[1e8, 1e8 + 0.25, 1e8 + 0.5]).with_shape(&[3]);
        }
        if !without.contains(&"segment_id_beg") {
            land.create_dataset("segment_id_beg").with_i32_data(&[5, 10, 15]).with_shape(&[3]);
        }
        more(&mut land);
        let land = land.finish();
        beam.add_group(land);
    });
}

/// The bytes of a file that has only the beam `gt1l`, added by [`add_beam`].
pub(crate) fn small_granule(without: &[&str], more: impl FnOnce(&mut GroupBuilder)) -> Vec<u8> {
    build_file(|file| add_beam(file, "gt1l", &[], without, more))
}

/// Adds `orbit_info` with orientations that began at these times.
pub(crate) fn add_orientations(file: &mut FileBuilder, orientations: &[i8], times: &[f64]) {
    add_group(file, "orbit_info", |orbit| {
        orbit.create_dataset("sc_orient").with_i8_data(orientations).with_shape(&[orientations.len() as u64]);
        orbit.create_dataset("sc_orient_time").with_f64_data(times).with_shape(&[times.len() as u64]);
    });
}

/// The text in a row of a text or dictionary column.
pub(crate) fn text_of(column: &ArrayRef, row: usize) -> String {
    array_value_to_string(column, row).unwrap()
}
