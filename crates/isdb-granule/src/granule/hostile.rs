//! Files made to harm whoever follows their structure: each ends in an error that names it. A walk that goes on for ever, or a stack
//! that overflows, ends the test itself.

use isdb_testing::{Hostile, ROWS, hostile};

use super::*;
use crate::testing::{Bytes, all, told};

fn read(name: &str, bytes: Vec<u8>) -> Result<Decoded> {
    Granule::open(Bytes::new(name, bytes))?.decode(&all(), 2)
}

#[test]
fn the_granule_that_hostile_files_are_made_of_is_read() {
    let decoded = read("sound.h5", isdb_testing::granule()).unwrap();
    assert_eq!((decoded.rows_read, decoded.rows_rejected), (ROWS, 0));
}

#[test]
fn every_hostile_file_ends_in_an_error_that_names_it_and_says_why() {
    for Hostile { name, bytes, error } in hostile() {
        let found = told(&read(name, bytes).err().unwrap_or_else(|| panic!("{name} was read")));
        assert!(found.contains(name) && found.contains(error), "expected {error:?}, found {found:?}");
        assert!(!found.contains(char::is_control), "{found:?}");
    }
}

#[test]
fn a_granule_can_be_decoded_any_number_of_times() {
    let granule = Granule::open(Bytes::new("sound.h5", isdb_testing::granule())).unwrap();
    let (decode, mut before) = (|| granule.decode(&all(), 1).unwrap(), 0);
    for _ in 0..20 {
        assert_eq!(decode().rows_read, ROWS);
        let spent = granule.spent.reads();
        assert!(before == 0 || spent == before, "{spent} reads after {before}");
        before = spent;
    }
}

#[test]
fn packed_numbers_are_refused_and_not_stored_as_they_are() {
    for (name, value) in [("scale_factor", 0.01), ("add_offset", 100.0)] {
        let bytes = crate::testing::small_granule(&[], |land| {
            let asr = land.create_dataset("asr").with_f32_data(&[1.0, 2.0, 3.0]).with_shape(&[3]);
            asr.set_attr(name, hdf5::AttrValue::F64(value));
        });
        let error = told(&crate::testing::decode(bytes, &["asr"]).unwrap_err());
        assert!(error.contains("gt1l/land_segments/asr") && error.contains(name), "{error}");
    }
}
