//! Quirks of the product's files, seen or reported, one test each. A test uses a real granule wherever one has the quirk.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use hdf5::AttrValue;
use isdb_schema::catalogue::{Dtype, Fill};

use super::*;
use crate::testing::{
    Bytes, R004, R005, R006, R007, add_beam, add_group, all, build_file, decode, named, open_real, real, small_granule,
    text_of, with_causes,
};

fn rows_of(decoded: &Decoded) -> Vec<(&str, usize)> {
    let beam = |batch: &RecordBatch| text_of(&batch["beam"], 0);
    let found = decoded.batches.iter().map(|batch| (beam(batch), batch.num_rows()));
    found.map(|(name, rows)| (BEAMS.into_iter().find(|beam| *beam == name).unwrap(), rows)).collect()
}

fn null_count(batch: &RecordBatch, name: &str) -> usize {
    let column = &batch[name];
    column.as_fixed_size_list_opt().map_or(column.null_count(), |list| list.values().null_count())
}

#[test]
fn quirk_01_beams_are_missing() {
    if let Some(granule) = open_real(R004) {
        assert_eq!(granule.decode(&[], 1).unwrap().beams_missing, ["gt3l", "gt3r"]);
    }
    if let Some(granule) = open_real(R006) {
        let decoded = granule.decode(&[], 1).unwrap();
        assert_eq!((rows_of(&decoded), decoded.beams_missing.len()), (vec![("gt1r", 9)], 5));
    }
    let bytes = build_file(|file| {
        BEAMS.iter().filter(|beam| **beam != "gt2l").for_each(|b| add_beam(file, b, &[], &[], |_| ()))
    });
    let decoded = decode(bytes, &[]).unwrap();
    assert_eq!((decoded.beams_missing.as_slice(), decoded.rows_read), (&["gt2l"][..], 15));
}

#[test]
fn quirk_02_beams_are_empty_in_every_way() {
    if let Some(granule) = open_real(R005) {
        let decoded = granule.decode(&all(), 1).unwrap();
        assert_eq!(decoded.beams_empty, ["gt1l", "gt2l", "gt2r", "gt3l", "gt3r"]);
        assert_eq!(rows_of(&decoded), [("gt1r", 2)]);
    }
    let bytes = build_file(|file| {
        add_group(file, "gt1l", |_| ());
        add_group(file, "gt1r", |beam| {
            let land = beam.create_group("land_segments").finish();
            beam.add_group(land);
        });
        add_group(file, "gt2l", |beam| {
            let mut land = beam.create_group("land_segments");
            for name in ["latitude", "longitude"] {
                land.create_dataset(name).with_f32_data(&[]).with_shape(&[0]);
            }
            land.create_dataset("delta_time").with_f64_data(&[]).with_shape(&[0]);
            let land = land.finish();
            beam.add_group(land);
        });
        add_beam(file, "gt2r", &[], &[], |_| ());
    });
    let decoded = decode(bytes, &["h_canopy"]).unwrap();
    assert_eq!(decoded.beams_missing, ["gt1l", "gt3l", "gt3r"]);
    assert_eq!(decoded.beams_empty, ["gt1r", "gt2l"]);
    assert_eq!(rows_of(&decoded), [("gt2r", 3)]);
}

#[test]
fn quirk_03_orbit_info_is_empty_or_contradicts_the_beam() {
    if let Some(granule) = open_real(R005) {
        let decoded = granule.decode(&[], 1).unwrap();
        let batch = &decoded.batches[0];
        assert_eq!(batch["sc_orient"].as_primitive::<Int8Type>().value(0), 1);
        assert_eq!(text_of(&batch["beam_strength"], 0), "weak");
        assert_eq!(batch["spot"].as_primitive::<Int8Type>().value(0), 2);
        assert!(decoded.notes.contains(&Note::StrengthContradicted { beam: "gt1r" }));
        assert!(decoded.notes.contains(&Note::EpochAssumed));
    }
    let bytes = build_file(|file| {
        add_group(file, "orbit_info", |_| ());
        add_beam(file, "gt1l", &[("atlas_beam_type", "strong"), ("atlas_spot_number", "1")], &[], |_| ());
    });
    let decoded = decode(bytes, &[]).unwrap();
    let batch = &decoded.batches[0];
    assert_eq!(text_of(&batch["beam_strength"], 2), "strong");
    assert_eq!((batch["spot"].as_primitive::<Int8Type>().value(2), batch["sc_orient"].null_count()), (1, 3));
    assert_eq!(decoded.notes, [Note::EpochAssumed]);
}

#[test]
fn quirk_04_every_variable_is_null_at_its_own_fill_and_nowhere_else() {
    // The fills are not in attributes here, as in clips. Zeros, and the largest numbers of variables without a fill, are values.
    for variable in variables().iter().filter(|v| !v.required && v.name != "segment_id_beg") {
        let width = variable.width;
        let ints = |fill: i64| [vec![0; width], vec![fill; width], vec![1; width]].concat();
        let shape: &[u64] = if width == 1 { &[3] } else { &[3, width as u64] };
        let fill = match variable.fill {
            Some(Fill::Int(fill)) => fill,
            _ => 100,
        };
        let bytes = small_granule(&[], |land| {
            let mut groups: Vec<_> = variable.path.split('/').collect();
            groups.pop();
            let add = |group: &mut hdf5::GroupBuilder| {
                let dataset = group.create_dataset(variable.name);
                match variable.dtype {
                    Dtype::Int8 => {
                        dataset.with_i8_data(&ints(fill).iter().map(|v| i8::try_from(*v).unwrap()).collect::<Vec<_>>())
                    }
                    Dtype::Int16 => dataset
                        .with_i16_data(&ints(fill).iter().map(|v| i16::try_from(*v).unwrap()).collect::<Vec<_>>()),
                    Dtype::Int32 => dataset
                        .with_i32_data(&ints(fill).iter().map(|v| i32::try_from(*v).unwrap()).collect::<Vec<_>>()),
                    Dtype::Int64 => dataset.with_i64_data(&ints(fill)),
                    Dtype::Float32 => {
                        dataset.with_f32_data(&[vec![0.0; width], vec![f32::MAX; width], vec![1.0; width]].concat())
                    }
                    Dtype::Float64 => {
                        dataset.with_f64_data(&[vec![0.0; width], vec![f64::MAX; width], vec![1.0; width]].concat())
                    }
                };
                dataset.with_shape(shape);
            };
            match groups.pop() {
                None => add(land),
                Some(name) => {
                    let mut group = land.create_group(name);
                    add(&mut group);
                    let group = group.finish();
                    land.add_group(group);
                }
            }
        });
        let decoded = decode(bytes, &[variable.name]).unwrap();
        let fills = if variable.fill.is_some() || !variable.dtype.is_integer() { width } else { 0 };
        assert_eq!(null_count(&decoded.batches[0], variable.name), fills, "{}", variable.name);
        assert!(!decoded.variables_missing.contains(&variable.name), "{}", variable.name);
    }
    let flags = ["msw_flag", "sat_flag"];
    let bytes = small_granule(&[], |land| {
        for flag in flags {
            let dataset = land.create_dataset(flag).with_i8_data(&[-1, 127, 0]).with_shape(&[3]);
            dataset.with_fill_value(127_i8);
        }
    });
    let decoded = decode(bytes, &flags).unwrap();
    for flag in flags {
        let values: Vec<_> = decoded.batches[0][flag].as_primitive::<Int8Type>().iter().collect();
        assert_eq!(values, [Some(-1), None, Some(0)], "{flag}");
    }
}

#[test]
fn quirk_05_fills_are_per_column_not_per_row() {
    let Some(granule) = open_real(R004) else { return };
    let decoded = granule.decode(&all(), 2).unwrap();
    let [gt1l, gt1r, gt2l, gt2r] = &decoded.batches[..] else { panic!("{:?}", rows_of(&decoded)) };
    assert_eq!(["h_canopy", "h_canopy_uncertainty"].map(|name| null_count(gt1l, name)), [9, 10]);
    assert_eq!(["h_canopy", "h_canopy_uncertainty"].map(|name| null_count(gt1r, name)), [2, 5]);
    assert_eq!(["h_te_mode", "h_te_mean"].map(|name| null_count(gt1r, name)), [4, 3]);
    assert_eq!(["h_te_best_fit", "h_te_interp"].map(|name| null_count(gt1r, name)), [0, 0]);
    for batch in [gt2l, gt2r] {
        assert_eq!(null_count(batch, "h_canopy"), batch.num_rows());
        assert_eq!(null_count(batch, "canopy_h_metrics"), batch.num_rows() * 18);
    }
}

#[test]
fn quirk_06_profiles_may_grow_sideways_or_have_nine_percentiles() {
    if let Some(granule) = open_real(R006) {
        let decoded = granule.decode(&named(&["canopy_h_metrics", "surf_type"]), 1).unwrap();
        let metrics = decoded.batches[0]["canopy_h_metrics"].as_fixed_size_list();
        assert_eq!((metrics.value_length(), metrics.len()), (18, 9));
        assert!(decoded.variables_missing.is_empty());
    }
    let bytes = small_granule(&[], |land| {
        let mut canopy = land.create_group("canopy");
        canopy.create_dataset("canopy_h_metrics").with_f32_data(&[1.0; 27]).with_shape(&[3, 9]);
        let canopy = canopy.finish();
        land.add_group(canopy);
    });
    let decoded = decode(bytes, &["canopy_h_metrics"]).unwrap();
    assert_eq!(decoded.batches[0]["canopy_h_metrics"].null_count(), 3);
    assert_eq!(decoded.variables_missing, ["segment_id_end", "canopy_h_metrics"]);
}

#[test]
fn quirk_07_strings_are_read_in_every_form() {
    let weak = ["atlas_beam_type", "atlas_spot_number"];
    let forms: [fn(&str) -> AttrValue; 5] = [
        |text| AttrValue::AsciiString(text.to_owned()),
        |text| AttrValue::ascii_string_sized(format!("{text}  "), 80).unwrap(),
        |text| AttrValue::VarLenAsciiString(text.to_owned()),
        |text| AttrValue::VarLenStringArray(vec![text.to_owned()]),
        |text| AttrValue::StringArray(vec![format!("{text}\0\0")]),
    ];
    for form in forms {
        let bytes = build_file(|file| {
            add_group(file, "METADATA", |metadata| {
                let mut identification = metadata.create_group("DatasetIdentification");
                identification.set_attr("fileName", form("ATL08_20220401221822_01501506_006_01.h5"));
                let identification = identification.finish();
                metadata.add_group(identification);
            });
            add_group(file, "gt1r", |beam| {
                for (name, value) in weak.into_iter().zip(["weak", "2"]) {
                    beam.set_attr(name, form(value));
                }
                let mut land = beam.create_group("land_segments");
                for name in ["latitude", "longitude"] {
                    land.create_dataset(name).with_f32_data(&[1.0]).with_shape(&[1]);
                }
                land.create_dataset("delta_time").with_f64_data(&[1.0]).with_shape(&[1]);
                land.create_dataset("segment_id_beg").with_i32_data(&[1]).with_shape(&[1]);
                let land = land.finish();
                beam.add_group(land);
            });
        });
        let granule = Granule::open(Bytes::new("x.h5", bytes)).unwrap();
        assert_eq!(granule.identity().id, "ATL08_20220401221822_01501506_006_01");
        let batch = granule.decode(&[], 1).unwrap().batches.remove(0);
        assert_eq!(text_of(&batch["beam_strength"], 0), "weak");
        assert_eq!(batch["spot"].as_primitive::<Int8Type>().value(0), 2);
    }
    // 80-byte strings padded with blanks, beside one of 100,000 bytes that is not read
    if let Some(granule) = open_real(R004) {
        assert_eq!((granule.identity().release, granule.identity().revision), (Some(4), Some(1)));
    }
}

#[test]
fn quirk_08_every_style_of_hdf5_internals_is_read() {
    for (name, superblock, rows) in [(R004, 2, 35), (R006, 0, 9), (R005, 0, 2), (R007, 0, 606)] {
        let Some(path) = real(name) else { return };
        assert_eq!(std::fs::read(path).unwrap()[8], superblock, "{name}");
        assert_eq!(open_real(name).unwrap().decode(&all(), 2).unwrap().rows_read, rows, "{name}");
    }
}

#[test]
fn quirk_09_an_hdf5_chunk_deflated_twice_is_inflated_twice() {
    for (name, beam) in [(R005, "gt1r"), (R006, "gt1r")] {
        let Some(path) = real(name) else { return };
        let file = hdf5::File::open(path).unwrap();
        let dataset = file.dataset(&format!("{beam}/land_segments/segment_id_beg")).unwrap();
        let deflates = dataset.filter_pipeline().iter().filter(|filter| filter.id == 1).count();
        assert_eq!(deflates, 2, "{name}");
        let decoded = open_real(name).unwrap().decode(&named(&["segment_id_end"]), 1).unwrap();
        let geosegments = decoded.batches[0]["n_geosegments"].as_primitive::<Int8Type>();
        assert!(geosegments.iter().all(|n| n == Some(5)), "{name}");
    }
}

#[test]
fn quirk_10_an_hdf5_chunk_that_is_too_short_is_an_error() {
    let bytes = |values: &[f32], chunk: u64| {
        small_granule(&[], |land| {
            let asr = land.create_dataset("asr").with_f32_data(values).with_shape(&[3]);
            asr.with_chunks(&[chunk]).with_deflate(9);
        })
    };
    let place = |bytes: &[u8]| {
        let file = hdf5::File::from_bytes(bytes.to_vec()).unwrap();
        let chunk = file.dataset("gt1l/land_segments/asr").unwrap().chunks().unwrap().remove(0);
        let start = usize::try_from(chunk.address).unwrap();
        start..start + usize::try_from(chunk.storage_size).unwrap()
    };
    // The HDF5 chunk of another file, which inflates to less, replaces the right one.
    let (mut whole, short) = (bytes(&[0.25, 0.5, 0.75], 100), bytes(&[0.0, 0.0, 0.0], 3));
    let (at, from) = (place(&whole), place(&short));
    assert!(from.len() <= at.len());
    whole[at.start..at.start + from.len()].copy_from_slice(&short[from]);
    let error = with_causes(&decode(whole, &["asr"]).unwrap_err());
    assert!(
        error.contains("gt1l/land_segments/asr cannot be decoded: an HDF5 chunk holds 12 bytes instead of 400"),
        "{error}"
    );
}

#[test]
fn quirk_11_photon_references_that_clips_broke_are_read() {
    let Some(granule) = open_real(R006) else { return };
    let decoded = granule.decode(&named(&["ph_ndx_beg", "n_seg_ph"]), 1).unwrap();
    let batch = &decoded.batches[0];
    assert_eq!(batch["ph_ndx_beg"].as_primitive::<Int64Type>().values()[..3], [1, 407, 585]);
    assert_eq!(batch["n_seg_ph"].as_primitive::<Int32Type>().values()[..3], [214, 193, 178]);
}

#[test]
fn quirk_12_the_extent_in_the_attributes_is_not_used() {
    let bytes = build_file(|file| {
        for (name, value) in [("geospatial_lat_min", 55.0), ("geospatial_lat_max", 56.0)] {
            file.set_attr(name, AttrValue::F64(value));
        }
        file.set_attr("time_coverage_start", AttrValue::AsciiString("2031-01-01T00:00:00.000000Z".to_owned()));
        add_beam(file, "gt1l", &[], &[], |_| ());
    });
    let decoded = decode(bytes, &[]).unwrap();
    assert_eq!((decoded.rows_read, decoded.rows_rejected), (3, 0));
    if let Some(granule) = open_real(R004) {
        let decoded = granule.decode(&[], 1).unwrap();
        let latitudes =
            decoded.batches.iter().flat_map(|b| b["latitude"].as_primitive::<Float64Type>().values().to_vec());
        assert!(latitudes.into_iter().all(|latitude| (48.26..48.30).contains(&latitude)));
    }
}

#[test]
fn quirk_13_single_coordinates_become_doubles_unchanged() {
    let decoded = decode(small_granule(&[], |_| ()), &[]).unwrap();
    let latitude = decoded.batches[0]["latitude"].as_primitive::<Float64Type>();
    assert_eq!(latitude.values()[..], [10.0_f32, 10.001, 10.002].map(f64::from));
}

#[test]
fn quirk_14_nan_is_null_in_files_that_xarray_wrote() {
    if let Some(granule) = open_real(R007) {
        let decoded = granule.decode(&named(&["h_canopy"]), 1).unwrap();
        let nulls: usize = decoded.batches.iter().map(|batch| null_count(batch, "h_canopy")).sum();
        assert!((1..606).contains(&nulls), "{nulls}");
    }
    let nan = f64::NAN;
    let bytes = small_granule(&["delta_time", "longitude"], |land| {
        let time = land.create_dataset("delta_time").with_f64_data(&[1e8, nan, 1e8]).with_shape(&[3]);
        time.set_attr("_FillValue", AttrValue::F64(nan));
        let longitude = land.create_dataset("longitude").with_f32_data(&[f32::NAN, 1.0, 2.0]).with_shape(&[3]);
        longitude.set_attr("_FillValue", AttrValue::F32(f32::NAN));
        land.create_dataset("asr").with_f32_data(&[1.0, 1.0, f32::NAN]).with_shape(&[3]);
    });
    let decoded = decode(bytes, &["asr"]).unwrap();
    assert_eq!((decoded.rows_read, decoded.rows_rejected), (3, 2));
    assert_eq!(null_count(&decoded.batches[0], "asr"), 1);
}

#[test]
fn quirk_15_an_unknown_group_at_the_root_is_ignored() {
    let bytes = build_file(|file| {
        add_beam(file, "{ground_track}", &[], &["latitude"], |_| ());
        add_beam(file, "gt2l", &[], &[], |_| ());
    });
    let decoded = decode(bytes, &[]).unwrap();
    assert_eq!((rows_of(&decoded), decoded.beams_missing.len()), (vec![("gt2l", 3)], 5));
}

#[test]
fn quirk_16_truncated_files_and_login_pages_are_distinct_errors() {
    let mut bytes = small_granule(&[], |_| ());
    bytes.pop();
    assert!(matches!(decode(bytes, &[]), Err(Error::Truncated { .. })));
    let page = b"<!DOCTYPE html><html><title>Earthdata Login</title></html>".to_vec();
    assert!(matches!(decode(page, &[]), Err(Error::NotHdf5 { .. })));
}

#[test]
fn quirk_17_short_and_doubled_segments_at_region_borders_are_kept() {
    if let Some(granule) = open_real(R004) {
        let decoded = granule.decode(&[], 1).unwrap();
        let spans = decoded.batches[2]["n_geosegments"].as_primitive::<Int8Type>();
        assert_eq!(spans.values()[..], [4, 3, 5, 5, 5, 5, 5, 2]);
    }
    let bytes = small_granule(&["segment_id_beg", "latitude"], |land| {
        land.create_dataset("latitude").with_f32_data(&[10.0, 10.0, 10.001]).with_shape(&[3]);
        land.create_dataset("segment_id_beg").with_i32_data(&[5, 5, 8]).with_shape(&[3]);
        land.create_dataset("segment_id_end").with_i32_data(&[9, 9, 8]).with_shape(&[3]);
        land.create_dataset("last_seg_extend").with_f32_data(&[0.0, 0.0, 0.04]).with_shape(&[3]);
        land.create_dataset("rgt").with_i16_data(&[7; 3]).with_shape(&[3]);
    });
    let decoded = decode(bytes, &["last_seg_extend", "rgt"]).unwrap();
    let batch = &decoded.batches[0];
    assert_eq!((batch.num_rows(), decoded.rows_rejected), (3, 0));
    assert_eq!(batch["n_geosegments"].as_primitive::<Int8Type>().values()[..], [5, 5, 1]);
    assert_eq!(batch["rgt"].as_primitive::<Int16Type>().values()[..], [7; 3]);
}
