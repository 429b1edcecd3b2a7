//! Cells of real arrays, found by the metadata and decoded by the filters of the schema.

use std::fs;
use std::ops::Range;

use serde_json::Value;

use super::each;
use crate::field::{Field, FilePart};
use crate::fragment::TileOffsets;
use crate::number::Number;
use crate::pipeline::Pipeline;
use crate::testing::{GoldenFragment, number};
use crate::tile::{TileDecoder, tile_length};

fn tiles(
    fragment: &GoldenFragment,
    file: String,
    offsets: &TileOffsets,
    filters: &Pipeline,
    sizes: [usize; 2],
) -> Vec<Vec<u8>> {
    let bytes = fs::read(fragment.folder.join(file)).unwrap();
    assert_eq!(bytes.len() as u64, offsets.file_size());
    let mut decoder = TileDecoder::new();
    let range = |range: Range<u64>| usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
    let decode = |tile: usize| {
        let tile = &bytes[range(offsets.tile(tile).unwrap())];
        let mut cells = vec![0; usize::try_from(tile_length(tile).unwrap()).unwrap()];
        decoder.decode(tile, filters, sizes[0], sizes[1], &mut cells).unwrap();
        cells
    };
    (0..offsets.len()).map(decode).collect()
}

/// The validity of all cells, if they may be NULL.
fn validity(fragment: &GoldenFragment, field: Field) -> Vec<u8> {
    let metadata = &fragment.metadata;
    if !metadata.schema().shape(field).unwrap().nullable {
        return vec![1; usize::try_from(metadata.cell_count()).unwrap()];
    }
    let offsets = metadata.validity_offsets(field).unwrap();
    tiles(fragment, field.file(FilePart::Validity), &offsets, &metadata.schema().validity, [1, 1]).concat()
}

fn text(fragment: &GoldenFragment, field: Field, size: usize) -> Vec<String> {
    let metadata = &fragment.metadata;
    let offsets = metadata.tile_offsets(field).unwrap();
    let starts = tiles(fragment, field.file(FilePart::Fixed), &offsets, &metadata.schema().offsets, [8, 8]);
    let filters = metadata.schema().filters(field).unwrap();
    let offsets = metadata.var_offsets(field).unwrap();
    let values = tiles(fragment, field.file(FilePart::Variable), &offsets, filters, [size; 2]);
    let sizes: Vec<_> = values.iter().map(|values| values.len() as u64).collect();
    assert_eq!(sizes, metadata.var_sizes(field).unwrap());
    let mut texts = Vec::new();
    for (starts, values) in starts.iter().zip(&values) {
        let starts = starts.as_chunks::<8>().0.iter().map(|start| usize::try_from(u64::from_le_bytes(*start)).unwrap());
        let ends = starts.clone().skip(1).chain([values.len()]);
        texts.extend(starts.zip(ends).map(|(start, end)| String::from_utf8(values[start..end].to_vec()).unwrap()));
    }
    texts
}

/// What a query would return, found as a query would find it.
#[test]
fn cells_are_those_that_tiledb_returns() {
    let mut compared = 0;
    each(|fragment| {
        let metadata = &fragment.metadata;
        let schema = metadata.schema();
        for field in metadata.numbering().fields() {
            let (Some(name), shape) = (super::name(metadata, field), schema.shape(field).unwrap()) else { continue };
            let rows = fragment.described["rows"][name].as_array().unwrap();
            let validity = validity(fragment, field);
            assert_eq!(validity.len(), rows.len());
            let valid = |row: usize| validity[row] != 0;
            let Some(cell_size) = shape.cell_size.map(|size| usize::try_from(size).unwrap()) else {
                let texts = text(fragment, field, shape.datatype.size());
                let expected = |row: usize| rows[row].as_str();
                assert!(
                    (0..rows.len()).all(|row| expected(row) == valid(row).then_some(texts[row].as_str())),
                    "{name}"
                );
                compared += rows.len();
                continue;
            };
            let offsets = metadata.tile_offsets(field).unwrap();
            let (filters, sizes) = (schema.filters(field).unwrap(), [shape.datatype.size(), cell_size]);
            let tiles = tiles(fragment, field.file(FilePart::Fixed), &offsets, filters, sizes);
            let lengths: Vec<_> = tiles.iter().map(|tile| (tile.len() / cell_size) as u64).collect();
            assert_eq!(lengths, (0..metadata.tile_count()).map(|tile| metadata.tile_cells(tile)).collect::<Vec<_>>());
            // TileDB-Py gives the values of enumerations, not their numbers.
            let is_enumerated = matches!(field, Field::Attribute(at) if schema.attributes[at].enumeration.is_some());
            for (row, (cell, expected)) in tiles.concat().chunks(cell_size).zip(rows).enumerate() {
                if !valid(row) || is_enumerated {
                    assert_eq!(valid(row), !expected.is_null(), "{name}");
                    continue;
                }
                let values =
                    cell.chunks(shape.datatype.size()).map(|value| Number::read(shape.datatype, value).unwrap());
                let expected = if let Value::Array(list) = expected { list } else { std::slice::from_ref(expected) };
                let expected = expected.iter().zip(values.clone()).map(|(value, like)| number(value, like).unwrap());
                assert!(values.eq(expected), "{name}");
                compared += 1;
            }
        }
    });
    assert!(compared > 2_500, "only {compared} cells were compared");
}
