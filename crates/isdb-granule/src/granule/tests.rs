//! Whole granules: real files, built files, and damage.

mod chosen_rows;
mod hostile;
mod quirks;
mod quirks_of_time;
mod read_failures;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, TimestampNanosecondType};
use proptest::prelude::*;

use super::*;
use crate::identity::source::IdentitySource;
use crate::source::FileSource;
use crate::testing::{
    Bytes, R004, R005, R006, R007, add_beam, add_group, add_orientations, all, build_file, decode, named, open_real,
    real, small_granule, text_of, with_causes,
};

#[test]
fn the_release_004_subset_is_read_beam_by_beam() {
    let Some(granule) = open_real(R004) else { return };
    let decoded = granule.decode(&all(), 2).unwrap();
    let rows: Vec<_> = decoded.batches.iter().map(RecordBatch::num_rows).collect();
    assert_eq!(rows, [14, 8, 8, 5]);
    assert_eq!((decoded.rows_read, decoded.rows_rejected), (35, 0));
    assert_eq!(decoded.beams_missing, ["gt3l", "gt3r"]);
    let first = &decoded.batches[0];
    assert_eq!(text_of(&first["beam"], 0), "gt1l");
    assert_eq!(text_of(&first["beam_strength"], 0), "strong");
    assert_eq!(first["sc_orient"].as_primitive::<Int8Type>().value(0), 0);
    assert_eq!(first["segment_id_beg"].as_primitive::<Int32Type>().values()[..2], [267_995, 268_065]);
    // Fills are per column: 9 of 14 canopy heights, 10 of 14 of their uncertainties.
    assert_eq!(first["h_canopy"].null_count(), 9);
    assert_eq!(first["h_canopy_uncertainty"].null_count(), 10);
    assert!(first["segment_landcover"].as_primitive::<Int16Type>().iter().all(|v| v.is_some_and(|v| v <= 16)));
    assert!(decoded.variables_missing.contains(&"segment_cover"));
    let identity = granule.identity();
    assert_eq!(identity.id, "ATL08_20200821122613_08730802_004_01");
    assert_eq!((identity.rgt, identity.cycle, identity.region), (Some(873), Some(8), Some(2)));
    assert_eq!((identity.release, identity.revision, identity.subset), (Some(4), Some(1), true));
}

#[test]
fn clips_are_read_and_report_what_they_lack() {
    if let Some(granule) = open_real(R006) {
        let decoded = granule.decode(&all(), 1).unwrap();
        assert_eq!((decoded.batches.len(), decoded.rows_read, decoded.beams_missing.len()), (1, 9, 5));
        assert_eq!(text_of(&decoded.batches[0]["beam_strength"], 0), "weak");
        assert_eq!(decoded.notes, [Note::EpochAssumed]);
        assert_eq!((granule.identity().rgt, granule.identity().cycle), (Some(150), Some(15)));
        assert_eq!((granule.identity().release, granule.identity().subset), (Some(6), true));
    }
    if let Some(granule) = open_real(R005) {
        let decoded = granule.decode(&all(), 3).unwrap();
        assert_eq!((decoded.rows_read, decoded.beams_empty.len(), decoded.beams_missing.len()), (2, 5, 0));
        // its sc_orient says the opposite of the beam's own attribute, which wins
        assert_eq!(text_of(&decoded.batches[0]["beam_strength"], 0), "weak");
        assert!(decoded.notes.contains(&Note::StrengthContradicted { beam: "gt1r" }));
    }
}

/// The numbers of a column as doubles, `None` where NULL; profiles are flattened.
fn numbers_of(column: &ArrayRef) -> Vec<Option<f64>> {
    let values = column.as_fixed_size_list_opt().map_or(column, |list| list.values());
    let doubles = arrow::compute::cast(values, &arrow::datatypes::DataType::Float64).unwrap();
    doubles.as_primitive::<Float64Type>().iter().collect()
}

/// The same numbers as the HDF5 reader reads them, without our code for HDF5 chunks; fills are `None` as the product defines them.
fn numbers_in_file(path: &std::path::Path, dataset: &str) -> Vec<Option<f64>> {
    let dataset = hdf5::File::open(path).unwrap().dataset(dataset).unwrap();
    let attribute = dataset.attrs().unwrap().remove("_FillValue");
    let attribute = attribute.and_then(|fill| fill.as_f64().or(fill.as_i64().map(|fill| fill as f64)));
    let fills = [attribute, dataset.fill_value::<f64>().unwrap().filter(|fill| *fill != 0.0)];
    let keep = |value: f64| (value < 3.39e38 && !fills.contains(&Some(value))).then_some(value);
    dataset.read_f64().unwrap().into_iter().map(keep).collect()
}

#[test]
fn every_value_of_the_real_granules_agrees_with_the_hdf5_reader() {
    for name in [R004, R005, R006, R007] {
        let Some(path) = real(name) else { return };
        let decoded = open_real(name).unwrap().decode(&all(), 2).unwrap();
        let mut compared = 0;
        for batch in &decoded.batches {
            let beam = text_of(&batch["beam"], 0);
            for variable in variables().iter().filter(|v| v.name != "delta_time") {
                let dataset = format!("{beam}/land_segments/{}", variable.path);
                let column = numbers_of(&batch[variable.name]);
                if decoded.variables_missing.contains(&variable.name) {
                    assert!(column.iter().all(Option::is_none), "{name} {dataset}");
                } else {
                    assert_eq!(column, numbers_in_file(&path, &dataset), "{name} {dataset}");
                    compared += column.len();
                }
            }
        }
        assert!(compared > 200, "{name}: {compared}");
    }
}

#[test]
fn the_release_007_extract_is_read_and_reports_what_it_lacks() {
    let Some(granule) = open_real(R007) else { return };
    let decoded = granule.decode(&named(&["h_canopy"]), 2).unwrap();
    assert_eq!((decoded.rows_read, decoded.rows_rejected, decoded.batches.len()), (606, 0, 6));
    assert_eq!(decoded.variables_missing, ["segment_id_beg", "segment_id_end"]);
    let all_null = |name| decoded.batches.iter().all(|batch| batch[name].null_count() == batch.num_rows());
    for name in ["segment_id_beg", "n_geosegments", "beam_strength", "sc_orient", "spot"] {
        assert!(all_null(name), "{name}");
    }
    let beams = vec!["gt1l", "gt1r", "gt2l", "gt2r", "gt3l", "gt3r"];
    assert_eq!(decoded.notes, [Note::EpochAssumed, Note::StrengthUnknown { beams }]);
    assert_eq!(granule.notes(), [Note::EpochAssumed]);
    let identity = granule.identity();
    assert_eq!((identity.source, identity.rgt, identity.release), (IdentitySource::Content, None, None));
    assert!(identity.id.starts_with("nsidc_test_atl08_r007_6beams_217d0236-"), "{}", identity.id);
}

#[test]
fn batches_have_the_documented_schema_for_any_variables() {
    let Some(granule) = open_real(R004) else { return };
    for wanted in [vec![], named(&["h_canopy", "latitude", "canopy_h_metrics", "asr"]), all()] {
        let schema = Schema::new(segment_fields(&wanted));
        let decoded = granule.decode(&wanted, 2).unwrap();
        assert!(decoded.batches.iter().all(|batch| *batch.schema() == schema));
    }
}

#[test]
fn the_number_of_threads_does_not_change_the_result() {
    let Some(granule) = open_real(R004) else { return };
    let one = granule.decode(&all(), 1).unwrap();
    assert_eq!(one, granule.decode(&all(), 7).unwrap());
    assert_eq!(one, granule.decode(&all(), 0).unwrap());
}

/// Counts the bytes read from a source.
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
fn few_variables_need_few_bytes_of_the_file() {
    let Some(path) = real(R004) else { return };
    let count = Arc::new(AtomicU64::new(0));
    let read = |wanted: &[&Variable]| {
        count.store(0, Ordering::Relaxed);
        let granule = Granule::open(Counted(FileSource::open(&path).unwrap(), Arc::clone(&count))).unwrap();
        granule.decode(wanted, 1).unwrap();
        count.load(Ordering::Relaxed)
    };
    let (few, many) = (read(&named(&["h_canopy"])), read(&all()));
    assert!(few * 2 < many, "{few} bytes for one variable, {many} for all");
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
fn built_rows_are_decoded_exactly() {
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
    assert_eq!(
        (batch["h_canopy"].null_count(), &decoded.variables_missing[..]),
        (3, &["segment_id_end", "h_canopy"][..])
    );
    assert_eq!(decoded.beams_missing.len(), 5);
}

#[test]
fn rows_without_a_position_or_time_are_left_out_and_counted() {
    let latitudes = [91.0, 10.0, f32::NAN];
    let bytes = small_granule(&["latitude"], |land| {
        land.create_dataset("latitude").with_f32_data(&latitudes).with_shape(&[3]);
    });
    let decoded = decode(bytes, &[]).unwrap();
    assert_eq!((decoded.rows_read, decoded.rows_rejected), (3, 2));
    assert_eq!(decoded.batches[0]["segment_id_beg"].as_primitive::<Int32Type>().values()[..], [10]);

    let bytes = small_granule(&["segment_id_beg"], |land| {
        let ids = land.create_dataset("segment_id_beg").with_i32_data(&[5, -1, 15]).with_shape(&[3]);
        ids.set_attr("_FillValue", hdf5::AttrValue::I32(-1));
    });
    let decoded = decode(bytes, &[]).unwrap();
    let segments: Vec<_> = decoded.batches[0]["segment_id_beg"].as_primitive::<Int32Type>().iter().collect();
    assert_eq!((decoded.rows_rejected, segments), (0, vec![Some(5), None, Some(15)]), "a row without its id is a row");

    let bytes = small_granule(&["delta_time"], |land| {
        land.create_dataset("delta_time").with_f64_data(&[f64::NAN, 3.4e38, 1e300]).with_shape(&[3]);
    });
    let decoded = decode(bytes, &[]).unwrap();
    assert_eq!((decoded.rows_rejected, decoded.batches.len()), (3, 0));
}

#[test]
fn an_inconsistent_beam_is_an_error_with_the_dataset() {
    let short = |land: &mut hdf5::GroupBuilder| {
        land.create_dataset("asr").with_f32_data(&[1.0, 2.0]).with_shape(&[2]);
    };
    let error = decode(small_granule(&[], short), &["asr"]).unwrap_err();
    assert!(
        with_causes(&error).contains("gt1l/land_segments/asr cannot be decoded: it has 2 rows"),
        "{}",
        with_causes(&error)
    );
    for required in ["latitude", "longitude", "delta_time"] {
        let error = decode(small_granule(&[required], |_| ()), &[]).unwrap_err();
        assert!(
            with_causes(&error).contains(&format!("{required} cannot be decoded: it is missing")),
            "{}",
            with_causes(&error)
        );
    }
    let text = |land: &mut hdf5::GroupBuilder| {
        land.create_dataset("asr").with_strings(&["a", "b", "c"]).unwrap();
    };
    assert!(with_causes(&decode(small_granule(&[], text), &["asr"]).unwrap_err()).contains("its elements are"));
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

#[test]
fn only_an_extract_may_lack_the_segment() {
    let without = |group: Option<&str>| {
        let bytes = build_file(|file| {
            if let Some(group) = group {
                add_group(file, group, |_| ());
            }
            add_beam(file, "gt2l", &[], &["segment_id_beg"], |_| ());
        });
        decode(bytes, &[])
    };
    assert_eq!(without(None).unwrap().variables_missing, ["segment_id_beg", "segment_id_end"]);
    for group in ["METADATA", "ancillary_data", "orbit_info"] {
        let error = with_causes(&without(Some(group)).unwrap_err());
        assert!(error.ends_with("gt2l/land_segments/segment_id_beg cannot be decoded: it is missing"), "{error}");
    }
}

#[test]
fn geosegments_are_counted_with_and_without_a_request_for_the_end() {
    let bytes = || {
        small_granule(&[], |land| {
            land.create_dataset("segment_id_end").with_i32_data(&[9, 11, 0]).with_shape(&[3]);
        })
    };
    for names in [&[][..], &["segment_id_end", "asr"][..], &["asr", "segment_id_end", "rgt"][..]] {
        let decoded = decode(bytes(), names).unwrap();
        let counts: Vec<_> = decoded.batches[0]["n_geosegments"].as_primitive::<Int8Type>().iter().collect();
        assert_eq!(counts, [Some(5), Some(2), None]);
        if names.contains(&"segment_id_end") {
            assert_eq!(decoded.batches[0]["segment_id_end"].as_primitive::<Int32Type>().values()[..], [9, 11, 0]);
        }
    }
}

#[test]
fn strength_and_spot_follow_the_orientation_at_each_row() {
    let turning = |attributes: &[(&str, &str)]| {
        let bytes = build_file(|file| {
            // The rows are at 1e8, 1e8 + 0.25 and 1e8 + 0.5.
            add_orientations(file, &[1, 2, 0], &[1e8 - 5.0, 1e8 + 0.1, 1e8 + 0.3]);
            add_beam(file, "gt3l", attributes, &[], |_| ());
        });
        let decoded = decode(bytes, &[]).unwrap();
        let batch = &decoded.batches[0];
        let strength = (0..batch.num_rows())
            .map(|row| batch["beam_strength"].is_valid(row).then(|| text_of(&batch["beam_strength"], row)))
            .collect();
        let spot = batch["spot"].as_primitive::<Int8Type>().iter().collect();
        (strength, spot, decoded.notes)
    };
    let (strength, spot, notes): (Vec<_>, Vec<_>, _) = turning(&[]);
    assert_eq!(strength, [Some("weak".to_owned()), None, Some("strong".to_owned())]);
    assert_eq!(spot, [Some(2), None, Some(5)]);
    assert_eq!(notes, [Note::EpochAssumed, Note::InTransition { beams: vec!["gt3l"] }]);

    let (strength, spot, notes) = turning(&[("atlas_beam_type", "weak"), ("atlas_spot_number", "2")]);
    assert_eq!(strength, [Some("weak".to_owned()), None, Some("weak".to_owned())]);
    assert_eq!(spot, [Some(2), None, Some(2)]);
    let contradicted = Note::StrengthContradicted { beam: "gt3l" };
    assert_eq!(notes, [Note::EpochAssumed, contradicted, Note::InTransition { beams: vec!["gt3l"] }]);
}

#[test]
fn a_damaged_hdf5_chunk_is_an_error_with_the_dataset() {
    let mut bytes = small_granule(&[], |land| {
        land.create_dataset("asr").with_f32_data(&[1.0, 2.0, 3.0]).with_shape(&[3]).with_chunks(&[3]).with_deflate(6);
    });
    let file = hdf5::File::from_bytes(bytes.clone()).unwrap();
    let chunk = file.dataset("gt1l/land_segments/asr").unwrap().chunks().unwrap().remove(0);
    bytes[usize::try_from(chunk.address).unwrap() + 1] ^= 0xff;
    let error = with_causes(&decode(bytes.clone(), &["asr"]).unwrap_err());
    assert!(error.contains("gt1l/land_segments/asr cannot be decoded: an HDF5 chunk cannot be inflated"), "{error}");
    assert_eq!(decode(bytes, &["h_canopy"]).unwrap().rows_read, 3, "variables that are not requested are not read");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: isdb_testing::times(200, 10_000), ..ProptestConfig::default() })]
    /// Damaged bytes are an error or values, but never a panic.
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
