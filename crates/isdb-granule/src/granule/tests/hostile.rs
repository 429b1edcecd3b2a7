//! Files made to harm a reader that follows their structure: each is an error that names the file. An endless walk or a stack overflow
//! would end the test itself.

use isdb_testing::{HostileFile, ROWS, hostile_files};

use super::*;
use crate::testing::{Bytes, all, with_causes};

fn read(name: &str, bytes: Vec<u8>) -> Result<Decoded> {
    Granule::open(Bytes::new(name, bytes))?.decode(&all(), 2)
}

#[test]
fn the_intact_granule_behind_the_hostile_files_is_read() {
    let decoded = read("sound.h5", isdb_testing::granule()).unwrap();
    assert_eq!((decoded.rows_read, decoded.rows_rejected), (ROWS, 0));
}

#[test]
fn every_hostile_file_is_an_error_with_its_name_and_a_reason() {
    for HostileFile { name, bytes, error } in hostile_files() {
        let found = with_causes(&read(name, bytes).err().unwrap_or_else(|| panic!("{name} was read")));
        assert!(found.contains(name) && found.contains(error), "expected {error:?}, found {found:?}");
        assert!(!found.contains(char::is_control), "{found:?}");
    }
}

#[test]
fn repeated_decoding_stays_within_the_budget() {
    let granule = Granule::open(Bytes::new("sound.h5", isdb_testing::granule())).unwrap();
    let (decode, mut before) = (|| granule.decode(&all(), 1).unwrap(), 0);
    for _ in 0..20 {
        assert_eq!(decode().rows_read, ROWS);
        let spent = granule.budget.reads();
        assert!(before == 0 || spent == before, "{spent} reads after {before}");
        before = spent;
    }
}

#[test]
fn packed_numbers_are_refused() {
    for (name, value) in [("scale_factor", 0.01), ("add_offset", 100.0)] {
        let bytes = crate::testing::small_granule(&[], |land| {
            let asr = land.create_dataset("asr").with_f32_data(&[1.0, 2.0, 3.0]).with_shape(&[3]);
            asr.set_attr(name, hdf5::AttrValue::F64(value));
        });
        let error = with_causes(&crate::testing::decode(bytes, &["asr"]).unwrap_err());
        assert!(error.contains("gt1l/land_segments/asr") && error.contains(name), "{error}");
    }
}
