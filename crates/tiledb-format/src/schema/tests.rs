use proptest::prelude::*;

use super::*;
use crate::enumeration::Enumeration;
use crate::error::Error;
use crate::number::Number;
use crate::testing::{Golden, decoded, files};
use crate::{Datatype, FORMAT_VERSION, TimestampedName};

/// A schema that is written differently from how libtiledb writes it would make an array that other programs cannot open.
#[test]
fn schemas_are_written_byte_for_byte_as_libtiledb_writes_them() {
    let mut count = 0;
    for array in Golden::all() {
        for (name, bytes) in &array.schemas {
            assert_eq!(TimestampedName::parse(name).unwrap().version, None);
            assert_eq!(&Schema::parse(bytes).unwrap().write().unwrap(), bytes, "{name}");
            count += 1;
        }
    }
    assert_eq!(count, 8);
}

/// A query would otherwise read columns with false types.
#[test]
fn fields_have_the_types_that_the_script_gave_them() {
    let schema = Golden::open("segments").schema();
    assert_eq!((schema.version, schema.capacity, schema.allows_duplicates), (FORMAT_VERSION, 20, true));
    assert_eq!((schema.cell_order, schema.tile_order), (Order::Hilbert, Order::RowMajor));
    let dimensions: Vec<_> =
        schema.dimensions.iter().map(|d| (d.name.as_str(), d.datatype, d.extent.is_none())).collect();
    let expected = [
        ("latitude", Datatype::Float64, true),
        ("longitude", Datatype::Float64, true),
        ("time", Datatype::DATETIME_NS, true),
    ];
    assert_eq!(dimensions, expected);
    assert_eq!(schema.dimensions[0].limits(), Some([Number::Float(-90.0), Number::Float(90.0)]));
    let attributes: Vec<_> =
        schema.attributes.iter().map(|a| (a.name.as_str(), a.datatype, a.cell_values, a.nullable)).collect();
    let expected = [
        ("ingest_id", Datatype::Int64, 1, false),
        ("h_canopy", Datatype::Float32, 1, true),
        ("ratio", Datatype::Float64, 1, true),
        ("flag", Datatype::Int8, 1, true),
        ("count", Datatype::Int32, 1, true),
        ("land", Datatype::UInt8, 1, true),
        ("small", Datatype::UInt16, 1, true),
        ("wide", Datatype::UInt64, 1, false),
        ("valid", Datatype::Bool, 1, true),
        ("beam", Datatype::Utf8, Attribute::VARIABLE, true),
        ("profile", Datatype::Float32, 5, false),
    ];
    assert_eq!(attributes, expected);
    assert_eq!(schema.attributes[9].fixed_cell_size(), None);
    assert_eq!(schema.attributes[10].fixed_cell_size(), Some(20));
    assert_eq!(schema.attributes[0].fill, i64::MIN.to_le_bytes());
    let tall = Golden::open("tall").schema();
    assert_eq!(tall.cell_order, Order::RowMajor);
    assert_eq!(tall.dimensions[1].datatype, Datatype::Float32);
    assert_eq!(tall.dimensions[1].extent.as_deref(), Some(&10_f32.to_le_bytes()[..]));
}

/// Coordinates would otherwise be decoded with no filters at all.
#[test]
fn dimensions_without_filters_have_those_of_coordinates() {
    let schema = Golden::open("segments").schema();
    assert_eq!(schema.dimension_filters(&schema.dimensions[1]), &schema.coords);
    assert_eq!(schema.dimension_filters(&schema.dimensions[2]), &schema.dimensions[2].filters);
    assert_eq!(schema.dimensions[2].filters.filters.len(), 3);
    assert_eq!(schema.coords.filters.len(), 1);
}

/// The first schema lacks the attribute that evolution added, and only that.
#[test]
fn evolution_adds_a_schema() {
    let array = Golden::open("evolved");
    let names = |bytes: &Vec<u8>| -> Vec<String> {
        Schema::parse(bytes).unwrap().attributes.into_iter().map(|attribute| attribute.name).collect()
    };
    assert_eq!(array.schemas.values().map(names).collect::<Vec<_>>(), [vec!["first"], vec!["first", "second"]]);
}

#[test]
fn enumerations_are_read_and_written_as_libtiledb_writes_them() {
    let array = Golden::open("enumerated");
    let schema = array.schema();
    let enumerations: Vec<_> = schema.attributes.iter().map(|attribute| attribute.enumeration.as_deref()).collect();
    assert_eq!(enumerations, [Some("beams"), Some("codes")]);
    let folder = array.path.join("__schema/__enumerations");
    assert_eq!(files(&folder).len(), 2);
    let read = |name: &str| {
        let bytes = decoded(&folder.join(schema.enumeration_path(name).unwrap()));
        let enumeration = Enumeration::parse(&bytes).unwrap();
        assert_eq!(enumeration.name, name);
        assert_eq!(enumeration.write().unwrap(), bytes);
        for length in 0..bytes.len() {
            assert!(Enumeration::parse(&bytes[..length]).is_err());
        }
        enumeration
    };
    let (beams, codes) = (read("beams"), read("codes"));
    assert_eq!(beams.values(), [&b"gt1l"[..], b"gt1r", b"", b"gt3rr"]);
    assert!(!beams.ordered && codes.ordered);
    assert_eq!(codes.values(), [3_i32, 1, 70_000].map(i32::to_le_bytes));
    assert_eq!(schema.enumeration_path("others"), None);
}

/// A reader would otherwise return wrong cells instead of leaving the array to libtiledb.
#[test]
fn other_arrays_are_refused() {
    let bytes = Golden::open("empty").schemas.into_values().next().unwrap();
    let refused = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = bytes.clone();
        change(&mut bytes);
        matches!(Schema::parse(&bytes), Err(Error::Unsupported { .. }))
    };
    assert!(refused(&|bytes| bytes[0] = 19));
    assert!(refused(&|bytes| bytes[0] = 23));
    assert!(refused(&|bytes| bytes[5] = 0), "dense");
    // At the end: labels, enumerations, version and emptiness of the current domain.
    assert!(refused(&|bytes| *bytes.iter_mut().nth_back(12).unwrap() = 1), "labels");
    assert!(refused(&|bytes| *bytes.last_mut().unwrap() = 0), "current domain");
}

/// Version 20 and 21 end before the current domain.
#[test]
fn older_versions_have_no_current_domain() {
    let mut schema = Golden::open("enumerated").schema();
    for version in [20, 21] {
        (schema.version, schema.current_domain) = (version, None);
        assert_eq!(Schema::parse(&schema.write().unwrap()).unwrap(), schema);
    }
}

/// A file cut short is an error at every length.
#[test]
fn truncated_schemas_are_errors() {
    for array in Golden::all() {
        for bytes in array.schemas.values() {
            for length in 0..bytes.len() {
                assert!(Schema::parse(&bytes[..length]).is_err());
            }
        }
    }
}

proptest! {
    /// Damage is an error or another schema, which is written as it was read. It is never a panic or an endless loop.
    #[test]
    fn flipped_bytes_do_no_harm(
        array in prop::sample::select(&crate::testing::ARRAYS[..]),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 1..=255_u8), 1..4),
    ) {
        let mut bytes = Golden::open(array).schemas.into_values().next().unwrap();
        for (at, flip) in flips {
            *at.get_mut(&mut bytes) ^= flip;
        }
        if let Ok(schema) = Schema::parse(&bytes) {
            prop_assert_eq!(schema.write().unwrap(), bytes);
        }
    }
}
