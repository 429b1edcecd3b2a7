//! Whole granules: the real files, made-up oddities, and damage.

use std::io;
use std::sync::atomic::AtomicU64;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, TimestampNanosecondType};
use isdb_schema::catalogue::{variable, variables};
use proptest::prelude::*;

use super::*;
use crate::source::FileSource;
use crate::testing::{Bytes, real, small_granule};

const R004: &str = "processed_ATL08_20200821122613_08730802_004_01.h5";
const R005: &str = "ICESat2VegR_atl08_clip_r005_d32a3678.h5";
const R006: &str = "ICESat2VegR_atl08_clip_r006.h5";
const R007: &str = "nsidc_test_atl08_r007_6beams_217d0236.h5";

fn all() -> Vec<&'static Variable> {
    variables().iter().collect()
}

fn named(names: &[&str]) -> Vec<&'static Variable> {
    names.iter().map(|name| variable(name).unwrap()).collect()
}

fn open_real(name: &str) -> Option<Granule> {
    Some(Granule::open(FileSource::open(real(name)?).unwrap()).unwrap())
}

fn decode(bytes: Vec<u8>, names: &[&str]) -> Result<Decoded> {
    Granule::open(Bytes::new("made.h5", bytes))?.decode(&named(names), 2)
}

/// The error and its causes in one line.
fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

#[test]
fn the_release_004_subset_has_its_rows_beam_by_beam() {
    let Some(granule) = open_real(R004) else { return };
    let decoded = granule.decode(&all(), 2).unwrap();
    let rows: Vec<_> = decoded.batches.iter().map(RecordBatch::num_rows).collect();
    assert_eq!(rows, [14, 8, 8, 5]);
    assert_eq!((decoded.rows_read, decoded.rows_rejected), (35, 0));
    assert_eq!(decoded.beams_missing, ["gt3l", "gt3r"]);
    let first = &decoded.batches[0];
    assert_eq!(first["beam"].as_string::<i64>().value(0), "gt1l");
    assert_eq!(first["beam_strength"].as_string::<i64>().value(0), "strong");
    assert_eq!(first["sc_orient"].as_primitive::<Int8Type>().value(0), 0);
    assert_eq!(first["segment_id_beg"].as_primitive::<Int32Type>().values()[..2], [267_995, 268_065]);
    // Fills are per column: 9 of 14 canopy heights, 10 of 14 of their uncertainties.
    assert_eq!(first["h_canopy"].null_count(), 9);
    assert_eq!(first["h_canopy_uncertainty"].null_count(), 10);
    assert!(first["segment_landcover"].as_primitive::<Int16Type>().iter().all(|v| v.is_some_and(|v| v <= 16)));
    assert!(decoded.variables_missing.contains(&"segment_cover"));
    let identity = granule.identity();
    assert_eq!(identity.id.as_deref(), Some("ATL08_20200821122613_08730802_004_01"));
    assert_eq!((identity.rgt, identity.cycle, identity.region), (Some(873), Some(8), Some(2)));
    assert_eq!((identity.release, identity.revision, identity.subset), (Some(4), Some(1), true));
}

#[test]
fn clips_are_read_and_what_they_lost_is_told() {
    if let Some(granule) = open_real(R006) {
        let decoded = granule.decode(&all(), 1).unwrap();
        assert_eq!((decoded.batches.len(), decoded.rows_read, decoded.beams_missing.len()), (1, 9, 5));
        assert_eq!(decoded.batches[0]["beam_strength"].as_string::<i64>().value(0), "weak");
        assert_eq!(decoded.notes, [Note::EpochAssumed]);
        assert_eq!((granule.identity().rgt, granule.identity().cycle), (Some(150), Some(15)));
        assert_eq!((granule.identity().release, granule.identity().subset), (Some(6), true));
    }
    if let Some(granule) = open_real(R005) {
        let decoded = granule.decode(&all(), 3).unwrap();
        assert_eq!((decoded.rows_read, decoded.beams_empty.len(), decoded.beams_missing.len()), (2, 5, 0));
        // its sc_orient says the opposite of the beam's own attribute, which wins
        assert_eq!(decoded.batches[0]["beam_strength"].as_string::<i64>().value(0), "weak");
        assert!(decoded.notes.contains(&Note::StrengthContradicted { beam: "gt1r" }));
    }
    if let Some(granule) = open_real(R007) {
        let error = granule.decode(&named(&["h_canopy"]), 2).unwrap_err();
        assert!(told(&error).ends_with("dataset gt1l/land_segments/segment_id_beg cannot be decoded: it is missing"));
    }
}

#[test]
fn batches_have_the_promised_schema_whatever_is_asked() {
    let Some(granule) = open_real(R004) else { return };
    for wanted in [vec![], named(&["h_canopy", "latitude", "canopy_h_metrics", "asr"]), all()] {
        let schema = Schema::new(segment_fields(&wanted));
        let decoded = granule.decode(&wanted, 2).unwrap();
        assert!(decoded.batches.iter().all(|batch| *batch.schema() == schema));
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let Some(granule) = open_real(R004) else { return };
    let one = granule.decode(&all(), 1).unwrap();
    assert_eq!(one, granule.decode(&all(), 7).unwrap());
    assert_eq!(one, granule.decode(&all(), 0).unwrap());
}

/// Counts the bytes read of a source.
struct Counted(FileSource, Arc<AtomicU64>);

impl ByteSource for Counted {
    fn name(&self) -> &str {
        self.0.name()
    }
    fn len(&self) -> u64 {
        self.0.len()
    }
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.1.fetch_add(buffer.len() as u64, Ordering::Relaxed);
        self.0.read_at(offset, buffer)
    }
}

#[test]
fn few_variables_read_little_of_the_file() {
    let Some(path) = real(R004) else { return };
    let count = Arc::new(AtomicU64::new(0));
    let read = |wanted: &[&Variable]| {
        count.store(0, Ordering::Relaxed);
        let granule = Granule::open(Counted(FileSource::open(&path).unwrap(), Arc::clone(&count))).unwrap();
        granule.decode(wanted, 1).unwrap();
        count.load(Ordering::Relaxed)
    };
    let (few, many) = (read(&named(&["h_canopy"])), read(&all()));
    assert!(few * 3 < many, "{few} bytes for one variable, {many} for all");
    assert!(few < std::fs::metadata(&path).unwrap().len() / 4, "{few}");
}

#[test]
fn a_download_cut_off_anywhere_is_an_error() {
    for name in [R004, R006] {
        let Some(path) = real(name) else { return };
        let whole = std::fs::read(path).unwrap();
        for step in 0..200 {
            let len = (whole.len() - 1) * step / 199;
            assert!(Granule::open(Bytes::new(name, whole[..len].to_vec())).is_err(), "{name} cut to {len} bytes");
        }
    }
}

#[test]
fn made_up_rows_come_out_exactly() {
    let bytes = small_granule(&[], |land| {
        land.create_dataset("night_flag").with_i32_data(&[0, i32::MAX, 1]).with_shape(&[3]);
        land.create_dataset("surf_type")
            .with_i8_data(&[1; 15])
            .with_shape(&[3, 5])
            .with_chunks(&[2, 5])
            .with_deflate(6);
        let values = [1.0, f32::MAX, f32::NAN];
        land.create_dataset("asr")
            .with_f32_data(&values)
            .with_shape(&[3])
            .with_chunks(&[10])
            .with_shuffle()
            .with_deflate(6);
    });
    let decoded = decode(bytes, &["night_flag", "surf_type", "asr", "h_canopy"]).unwrap();
    let [batch] = &decoded.batches[..] else { panic!("{decoded:?}") };
    assert_eq!(batch["latitude"].as_primitive::<Float64Type>().value(1), f64::from(10.001_f32));
    assert!(batch["longitude"].as_primitive::<Float64Type>().value(1).is_sign_positive());
    let time = batch["time"].as_primitive::<TimestampNanosecondType>();
    assert_eq!(time.value(2), (1_514_764_800 + 100_000_000) * 1_000_000_000 + 500_000_000);
    assert_eq!(batch["night_flag"].as_primitive::<Int32Type>().iter().collect::<Vec<_>>(), [Some(0), None, Some(1)]);
    assert_eq!(batch["asr"].as_primitive::<Float32Type>().iter().collect::<Vec<_>>(), [Some(1.0), None, None]);
    assert_eq!(batch["surf_type"].as_fixed_size_list().values().as_primitive::<Int8Type>().values()[..], [1; 15]);
    assert_eq!((batch["beam_strength"].null_count(), batch["sc_orient"].null_count()), (3, 3));
    assert_eq!((batch["h_canopy"].null_count(), &decoded.variables_missing[..]), (3, &["h_canopy"][..]));
    assert_eq!(decoded.beams_missing.len(), 5);
}

#[test]
fn rows_without_position_or_time_are_left_out_and_counted() {
    let latitudes = [91.0, 10.0, f32::NAN];
    let bytes = small_granule(&["latitude"], |land| {
        land.create_dataset("latitude").with_f32_data(&latitudes).with_shape(&[3]);
    });
    let decoded = decode(bytes, &[]).unwrap();
    assert_eq!((decoded.rows_read, decoded.rows_rejected), (3, 2));
    assert_eq!(decoded.batches[0]["segment_id_beg"].as_primitive::<Int32Type>().values()[..], [10]);

    let bytes = small_granule(&["delta_time"], |land| {
        land.create_dataset("delta_time").with_f64_data(&[f64::NAN, 3.4e38, 1e300]).with_shape(&[3]);
    });
    let decoded = decode(bytes, &[]).unwrap();
    assert_eq!((decoded.rows_rejected, decoded.batches.len()), (3, 0));
}

#[test]
fn a_profile_of_another_width_is_null_and_told() {
    let bytes = small_granule(&[], |land| {
        let mut canopy = land.create_group("canopy");
        canopy.create_dataset("canopy_h_metrics").with_f32_data(&[1.0; 27]).with_shape(&[3, 9]);
        let canopy = canopy.finish();
        land.add_group(canopy);
    });
    let decoded = decode(bytes, &["canopy_h_metrics"]).unwrap();
    assert_eq!(decoded.batches[0]["canopy_h_metrics"].null_count(), 3);
    assert_eq!(decoded.variables_missing, ["canopy_h_metrics"]);
}

#[test]
fn a_beam_that_contradicts_itself_is_an_error_that_names_the_dataset() {
    let short = |land: &mut hdf5::GroupBuilder| {
        land.create_dataset("asr").with_f32_data(&[1.0, 2.0]).with_shape(&[2]);
    };
    let error = decode(small_granule(&[], short), &["asr"]).unwrap_err();
    assert!(told(&error).contains("gt1l/land_segments/asr cannot be decoded: it has 2 rows"), "{}", told(&error));
    for required in ["latitude", "longitude", "delta_time", "segment_id_beg"] {
        let error = decode(small_granule(&[required], |_| ()), &[]).unwrap_err();
        assert!(told(&error).contains(&format!("{required} cannot be decoded: it is missing")), "{}", told(&error));
    }
    let text = |land: &mut hdf5::GroupBuilder| {
        land.create_dataset("asr").with_strings(&["a", "b", "c"]).unwrap();
    };
    assert!(told(&decode(small_granule(&[], text), &["asr"]).unwrap_err()).contains("plain numbers"));
}

#[test]
fn other_products_are_refused() {
    let mut file = hdf5::FileBuilder::new();
    file.create_dataset("x").with_f64_data(&[1.0]).with_shape(&[1]);
    assert!(matches!(decode(file.finish().unwrap(), &[]), Err(Error::NotAtl08 { .. })));
    let mut file = hdf5::FileBuilder::new();
    file.set_attr("short_name", hdf5::AttrValue::AsciiString("ATL03".to_owned()));
    let error = decode(file.finish().unwrap(), &[]).unwrap_err();
    assert!(error.to_string().contains("short_name is ATL03"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
    /// Hostile bytes end in an error or in values, never in a panic of ours.
    #[test]
    fn damaged_files_do_not_panic(damage in prop::collection::vec((0.0..1.0_f64, any::<u8>()), 1..20)) {
        let mut bytes = small_granule(&[], |land| {
            land.create_dataset("asr").with_f32_data(&[1.0, 2.0, 3.0]).with_shape(&[3]).with_chunks(&[2]).with_deflate(6);
        });
        for (at, value) in damage {
            let at = (at * bytes.len() as f64).floor();
            if let Some(byte) = (0..).zip(&mut bytes).find(|(i, _)| f64::from(*i) == at) {
                *byte.1 = value;
            }
        }
        if let Ok(decoded) = decode(bytes, &["asr", "h_canopy"]) {
            prop_assert_eq!(decoded.batches.iter().map(RecordBatch::num_rows).sum::<usize>() as u64 + decoded.rows_rejected, decoded.rows_read);
        }
    }
}
