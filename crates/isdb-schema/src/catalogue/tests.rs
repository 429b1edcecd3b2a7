//! The catalogue compared with itself, with the view `atl08`, and with the variables of real granules.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::csv::ReaderBuilder;
use arrow::datatypes::{DataType, Field, Schema};

use super::*;

#[test]
fn a_name_is_unique_in_the_product() {
    let names: BTreeSet<_> = variables().iter().map(|v| v.name).collect();
    assert_eq!(names.len(), variables().len());
    for v in variables() {
        assert_eq!(variable(v.name).map(|found| found.path), Some(v.path));
        assert!(v.path.ends_with(v.name));
    }
    assert!(variable("canopy/h_canopy").is_none());
}

#[test]
fn releases_have_the_documented_number_of_variables() {
    let count = |release| variables().iter().filter(|v| v.releases.contains(release)).count();
    assert_eq!([count(4), count(5), count(6), count(7)], [83, 85, 87, 92]);
    assert_eq!([count(3), count(8)], [0, 92]);
}

#[test]
fn only_position_and_time_are_required() {
    let required: Vec<_> = variables().iter().filter(|v| v.required).map(|v| v.name).collect();
    assert_eq!(required, ["delta_time", "latitude", "longitude"]);
}

#[test]
fn a_fill_fits_the_type_of_its_variable() {
    for v in variables() {
        match (v.dtype, v.fill) {
            (Dtype::Float32 | Dtype::Float64, Some(Fill::Int(_))) => panic!("{} has an integer fill", v.name),
            (Dtype::Int8, Some(Fill::Int(fill))) => assert!(i8::try_from(fill).is_ok(), "{}", v.name),
            (Dtype::Int16, Some(Fill::Int(fill))) => assert!(i16::try_from(fill).is_ok(), "{}", v.name),
            (Dtype::Int32, Some(Fill::Int(fill))) => assert!(i32::try_from(fill).is_ok(), "{}", v.name),
            (Dtype::Int8 | Dtype::Int16 | Dtype::Int32 | Dtype::Int64, Some(Fill::Float(_))) => {
                panic!("{} has a float fill", v.name)
            }
            _ => {}
        }
    }
}

#[test]
fn every_flag_has_a_meaning_in_every_release() {
    for v in variables() {
        for flags in [4, 5, 6, 7].into_iter().filter_map(|release| v.flags_of(release)) {
            assert_eq!(words(flags.values).len(), words(flags.meanings).len(), "{}", v.name);
            let codes: BTreeSet<_> = words(flags.values).into_iter().collect();
            assert_eq!(codes.len(), words(flags.values).len(), "{}: a code twice", v.name);
        }
    }
}

#[test]
fn a_land_cover_code_has_the_meaning_of_its_release() {
    let landcover = variable("segment_landcover").unwrap();
    let meaning = |release, code: &str| {
        let flags = landcover.flags_of(release).unwrap();
        words(flags.values).iter().position(|value| *value == code).map(|at| words(flags.meanings)[at])
    };
    assert_eq!(meaning(4, "5"), Some("mixed_forest"));
    assert_eq!(meaning(4, "111"), None);
    assert_eq!(meaning(5, "111"), Some("closed_forest_evergreen_needleleaf"));
    assert_eq!(meaning(7, "126"), Some("open_forest_other"));
}

#[test]
fn lists_and_only_lists_have_a_label_for_each_element() {
    for v in variables() {
        assert_eq!(v.labels.map_or(1, |labels| words(labels.values).len()), v.width, "{}", v.name);
    }
}

#[test]
fn every_variable_is_described_in_one_sentence_of_its_own() {
    let descriptions: BTreeSet<_> = variables().iter().map(|v| v.description).collect();
    assert_eq!(descriptions.len(), variables().len(), "a description is used twice");
    for v in variables() {
        assert!(v.description.len() > 15 && !v.description.ends_with('.'), "{}: {:?}", v.name, v.description);
    }
}

#[test]
fn heights_have_a_reference_and_differences_do_not() {
    let vertical = |name: &str| variable(name).unwrap().vertical;
    for name in ["h_te_mean", "h_te_best_fit_20m", "dem_h", "h_canopy_abs", "canopy_h_metrics_abs", "centroid_height"] {
        assert_eq!(vertical(name), Some(Vertical::Ellipsoid), "{name}");
    }
    for name in ["h_canopy", "canopy_h_metrics", "h_max_canopy", "h_mean_canopy", "h_canopy_20m"] {
        assert_eq!(vertical(name), Some(Vertical::Ground), "{name}");
    }
    for name in ["h_dif_ref", "h_dif_canopy", "h_te_std", "h_te_skew", "h_canopy_uncertainty", "sigma_h", "snr"] {
        assert_eq!(vertical(name), None, "{name}");
    }
    assert!(variables().iter().all(|v| v.vertical.is_none() || v.units == "meters"));
}

#[test]
fn a_field_has_the_metadata_of_its_variable() {
    let field = variable("h_canopy").unwrap().field();
    assert_eq!((field.data_type(), field.is_nullable()), (&DataType::Float32, true));
    let expected = [
        ("units", "meters"),
        ("hdf5_path", "gtx/land_segments/canopy/h_canopy"),
        ("vertical_reference", "ground"),
        ("releases", "004 005 006 007"),
    ];
    for (key, value) in expected {
        assert_eq!(field.metadata()[key], value);
    }
    assert!(!field.metadata().contains_key("product_units"));

    let field = variable("subset_can_flag").unwrap().field();
    let DataType::FixedSizeList(item, 5) = field.data_type() else { panic!("{field}") };
    assert_eq!((item.data_type(), item.is_nullable()), (&DataType::Int8, true));
    assert_eq!(field.metadata()["element_null"], "127");
    assert!(field.metadata()["flag_meanings"].starts_with("no_photon_data"));
    assert_eq!((&*field.metadata()["labels"], &*field.metadata()["label_units"]), ("10 30 50 70 90", "meters"));

    let cover = variable("segment_cover").unwrap().field();
    assert_eq!((&*cover.metadata()["units"], &*cover.metadata()["product_units"]), ("percent", "1"));
    let landcover = variable("segment_landcover").unwrap().field();
    assert!(landcover.metadata()["flag_meanings_004"].starts_with("water evergreen"));
    assert!(landcover.metadata()["flag_values"].ends_with("126 200"));

    assert!(!variable("latitude").unwrap().field().is_nullable());
    assert!(variable("segment_id_beg").unwrap().field().is_nullable(), "extracts lack it");
}

#[test]
fn plain_names_match_the_view() {
    let view = include_str!("../../sql/views/atl08.sql");
    let renamed =
        view.lines().filter_map(|line| line.trim().trim_end_matches(',').strip_prefix("s.")?.split_once(" AS "));
    let of_view: BTreeSet<(&str, &str)> = renamed.collect();
    let of_catalogue = variables().iter().filter_map(|v| Some((v.name, v.plain?))).collect();
    assert_eq!(of_view, of_catalogue);
}

/// One line of the list of variables read from real granules.
struct Documented {
    path: String,
    dtype: String,
    width: usize,
    units: String,
    fill: String,
    releases: String,
    flags: String,
}

/// The list beside the real granules; `None`, counted as a skipped test, without real granules.
fn documented() -> Option<Vec<Documented>> {
    let file = std::fs::File::open(isdb_testing::beside_data("atl08/variables.csv")?).unwrap();
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let schema = Schema::new(
        ["path", "dtype", "width", "units", "fill", "hdf5", "valid", "releases", "flags", "long_name"]
            .map(text)
            .to_vec(),
    );
    let reader = ReaderBuilder::new(Arc::new(schema)).with_header(true).build(file).unwrap();
    let mut rows = Vec::new();
    for batch in reader.map(Result::unwrap) {
        for row in 0..batch.num_rows() {
            let cell = |column: usize| batch.column(column).as_string::<i32>().value(row).to_owned();
            rows.push(Documented {
                path: cell(0),
                dtype: cell(1),
                width: cell(2).parse().unwrap(),
                units: cell(3),
                fill: cell(4),
                releases: cell(7),
                flags: cell(8),
            });
        }
    }
    Some(rows)
}

#[test]
fn the_catalogue_matches_real_granules() {
    let Some(documented) = documented() else { return };
    assert_eq!(documented.len(), variables().len());
    for row in documented {
        let v = variables().iter().find(|v| v.path == row.path).unwrap_or_else(|| panic!("no {}", row.path));
        assert_eq!(v.dtype.arrow().to_string().to_lowercase(), row.dtype, "{}", v.name);
        assert_eq!((v.width, v.product_units), (row.width, &*row.units), "{}", v.name);
        let fill = match v.fill {
            None => String::new(),
            Some(Fill::Int(fill)) => fill.to_string(),
            // The list has it in single and in double precision.
            Some(Fill::Float(fill)) if row.fill.parse() == Ok(fill) => row.fill.clone(),
            Some(Fill::Float(fill)) => fill.to_string(),
        };
        assert_eq!(fill, row.fill, "{}", v.name);
        let releases: String = v.releases.names().map(|name| name.trim_start_matches('0')).collect();
        assert_eq!(releases, row.releases, "{}", v.name);
        if v.earlier_flags.is_none() {
            assert_eq!(flags_as_listed(v), row.flags, "{}", v.name);
        }
    }
}

#[test]
fn the_codes_of_land_cover_match_the_list() {
    let Some(documented) = documented() else { return };
    let listed = documented.into_iter().find(|row| row.path == "segment_landcover").unwrap().flags;
    let (igbp, copernicus) = listed.split_once(';').unwrap();
    let landcover = variable("segment_landcover").unwrap();
    assert_eq!(codes(igbp.split_once("IGBP").unwrap().1), codes(landcover.flags_of(4).unwrap().values));
    assert_eq!(codes(copernicus.split_once("Copernicus").unwrap().1), codes(landcover.flags_of(5).unwrap().values));
}

/// The flags of a variable as the list writes them: `0,1 = day night`.
fn flags_as_listed(v: &Variable) -> String {
    match v.flag_values {
        "" => String::new(),
        values => format!("{} = {}", values.replace(' ', ","), v.flag_meanings),
    }
}

/// Codes of a text in which `111..116` is a range.
fn codes(text: &str) -> Vec<i32> {
    let range = |word: &str| match word.split_once("..") {
        Some((first, last)) => first.parse().unwrap()..=last.parse::<i32>().unwrap(),
        None => word.parse().unwrap()..=word.parse::<i32>().unwrap(),
    };
    text.split_whitespace().flat_map(range).collect()
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}
