//! Granules written value by value, for cases that the generator does not have.

use hdf5::{AttrValue, FileBuilder, FinishedGroup, GroupBuilder};

use crate::support::TestFolder;

/// Seconds from 2018-01-01 to 2019-01-20, the ATLAS epoch to the day of these granules.
const DAY: f64 = 384.0 * 86_400.0;
/// The name of a granule of that day.
pub(crate) const NAME: &str = "ATL08_20190120000000_00770210_007_01.h5";

/// Writes a granule of one beam, `gt1l`, with a segment at each latitude; `more` adds to its `land_segments`.
pub(crate) fn granule(place: &TestFolder, path: &str, latitudes: &[f32], more: impl FnOnce(&mut GroupBuilder)) {
    let rows = latitudes.len() as u64;
    let each = |value: fn(f64) -> f64| (0..latitudes.len()).map(|row| value(row as f64)).collect::<Vec<f64>>();
    let mut file = FileBuilder::new();
    file.set_attr("short_name", AttrValue::AsciiString("ATL08".to_owned()));
    let mut beam = file.create_group("gt1l");
    beam.set_attr("atlas_beam_type", AttrValue::AsciiString("strong".to_owned()));
    let mut land = beam.create_group("land_segments");
    land.create_dataset("latitude").with_f32_data(latitudes).with_shape(&[rows]);
    land.create_dataset("longitude").with_f32_data(&vec![-60.0; latitudes.len()]).with_shape(&[rows]);
    land.create_dataset("delta_time").with_f64_data(&each(|row| DAY + row / 70.0)).with_shape(&[rows]);
    #[expect(clippy::cast_possible_truncation, reason = "a few rows")]
    let ids: Vec<i32> = each(|row| 100.0 + 5.0 * row).into_iter().map(|id| id as i32).collect();
    land.create_dataset("segment_id_beg").with_i32_data(&ids).with_shape(&[rows]);
    more(&mut land);
    let land: FinishedGroup = land.finish();
    beam.add_group(land);
    file.add_group(beam.finish());
    file.write(place.path(path)).unwrap();
}

/// Writes an HDF5 file that is not a granule.
pub(crate) fn foreign(place: &TestFolder, path: &str) {
    let mut file = FileBuilder::new();
    let mut group = file.create_group("temperature");
    group.create_dataset("kelvin").with_f64_data(&[271.0, 280.5]).with_shape(&[2]);
    file.add_group(group.finish());
    file.write(place.path(path)).unwrap();
}
