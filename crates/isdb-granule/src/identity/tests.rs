//! Identities of files that were renamed, cut or stripped.

use hdf5::{AttrValue, FileBuilder};

use super::*;
use crate::granule::Granule;
use crate::testing::{Bytes, R004, R005, R006, add_beam, add_group, build_file, open_real};

const NAME: &str = "ATL08_20200821122613_08730802_004_01.h5";
const ID: &str = "ATL08_20200821122613_08730802_004_01";

fn with_metadata(file: &mut FileBuilder) {
    add_group(file, "METADATA", |metadata| {
        let mut identification = metadata.create_group("DatasetIdentification");
        identification.set_attr("fileName", AttrValue::AsciiString(NAME.to_owned()));
        let identification = identification.finish();
        metadata.add_group(identification);
    });
}

/// `ancillary_data` of the same granule, with this start.
fn with_ancillary_data(file: &mut FileBuilder, granule_start: &str, rgt: i32) {
    add_group(file, "ancillary_data", |ancillary| {
        for (name, value) in [("start_rgt", rgt), ("start_cycle", 8), ("start_region", 2)] {
            ancillary.create_dataset(name).with_i32_data(&[value]).with_shape(&[1]);
        }
        for (name, value, width) in
            [("release", "004  ", 80), ("version", "01", 80), ("granule_start_utc", granule_start, 27)]
        {
            ancillary.create_dataset(name).with_ascii_strings_sized(&[value], width).unwrap();
        }
    });
}

fn with_row_rgt(file: &mut FileBuilder, rgt: i16) {
    add_beam(file, "gt2r", &[], &[], |land| {
        land.create_dataset("rgt").with_i16_data(&[rgt; 3]).with_shape(&[3]);
    });
}

/// The identity of a file called `name`, which has at least one beam, and the notes about it.
fn identify(name: &str, fill: impl FnOnce(&mut FileBuilder)) -> (Identity, Vec<Note>) {
    let bytes = build_file(|file| {
        add_beam(file, "gt1l", &[], &[], |_| ());
        fill(file);
    });
    let granule = Granule::open(Bytes::new(name, bytes)).unwrap();
    let notes = granule.notes().iter().filter(|note| **note != Note::EpochAssumed).cloned().collect();
    (granule.identity().clone(), notes)
}

/// The notes as a user reads them.
fn texts(notes: &[Note]) -> Vec<String> {
    notes.iter().map(Note::to_string).collect()
}

#[test]
fn a_renamed_granule_is_identified_by_its_metadata() {
    let (identity, notes) = identify("/tmp/renamed.h5", with_metadata);
    assert_eq!((identity.id.as_str(), identity.source), (ID, IdentitySource::Metadata));
    assert_eq!((identity.start, identity.rgt, identity.cycle), (Some(1_598_012_773), Some(873), Some(8)));
    assert_eq!((identity.region, identity.release, identity.revision), (Some(2), Some(4), Some(1)));
    assert_eq!(notes, []);
}

#[test]
fn ancillary_data_give_an_id_without_a_name() {
    let (identity, notes) = identify("clip.h5", |file| with_ancillary_data(file, "2020-08-21T12:26:13.000000Z", 873));
    assert_eq!((identity.id.as_str(), identity.source), (ID, IdentitySource::Ancillary));
    assert_eq!((identity.start, notes), (Some(1_598_012_773), vec![]));
}

#[test]
fn a_start_with_a_fraction_is_not_used() {
    let (identity, _) = identify("clip.h5", |file| with_ancillary_data(file, "2020-08-21T12:26:12.920217Z", 873));
    assert!(identity.id.starts_with("clip-"), "{}", identity.id);
    assert_eq!((identity.start, identity.rgt, identity.source), (None, Some(873), IdentitySource::Ancillary));
}

#[test]
fn the_track_comes_from_the_rows_without_another_source() {
    let (identity, _) = identify("clip.h5", |file| with_row_rgt(file, 150));
    assert_eq!((identity.rgt, identity.cycle, identity.source), (Some(150), None, IdentitySource::Rows));
    let (identity, _) = identify("clip.h5", |file| with_row_rgt(file, 32_767));
    assert_eq!((identity.rgt, identity.source), (None, IdentitySource::Content));
}

#[test]
fn the_file_name_gives_the_id_without_metadata() {
    let (identity, notes) = identify(&format!("/data/{NAME}"), |file| with_row_rgt(file, 873));
    assert_eq!((identity.id.as_str(), identity.source, notes), (ID, IdentitySource::FileName, vec![]));
}

#[test]
fn a_file_without_an_identity_is_identified_by_its_content() {
    let one = |name: &str| identify(name, |_| ()).0;
    let (first, again) = (one("/a/clip.h5"), one("https://b/clip.h5"));
    assert_eq!(first.id, again.id);
    let (stem, digits) = first.id.rsplit_once('-').unwrap();
    assert_eq!((stem, digits.len(), first.source), ("clip", 16, IdentitySource::Content));
    assert!(digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    let other = identify("/a/clip.h5", |file| with_row_rgt(file, 150)).0;
    assert_ne!(first.id, other.id);
}

#[test]
fn contradictions_are_notes_and_the_more_trustworthy_source_is_used() {
    let name = "ATL08_20200821122613_08740802_004_01.h5";
    let (identity, notes) = identify(name, |file| {
        with_metadata(file);
        with_ancillary_data(file, "2020-08-21T12:26:14.000000Z", 875);
        with_row_rgt(file, 876);
    });
    assert_eq!((identity.id.as_str(), identity.rgt), (ID, Some(873)));
    let expected = [
        "start is 2020-08-21 12:26:13 UTC by METADATA, which was used, and 2020-08-21 12:26:14 UTC by ancillary_data",
        "rgt is 873 by METADATA, which was used, and 875 by ancillary_data",
        "rgt is 873 by METADATA, which was used, and 876 by the rows",
        "rgt is 873 by METADATA, which was used, and 874 by the file's name",
    ];
    assert_eq!(texts(&notes), expected);
}

#[test]
fn a_file_name_that_contradicts_the_rows_is_not_used() {
    let (identity, notes) = identify(NAME, |file| with_row_rgt(file, 150));
    assert_eq!((identity.rgt, identity.cycle, identity.start), (Some(150), None, None));
    assert!(identity.id.starts_with(&format!("{ID}-")), "{}", identity.id);
    assert_eq!(texts(&notes), ["rgt is 150 by the rows, which was used, and 873 by the file's name"]);
}

#[test]
fn the_quality_assessment_is_read_if_it_exists() {
    let (identity, _) = identify("clip.h5", |_| ());
    assert_eq!(identity.qa_pass_fail, None);
    let (identity, _) = identify("clip.h5", |file| {
        add_group(file, "quality_assessment", |quality| {
            quality.create_dataset("qa_granule_pass_fail").with_i32_data(&[1]).with_shape(&[1]);
        });
    });
    assert_eq!(identity.qa_pass_fail, Some(1));
}

#[test]
fn the_real_granules_are_identified_without_contradictions() {
    let known = |name: &str| {
        let granule = open_real(name)?;
        assert!(granule.notes().iter().all(|note| *note == Note::EpochAssumed), "{:?}", granule.notes());
        let Identity { id, source, subset, qa_pass_fail, .. } = granule.identity().clone();
        assert!(subset, "{name}");
        Some((id, source, qa_pass_fail))
    };
    if let Some(identity) = known(R004) {
        assert_eq!(identity, (ID.to_owned(), IdentitySource::Metadata, Some(0)));
    }
    if let Some(identity) = known(R005) {
        assert_eq!(identity, ("ATL08_20220401221822_01501506_005_01".to_owned(), IdentitySource::Metadata, None));
    }
    if let Some((id, source, _)) = known(R006) {
        assert_eq!(source, IdentitySource::OrbitInfo);
        assert!(id.starts_with("ICESat2VegR_atl08_clip_r006-"), "{id}");
    }
}

#[test]
fn the_id_is_found_in_names_that_a_tool_or_a_browser_changed() {
    for name in [
        "105641018_{}_subsetted.h5",
        "{}_subsetted (1).h5",
        "{} (1).h5",
        "{}_h_canopy_subsetted.h5",
        "{}_HEGOUT.h5",
        "copy of {}.h5",
        "{}.h5.h5",
        "4048675_{}_subsetted.nc4",
    ] {
        let (identity, notes) = identify(&name.replace("{}", ID), |file| with_row_rgt(file, 873));
        assert_eq!((identity.id.as_str(), identity.source, notes), (ID, IdentitySource::FileName, vec![]), "{name}");
        assert_eq!((identity.cycle, identity.region, identity.subset), (Some(8), Some(2), true), "{name}");
    }
}

#[test]
fn a_name_with_two_ids_is_not_used_and_a_note_says_so() {
    let other = "ATL08_20200821122613_08730802_005_01";
    let (identity, notes) = identify(&format!("{ID}_{other}.h5"), |file| with_row_rgt(file, 873));
    assert_eq!((identity.rgt, identity.cycle, identity.source), (Some(873), None, IdentitySource::Rows));
    assert_eq!(texts(&notes), [format!("the file's name was not used: it has two granule ids, {ID} and {other}")]);
}

/// A file of release 002 has the DOI of release 001 (ATL08_20181016124656_02730110_002_01.h5 on NASA's OPeNDAP server).
#[test]
fn the_release_in_the_name_comes_before_the_one_in_the_doi() {
    let with_doi = |file: &mut FileBuilder| {
        file.set_attr("identifier_product_doi", AttrValue::AsciiString("10.5067/ATLAS/ATL08.001".to_owned()));
        with_row_rgt(file, 273);
    };
    let (identity, notes) = identify("ATL08_20181016124656_02730110_002_01.h5", with_doi);
    assert_eq!((identity.id.as_str(), identity.release), ("ATL08_20181016124656_02730110_002_01", Some(2)));
    assert_eq!(texts(&notes), ["release is 2 by the file's name, which was used, and 1 by the product's DOI"]);
    let (identity, notes) = identify("renamed.h5", with_doi);
    assert_eq!((identity.release, identity.source, notes), (Some(1), IdentitySource::Rows, vec![]));
}

#[test]
fn a_note_names_the_group_of_each_value() {
    let (identity, notes) = identify(NAME, |file| {
        add_group(file, "orbit_info", |orbit| {
            orbit.create_dataset("rgt").with_i16_data(&[874]).with_shape(&[1]);
            orbit.create_dataset("cycle_number").with_i8_data(&[8]).with_shape(&[1]);
        });
    });
    assert_eq!((identity.rgt, identity.start, identity.source), (Some(874), None, IdentitySource::OrbitInfo));
    assert_eq!(texts(&notes), ["rgt is 874 by orbit_info, which was used, and 873 by the file's name"]);
}

#[test]
fn an_id_from_a_file_name_has_no_control_characters() {
    let (identity, _) = identify("/data/a\u{1b}[2J\nb.h5", |_| ());
    assert!(identity.id.starts_with("a\\u{1b}[2J\\nb-"), "{}", identity.id);
}
