//! Sources and real files for the tests of this crate.

use std::io;
use std::path::PathBuf;

use crate::source::ByteSource;

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

/// The real granule called `name`, or `None` (said aloud) where the real files are not at hand.
pub(crate) fn real(name: &str) -> Option<PathBuf> {
    let default = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    let folder = std::env::var_os("ISDB_TEST_DATA").map_or_else(default, PathBuf::from);
    let path = folder.join(name);
    if path.is_file() {
        return Some(path);
    }
    println!("skipped: no real granules at {}", folder.display());
    None
}

/// The bytes of a file with one beam, `gt1l`, whose `land_segments` hold three good rows of the required variables and
/// what `more` adds; datasets named in `without` are left out.
pub(crate) fn small_granule(without: &[&str], more: impl FnOnce(&mut hdf5::GroupBuilder)) -> Vec<u8> {
    let mut file = hdf5::FileBuilder::new();
    let mut beam = file.create_group("gt1l");
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
    let beam = beam.finish();
    file.add_group(beam);
    file.finish().unwrap()
}
