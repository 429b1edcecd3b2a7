//! Fragments written tile by tile are those that libtiledb would write.

use std::path::Path;

use arrow::array::{AsArray, Float32Array};
use arrow::datatypes::Float64Type;
use proptest::prelude::*;
use tiledb_format::fragment::{FieldStatistics, Footer, FragmentMetadata};
use tiledb_format::{Field as FormatField, Number, Schema as FormatSchema, generic_tile};

use super::round_trip::{Dice, spec};
use super::*;
use crate::write::write_by_library;
use crate::{write_tiles, write_tiles_stepwise};

/// The metadata of the fragment `name`.
pub(super) fn metadata(uri: &str, name: &str) -> FragmentMetadata {
    let array = Path::new(uri);
    let bytes = std::fs::read(array.join("__fragments").join(name).join("__fragment_metadata.tdb")).unwrap();
    let schema = std::fs::read(array.join("__schema").join(Footer::schema_name(&bytes).unwrap())).unwrap();
    let schema = FormatSchema::parse(&generic_tile::read(&schema, 0).unwrap()).unwrap();
    FragmentMetadata::parse(bytes, Arc::new(schema)).unwrap()
}

/// Writes the same rows with both engines, and returns the names of the fragments, libtiledb's first.
fn written_twice(uri: &str, batches: &[RecordBatch]) -> [String; 2] {
    let by_library = write_by_library(ctx(), uri, 10, batches.to_vec()).unwrap();
    [by_library, write_tiles_stepwise(Path::new(uri), 20, &batches.to_vec(), 3, &|_| {}).unwrap().name]
}

/// All rows of one fragment in the order of its cells.
fn stored_rows(uri: &str, name: &str, columns: &[&str]) -> RecordBatch {
    let whole = Array::open_by_library(ctx(), uri, None).unwrap();
    let found = whole.fragments().unwrap().into_iter().find(|fragment| fragment.name == name).unwrap();
    read_fragment(&whole, &found, None, columns, Arc::new(LocalFiles::new(uri))).unwrap()
}

/// An array with these dimensions, and rows at these places: of floats, times, and integers.
fn at(dimensions: &[&str], places: &[(f64, i64, i64)]) -> (ArrayLayout, RecordBatch) {
    let all: [(&str, Domain, ArrayRef); 4] = [
        (
            "lat",
            Domain::Float64 { low: -90.0, high: 90.0, extent: None },
            Arc::new(Float64Array::from_iter_values(places.iter().map(|place| place.0))),
        ),
        (
            "time",
            Domain::TimestampNs { low: 0, high: 9_000 * DAY_NS, extent: None },
            Arc::new(
                TimestampNanosecondArray::from_iter_values(places.iter().map(|place| place.1)).with_timezone("UTC"),
            ),
        ),
        (
            "lon",
            Domain::Float32 { low: -180.0, high: 180.0, extent: None },
            Arc::new(Float64Array::from_iter_values(places.iter().map(|place| single(-1.5 * place.0)))),
        ),
        (
            "cycle",
            Domain::Int64 { low: -20, high: 1 << 60, extent: None },
            Arc::new(Int64Array::from_iter_values(places.iter().map(|place| place.2))),
        ),
    ];
    let rows: ArrayRef = Arc::new((0..places.len()).map(|row| i64::try_from(row).ok()).collect::<Int64Array>());
    let mut columns = vec![(Field::new("row", DataType::Int64, false), rows)];
    let mut layout = ArrayLayout { dimensions: vec![], ..layout() };
    for dimension in dimensions {
        let (name, domain, values) = all.iter().find(|(name, ..)| name == dimension).unwrap();
        layout.dimensions.push(Dimension { name: (*name).into(), domain: *domain });
        columns.push((Field::new(*name, values.data_type().clone(), false), Arc::clone(values)));
    }
    let (fields, columns): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    (layout, RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(isdb_testing::times(24, 500)))]

    /// libtiledb merges and consolidates fragments by the order of their cells: in another one it would lose or mix rows.
    #[test]
    fn cells_have_the_order_of_libtiledb(
        places in prop::collection::vec(
            (
                prop_oneof![-90.0..=90.0_f64, (-3..=3_i32).prop_map(|step| f64::from(step) * 1e-9), Just(-0.0), Just(90.0)],
                prop_oneof![0..=9_000 * DAY_NS, 0..5_i64, Just(9_000 * DAY_NS)],
                prop_oneof![-20..=1_i64 << 60, -20..-15_i64],
            ),
            1..400,
        ),
        dimensions in prop::sample::subsequence(vec!["cycle", "lat", "lon", "time"], 1..=4).prop_shuffle(),
    ) {
        let (_folder, uri) = new_uri();
        let (layout, batch) = at(&dimensions, &places);
        Array::create(ctx(), &uri, &layout, &batch.schema()).unwrap();
        let cut = batch.num_rows() / 3;
        let batches = [batch.slice(0, cut), batch.slice(cut, batch.num_rows() - cut)];
        let columns: Vec<&str> = std::iter::once("row").chain(dimensions.iter().copied()).collect();
        let [by_library, by_tile] = written_twice(&uri, &batches).map(|name| stored_rows(&uri, &name, &columns));
        // The rows of cells with the same coordinates have no order in libtiledb.
        for (dimension, name) in dimensions.iter().enumerate() {
            prop_assert!(same_coordinates(by_tile.column(dimension + 1), by_library.column(dimension + 1)), "{}", name);
        }
        let sorted = by_row(&by_tile);
        for (sorted, given) in sorted.columns().iter().zip(batch.columns()) {
            prop_assert_eq!(sorted, given);
        }
    }

    /// TileDB's aggregates are made of these statistics, and our own reads skip tiles by them.
    #[test]
    fn statistics_are_those_of_libtiledb(
        specs in prop::collection::vec(spec(), 1..5),
        nullable: bool,
        seed in any::<u64>(),
        count in 1_usize..300,
    ) {
        let mut dice = Dice(seed);
        // Of other floats, which are NaN or nearly infinite, libtiledb's statistics depend on the order of cells.
        let specs: Vec<_> = specs.into_iter().filter(|spec| !spec.is_float()).collect();
        let mut fields: Vec<Field> = specs.iter().enumerate().map(|(at, spec)| spec.field(&format!("v{at}"))).collect();
        let mut columns: Vec<ArrayRef> = specs.iter().map(|spec| spec.values(count, &mut dice)).collect();
        fields.push(Field::new("float", DataType::Float32, nullable));
        let floats = (0..count).map(|_| {
            let roll = u16::try_from(dice.roll() % 10_000).unwrap();
            (!nullable || roll > 4_000).then(|| f32::from(roll) / 7.0 - 500.0)
        });
        columns.push(Arc::new(floats.collect::<Float32Array>()));
        let schema = schema(fields);
        let (_folder, uri) = new_uri();
        Array::create(ctx(), &uri, &layout(), &schema).unwrap();
        let [by_library, by_tile] =
            written_twice(&uri, &[batch(&schema, 0, count, columns)]).map(|name| metadata(&uri, &name));
        prop_assert_eq!(&by_tile.footer().domain, &by_library.footer().domain);
        prop_assert_eq!(by_tile.rtree().unwrap(), by_library.rtree().unwrap());
        prop_assert_eq!(by_tile.cell_count(), by_library.cell_count());
        for field in by_library.numbering().fields() {
            let shape = by_library.schema().shape(field).unwrap();
            let counted = shape.has_sum && shape.datatype != tiledb_format::Datatype::Bool;
            let nulls = |of: &FragmentMetadata| of.null_counts(field).unwrap().filter(|_| counted);
            prop_assert_eq!(nulls(&by_tile), nulls(&by_library), "{}", field.stem());
            let (sums, expected) = (by_tile.sums(field).unwrap(), by_library.sums(field).unwrap());
            prop_assert_eq!(sums.is_some(), expected.is_some());
            for (sum, expected) in sums.into_iter().flatten().zip(expected.into_iter().flatten()).filter(|_| counted) {
                prop_assert!(same_sum(shape.datatype, sum, expected), "{} {sum:x} {expected:x}", field.stem());
            }
            let has_values = |tile: usize| {
                let nulls = nulls(&by_library).and_then(|nulls| nulls.get(tile).copied()).unwrap_or(0);
                counted && nulls < by_library.tile_cells(tile as u64)
            };
            for of in [FragmentMetadata::mins, FragmentMetadata::maxs] {
                let (found, expected) = (of(&by_tile, field).unwrap(), of(&by_library, field).unwrap());
                prop_assert_eq!(found.is_some(), expected.is_some());
                let tiles = expected.as_ref().map_or(0, tiledb_format::fragment::TileValues::len);
                for tile in (0..tiles).filter(|tile| has_values(*tile)) {
                    let value = |values: &Option<tiledb_format::fragment::TileValues>| {
                        values.as_ref().and_then(|values| values.tile(tile).map(<[u8]>::to_vec))
                    };
                    prop_assert_eq!(value(&found), value(&expected), "{}", field.stem());
                }
            }
            if counted {
                let FieldStatistics { min, max, sum, null_count } = by_tile.statistics(field).unwrap();
                let expected = by_library.statistics(field).unwrap();
                prop_assert!(same_sum(shape.datatype, sum, expected.sum), "{} {sum:x} {:x}", field.stem(), expected.sum);
                prop_assert_eq!(null_count, expected.null_count);
                if null_count < by_library.cell_count() {
                    prop_assert_eq!((min, max), (expected.min, expected.max), "{}", field.stem());
                }
            }
        }
    }
}

/// Whether columns are equal; -0.0 and 0.0 are the same coordinate.
fn same_coordinates(a: &ArrayRef, b: &ArrayRef) -> bool {
    match (a.as_primitive_opt::<Float64Type>(), b.as_primitive_opt::<Float64Type>()) {
        (Some(a), Some(b)) => a.values().iter().eq(b.values()),
        _ => a == b,
    }
}

/// Sums of floats depend on the order of their values.
fn same_sum(datatype: tiledb_format::Datatype, a: u64, b: u64) -> bool {
    match (Number::of_sum(datatype, a), Number::of_sum(datatype, b)) {
        (Number::Float(a), Number::Float(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e5),
        (a, b) => a == b,
    }
}

/// NaN among the values hides no rows: the other values' range is that of the tile, wherever the NaN is.
#[test]
fn a_nan_is_not_the_least_or_greatest_value() {
    let schema = schema(vec![Field::new("height", DataType::Float32, true)]);
    let floats = [Some(3.0), Some(f32::NAN), Some(-5.0), None, Some(f32::NAN), Some(4.0)];
    for turn in 0..floats.len() {
        let (_folder, uri) = new_uri();
        Array::create(ctx(), &uri, &ArrayLayout { capacity: 2, ..layout() }, &schema).unwrap();
        let mut turned = floats.to_vec();
        turned.rotate_left(turn);
        let written = batch(&schema, 0, 6, vec![Arc::new(Float32Array::from(turned))]);
        let name = write_tiles(Path::new(&uri), 10, vec![written]).unwrap().name;
        let metadata = metadata(&uri, &name);
        let field = FormatField::find(metadata.schema(), "height").unwrap();
        let FieldStatistics { min, max, sum, null_count } = metadata.statistics(field).unwrap();
        assert_eq!((min, max, null_count), ((-5.0_f32).to_le_bytes().to_vec(), 4.0_f32.to_le_bytes().to_vec(), 1));
        assert!(f64::from_bits(sum).is_nan());
    }
}

/// A write that fails leaves nothing: the disk may be full, and the next one must succeed.
#[test]
fn a_failed_write_leaves_no_files() {
    let schema = schema(vec![]);
    let (_folder, uri) = new_uri();
    Array::create(ctx(), &uri, &layout(), &schema).unwrap();
    let commits = Path::new(&uri).join("__commits");
    std::fs::remove_dir(&commits).unwrap();
    std::fs::write(&commits, "not a folder").unwrap();
    let write = || write_tiles(Path::new(&uri), 10, vec![batch(&schema, 0, 9, vec![])]);
    assert!(matches!(write(), Err(Error::Write { .. })));
    assert_eq!(std::fs::read_dir(Path::new(&uri).join("__fragments")).unwrap().count(), 0);
    std::fs::remove_file(&commits).unwrap();
    write().unwrap();
    assert_eq!(rows(&Array::open_by_library(ctx(), &uri, None).unwrap(), &request(&["row"])).len(), 9);
}

/// Arrays of other layouts are written by libtiledb, which keeps their promises: one cell per coordinates, other orders.
#[test]
fn other_layouts_are_refused() {
    let schema = schema(vec![]);
    let layouts = [
        ArrayLayout { allows_duplicates: false, ..layout() },
        ArrayLayout { cell_order: CellOrder::RowMajor, ..layout() },
    ];
    for layout in layouts {
        let (_folder, uri) = new_uri();
        Array::create(ctx(), &uri, &layout, &schema).unwrap();
        let rows = batch(&schema, 0, 9, vec![]);
        assert!(matches!(write_tiles(Path::new(&uri), 10, vec![rows.clone()]), Err(Error::Unsupported { .. })));
        crate::write_fragment(ctx(), &uri, 10, vec![rows]).unwrap();
    }
}
