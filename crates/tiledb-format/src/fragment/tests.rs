mod cells;
mod damage;

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::error::Error;
use crate::field::{Field, FilePart};
use crate::fragment::{statistics, vectors};
use crate::generic_tile::{self, Compression};
use crate::number::Number;
use crate::testing::{Golden, GoldenFragment, number};

fn each(mut test: impl FnMut(&GoldenFragment)) {
    let mut count = 0;
    for array in Golden::all() {
        for fragment in array.fragments() {
            test(&fragment);
            count += 1;
        }
    }
    assert_eq!(count, 10);
}

fn name(metadata: &FragmentMetadata, field: Field) -> Option<&str> {
    let schema = metadata.schema();
    match field {
        Field::Attribute(index) => Some(&schema.attributes[index].name),
        Field::Dimension(index) => Some(&schema.dimensions[index].name),
        _ => None,
    }
}

/// The footer decides which bytes of which file are read.
#[test]
fn footers_hold_sizes_of_files_and_counts_of_cells() {
    each(|fragment| {
        let metadata = &fragment.metadata;
        assert_eq!(metadata.cell_count(), fragment.described["cells"].as_u64().unwrap());
        assert_eq!(metadata.footer().schema_name, fragment.described["schema"].as_str().unwrap());
        assert_eq!(u64::from(metadata.footer().version), fragment.described["version"].as_u64().unwrap());
        let mut files = fragment.described["files"].as_object().unwrap().clone();
        files.remove("__fragment_metadata.tdb").unwrap();
        for field in metadata.numbering().fields() {
            let footer = metadata.field(field).unwrap();
            let sizes = [footer.file_size, footer.var_file_size, footer.validity_file_size];
            for (part, size) in [FilePart::Fixed, FilePart::Variable, FilePart::Validity].into_iter().zip(sizes) {
                let found = files.remove(&field.file(part)).map_or(0, |size| size.as_u64().unwrap());
                assert_eq!(size, found, "{}", field.file(part));
            }
        }
        assert!(files.is_empty(), "no field for {files:?}");
    });
}

#[test]
fn tiles_have_the_capacity_and_the_last_one_the_rest() {
    let tiles: Vec<_> = Golden::open("segments")
        .fragments()
        .iter()
        .map(|fragment| {
            let metadata = &fragment.metadata;
            (0..=metadata.tile_count()).map(|tile| metadata.tile_cells(tile)).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(tiles, [vec![1, 0], vec![20, 0], vec![20, 1, 0], vec![20, 20, 20, 10, 0]]);
}

/// Pruning by a wrong rectangle loses rows.
#[test]
fn rectangles_are_those_that_tiledb_reports() {
    each(|fragment| {
        let tree = fragment.metadata.rtree().unwrap();
        let reported = fragment.described["mbrs"].as_array().unwrap();
        assert_eq!(tree.tile_count(), reported.len());
        for (tile, rectangle) in reported.iter().enumerate() {
            for (dimension, range) in rectangle.as_array().unwrap().iter().enumerate() {
                let found = tree.range(tile, dimension).unwrap();
                assert_eq!([0, 1].map(|end| number(&range[end], found[end]).unwrap()), found);
            }
        }
        assert_eq!(tree.range(tree.tile_count(), 0), None);
        assert_eq!(tree.domain(), fragment.metadata.footer().domain);
    });
    assert_eq!(Golden::open("tall").fragments()[0].metadata.rtree().unwrap().level_count(), 4);
}

/// The rows of a field by tile; `None` for those of NULL.
fn tiles_of(fragment: &GoldenFragment, name: &str, like: Number) -> Vec<Vec<Option<Number>>> {
    let rows = fragment.described["rows"][name].as_array().unwrap();
    let capacity = usize::try_from(fragment.metadata.schema().capacity).unwrap();
    rows.chunks(capacity).map(|rows| rows.iter().map(|row| number(row, like)).collect()).collect()
}

fn end(tile: &[Option<Number>], greatest: bool) -> Option<Number> {
    let ends = |a: Number, b: Number| if (b > a) == greatest && a != b { b } else { a };
    tile.iter().flatten().copied().reduce(ends)
}

/// Pruning and aggregates would otherwise use values that no cell has.
#[test]
fn statistics_are_those_of_the_rows() {
    let mut compared = 0;
    each(|fragment| {
        let metadata = &fragment.metadata;
        for field in metadata.numbering().fields() {
            let shape = metadata.schema().shape(field).unwrap();
            let (Some(name), Some(true)) =
                (name(metadata, field), shape.cell_size.map(|size| size == shape.datatype.size() as u64))
            else {
                continue;
            };
            // TileDB-Py gives the values of enumerations, not their numbers.
            if fragment.described["rows"][name].as_array().unwrap().iter().any(|row| row.is_string())
                && !matches!(Number::of_sum(shape.datatype, 0), Number::Float(_))
                || name == "code"
            {
                continue;
            }
            let like = Number::read(shape.datatype, &vec![0; shape.datatype.size()]).unwrap();
            let tiles = tiles_of(fragment, name, like);
            let counts: Vec<_> =
                tiles.iter().map(|tile| tile.iter().filter(|row| row.is_none()).count() as u64).collect();
            assert_eq!(metadata.null_counts(field).unwrap(), shape.nullable.then_some(counts), "{name}");
            let sums = metadata.sums(field).unwrap().unwrap();
            let whole = metadata.statistics(field).unwrap();
            for (greatest, values, all) in
                [(false, metadata.mins(field).unwrap(), whole.min), (true, metadata.maxs(field).unwrap(), whole.max)]
            {
                let Some(values) = values else { continue };
                assert_eq!(values.len(), tiles.len());
                for (tile, rows) in tiles.iter().enumerate() {
                    if let Some(expected) = end(rows, greatest) {
                        assert_eq!(Number::read(shape.datatype, values.tile(tile).unwrap()), Some(expected), "{name}");
                        compared += 1;
                    }
                }
                let expected = end(&tiles.concat(), greatest);
                assert!(expected.is_none() || Number::read(shape.datatype, &all) == expected, "{name}");
            }
            for (rows, bits) in tiles.iter().zip(sums) {
                let zero = Number::of_sum(shape.datatype, 0);
                let expected = rows.iter().flatten().fold(zero, |sum, row| sum.add_sum(*row).0);
                match (Number::of_sum(shape.datatype, bits), expected) {
                    (Number::Float(found), Number::Float(sum)) => {
                        assert!((found - sum).abs() <= 1e-9 * sum.abs().max(1.0))
                    }
                    // A float's sum is exact here; an integer's may have left its type.
                    (found, sum) => assert_eq!(found, sum, "{name}"),
                }
            }
        }
    });
    assert!(compared > 300, "only {compared} values were compared");
}

/// libtiledb reads the statistics that it counts on without looking whether they are there.
#[test]
fn fields_have_the_statistics_that_libtiledb_counts_on() {
    each(|fragment| {
        let metadata = &fragment.metadata;
        for field in metadata.numbering().fields() {
            let shape = metadata.schema().shape(field).unwrap();
            assert_eq!(metadata.mins(field).unwrap().is_some(), shape.has_min_max, "{}", field.stem());
            assert_eq!(metadata.maxs(field).unwrap().is_some(), shape.has_min_max, "{}", field.stem());
            assert_eq!(metadata.sums(field).unwrap().is_some(), shape.has_sum, "{}", field.stem());
            assert_eq!(metadata.null_counts(field).unwrap().is_some(), shape.nullable, "{}", field.stem());
        }
    });
}

/// Every generic tile of real metadata, written again, has the bytes that libtiledb wrote.
#[test]
fn parts_are_written_byte_for_byte_as_libtiledb_writes_them() {
    each(|fragment| {
        let metadata = &fragment.metadata;
        let content = |offset: u64| generic_tile::read(&fragment.bytes, offset).unwrap();
        let footer = metadata.footer();
        assert_eq!(metadata.rtree().unwrap().write(), content(footer.rtree));
        let leaves = metadata.rtree().unwrap().leaves().to_vec();
        assert_eq!(RTree::build(leaves, metadata.schema()).unwrap().write(), content(footer.rtree));
        assert_eq!(FieldStatistics::write(&metadata.all_statistics().unwrap()), content(footer.statistics));
        let conditions = metadata.processed_conditions().unwrap();
        assert_eq!(statistics::write_conditions(&conditions), content(footer.processed_conditions));
        for field in metadata.numbering().fields() {
            let at = metadata.field(field).unwrap();
            let vector = |numbers: &[u64]| vectors::write(numbers);
            assert_eq!(vector(metadata.tile_offsets(field).unwrap().offsets()), content(at.tile_offsets));
            assert_eq!(vector(metadata.var_offsets(field).unwrap().offsets()), content(at.var_offsets));
            assert_eq!(vector(&metadata.var_sizes(field).unwrap()), content(at.var_sizes));
            assert_eq!(vector(metadata.validity_offsets(field).unwrap().offsets()), content(at.validity_offsets));
            assert_eq!(TileValues::write(metadata.mins(field).unwrap().as_ref()), content(at.mins));
            assert_eq!(TileValues::write(metadata.maxs(field).unwrap().as_ref()), content(at.maxs));
            assert_eq!(vector(&metadata.sums(field).unwrap().unwrap_or_default()), content(at.sums));
            assert_eq!(vector(&metadata.null_counts(field).unwrap().unwrap_or_default()), content(at.null_counts));
        }
        let written = footer.write();
        assert_eq!(written, fragment.bytes[fragment.bytes.len() - written.len()..]);
    });
}

/// A fragment's metadata, written by the builder, has the content of libtiledb's.
#[test]
fn rebuilt_metadata_has_the_same_content() {
    each(|fragment| {
        for compression in [Compression::None, Compression::default()] {
            let old = &fragment.metadata;
            let bytes = FragmentMetadataBuilder::copy_of(old).unwrap().build(compression).unwrap();
            let new = FragmentMetadata::parse(bytes, Arc::clone(old.schema())).unwrap();
            assert_eq!(new.numbering(), old.numbering());
            assert_eq!(new.cell_count(), old.cell_count());
            assert_eq!(new.footer().domain, old.footer().domain);
            assert_eq!(new.footer().schema_name, old.footer().schema_name);
            assert_eq!(new.rtree().unwrap(), old.rtree().unwrap());
            assert_eq!(new.processed_conditions().unwrap(), old.processed_conditions().unwrap());
            for field in old.numbering().fields() {
                assert_eq!(FieldMetadata::read(&new, field).unwrap(), FieldMetadata::read(old, field).unwrap());
                // libtiledb's own way of combining the tiles' statistics.
                assert_eq!(new.statistics(field).unwrap(), old.statistics(field).unwrap(), "{}", field.stem());
            }
        }
    });
}

/// A footer is found in the last bytes of a file, before the rest of it is read.
#[test]
fn a_tail_is_enough_for_the_footer() {
    each(|fragment| {
        let (bytes, footer) = (&fragment.bytes, fragment.metadata.footer());
        let tail = &bytes[bytes.len() - footer.write().len()..];
        assert_eq!(Footer::schema_name(tail).unwrap(), footer.schema_name);
        assert_eq!(&Footer::parse(tail, bytes.len() as u64, fragment.metadata.schema()).unwrap(), footer);
        assert!(Footer::parse(&tail[1..], bytes.len() as u64, fragment.metadata.schema()).is_err());
        // Offsets point behind the end of a shorter file.
        assert!(Footer::parse(tail, tail.len() as u64, fragment.metadata.schema()).is_err());
    });
}

/// A fragment is read with the schema that it names: with another one, the footer has a wrong length.
#[test]
fn a_wrong_schema_is_noticed() {
    let array = Golden::open("evolved");
    let fragments = array.fragments();
    let (first, second) = (&fragments[0], &fragments[1]);
    assert!(FragmentMetadata::parse(first.bytes.clone(), Arc::clone(second.metadata.schema())).is_err());
    assert!(FragmentMetadata::parse(second.bytes.clone(), Arc::clone(first.metadata.schema())).is_err());
}

#[test]
fn other_fragments_are_refused() {
    let fragment = &Golden::open("tall").fragments()[0];
    let footer = fragment.bytes.len() - fragment.metadata.footer().write().len();
    let refused = |at: usize, value: u8| {
        let mut bytes = fragment.bytes.clone();
        bytes[footer + at] = value;
        matches!(FragmentMetadata::parse(bytes, Arc::clone(fragment.metadata.schema())), Err(Error::Unsupported { .. }))
    };
    assert!(refused(0, 23));
    assert!(refused(0, 15));
    let name = fragment.metadata.footer().schema_name.len();
    assert!(refused(12 + name, 1), "dense");
    assert!(refused(13 + name, 1), "no domain");
}

/// The builder refuses what libtiledb would read beyond its vectors for.
#[test]
fn the_builder_checks_its_vectors() {
    let metadata = &Golden::open("evolved").fragments()[1].metadata;
    let leaves = || metadata.rtree().unwrap().leaves().to_vec();
    let build = |cells: u64, change: &dyn Fn(Field, &mut FieldMetadata)| {
        let mut builder = FragmentMetadataBuilder::new(metadata.schema(), "__schema", cells, leaves());
        for field in metadata.numbering().fields() {
            let mut known = FieldMetadata::read(metadata, field).unwrap();
            change(field, &mut known);
            builder = builder.field(field, known);
        }
        builder.build(Compression::None).map(drop)
    };
    assert_eq!(build(12, &|_, _| {}), Ok(()));
    assert!(build(21, &|_, _| {}).is_err(), "three tiles");
    assert!(build(12, &|_, known| known.tile_offsets.truncate(1)).is_err());
    assert!(build(12, &|_, known| known.null_counts.truncate(1)).is_err());
    assert!(build(12, &|_, known| known.sums.truncate(1)).is_err());
    assert!(build(12, &|_, known| known.sums.clear()).is_err());
    assert!(build(12, &|_, known| known.mins = None).is_err());
    assert!(build(12, &|_, known| known.var_sizes.push(1)).is_err());
    assert!(build(12, &|_, known| known.mins = Some(TileValues::Fixed { size: 1, bytes: vec![0; 2] })).is_err());
    let missing = FragmentMetadataBuilder::new(metadata.schema(), "__schema", 12, leaves());
    assert!(missing.build(Compression::None).is_err());
    let twice = FragmentMetadataBuilder::copy_of(metadata).unwrap();
    let twice = twice.field(Field::Attribute(0), FieldMetadata::read(metadata, Field::Attribute(0)).unwrap());
    assert!(twice.build(Compression::None).is_err());
}

proptest! {
    /// Trees of any height are the ones that they are read as.
    #[test]
    fn trees_cover_all_tiles(
        points in prop::collection::vec((-90.0..90.0_f32, -180.0..180.0_f32, 0..9_i64), 0..1_300),
    ) {
        let schema = Golden::open("tall").schema();
        let mut leaves = Vec::new();
        for (latitude, longitude, time) in &points {
            for value in [latitude, latitude, longitude, longitude] {
                leaves.extend(value.to_le_bytes());
            }
            leaves.extend([time.to_le_bytes(), (time + 1).to_le_bytes()].concat());
        }
        let tree = RTree::build(leaves, &schema).unwrap();
        prop_assert_eq!(tree.tile_count(), points.len());
        let bytes = tree.write();
        prop_assert_eq!(&RTree::parse(&bytes, &schema).unwrap(), &tree);
        prop_assert!(RTree::parse(&bytes[..bytes.len() - 1], &schema).is_err());
        for (tile, (latitude, _, time)) in points.iter().enumerate() {
            prop_assert_eq!(tree.range(tile, 0), Some([Number::Float((*latitude).into()); 2]));
            prop_assert_eq!(tree.range(tile, 2), Some([Number::Int(*time), Number::Int(time + 1)]));
        }
        if !points.is_empty() {
            let least = points.iter().map(|point| point.2).min().unwrap();
            prop_assert_eq!(&tree.domain()[16..24], &least.to_le_bytes());
        }
    }
}

/// ASCII text of variable length has statistics, other text has none.
#[test]
fn text_statistics_are_those_of_the_rows() {
    let fragment = &Golden::open("peer").fragments()[0];
    let metadata = &fragment.metadata;
    let find = |name| Field::find(metadata.schema(), name).unwrap();
    assert_eq!(metadata.mins(find("beam")).unwrap(), None);
    let (mins, maxs) = (metadata.mins(find("name")).unwrap().unwrap(), metadata.maxs(find("name")).unwrap().unwrap());
    let rows: Vec<_> = fragment.described["rows"]["name"].as_array().unwrap().iter().map(Value::as_str).collect();
    for (tile, rows) in rows.chunks(10).enumerate() {
        assert_eq!(mins.tile(tile), rows.iter().flatten().min().map(|text| text.as_bytes()));
        assert_eq!(maxs.tile(tile), rows.iter().flatten().max().map(|text| text.as_bytes()));
    }
    let whole = metadata.statistics(find("name")).unwrap();
    assert_eq!((whole.min.as_slice(), whole.max.as_slice(), whole.null_count), (&b""[..], &b"zz"[..], 6));
}

/// Texts are combined by their bytes; libtiledb stops at the first zero byte of each, which TileDB-Py never stores.
#[test]
fn text_statistics_are_combined() {
    let mut schema = Golden::open("consolidated").schema();
    schema.attributes[1].datatype = crate::Datatype::Ascii;
    let shape = schema.shape(Field::Attribute(1)).unwrap();
    let values = |texts: [&str; 3]| {
        let mut offsets = Vec::new();
        let mut bytes = Vec::new();
        for text in texts {
            offsets.push(bytes.len() as u64);
            bytes.extend(text.as_bytes());
        }
        TileValues::Variable { offsets, bytes }
    };
    let (mins, maxs) = (values(["b", "", "aa"]), values(["c", "zz", "ca"]));
    let content = TileValues::write(Some(&mins));
    assert_eq!(TileValues::parse(&content, shape, 3).unwrap().as_ref(), Some(&mins));
    assert!(TileValues::parse(&content, shape, 4).is_err());
    // The second tile has only NULLs.
    let all = FieldStatistics::of_tiles(shape, [5, 5, 5].into_iter(), Some(&mins), Some(&maxs), &[], &[0, 5, 1]);
    assert_eq!((all.min.as_slice(), all.max.as_slice(), all.null_count), (&b"aa"[..], &b"ca"[..], 6));
}

#[test]
fn rows_of_every_fragment_are_described() {
    each(|fragment| {
        let rows = fragment.described["rows"].as_object().unwrap();
        assert!(
            rows.values().all(|rows| rows.as_array().map(Vec::len)
                == fragment.described["cells"].as_u64().map(|n| n.try_into().unwrap()))
        );
        assert!(!matches!(fragment.described["mbrs"], Value::Null));
    });
}
