//! Files of an array: schemas, enumerations, metadata, and the metadata of its fragments.

use std::sync::Arc;

use tiledb_format::fragment::{ConsolidatedFooters, FragmentMetadata, FragmentMetadataBuilder};
use tiledb_format::generic_tile::{self, Compression};
use tiledb_format::{ByteReader, Enumeration, Field, MetadataEntry, Schema};

use crate::memory::within;

/// What a generic tile may hold for each of its bytes: chunks of 64 KiB after headers of 12 bytes.
const GROWTH: usize = 5_500;
/// Copies of the content at the same time: the filtered bytes, the values, and their structure.
const COPIES: usize = 8;
/// Errors, names, and buffers that are kept between tiles.
const FIXED: usize = 1 << 20;

fn limit(input: &[u8]) -> usize {
    FIXED + COPIES * (GROWTH * input.len()).min(1 << 28)
}

/// A schema or an enumeration that is parsed is the same after it is written. The same bytes are also read as metadata of an array, and as
/// consolidated footers.
pub(crate) fn array_schema(input: &[u8]) {
    within(limit(input), || {
        let Ok(content) = generic_tile::read(input, 0) else { return };
        if let Ok(schema) = Schema::parse(&content) {
            let written = schema.write().unwrap();
            assert_eq!(Schema::parse(&written).unwrap().write().unwrap(), written);
            for dimension in &schema.dimensions {
                assert!(dimension.limits().is_some());
            }
        }
        if let Ok(enumeration) = Enumeration::parse(&content) {
            assert_eq!(enumeration.write().unwrap(), content);
            let values = enumeration.values();
            assert!(values.iter().map(|value| value.len()).sum::<usize>() <= content.len());
        }
        let _ = MetadataEntry::parse(&content);
        if let Ok(footers) = ConsolidatedFooters::parse(input) {
            assert!(footers.iter().all(|(name, bytes)| name.len().max(bytes.len()) <= content.len()));
        }
    });
}

/// What the metadata of a fragment say is within its files, and is the same after it is written. An input is the length of a schema's file
/// in 32 bits, that file, and the file of the metadata.
pub(crate) fn fragment_metadata(input: &[u8]) {
    within(limit(input), || {
        let mut reader = ByteReader::new(input, "input");
        let Ok(length) = reader.u32() else { return };
        let Ok(schema) = reader.bytes_u64(length.into()) else { return };
        let Ok(schema) = generic_tile::read(schema, 0).and_then(|content| Schema::parse(&content)) else { return };
        let Ok(metadata) = FragmentMetadata::parse(reader.rest(), Arc::new(schema)) else { return };
        check(&metadata);
        if let Ok(copy) = FragmentMetadataBuilder::copy_of(&metadata)
            && let Ok(written) = copy.build(Compression::None)
        {
            let again = FragmentMetadata::parse(written, Arc::clone(metadata.schema())).unwrap();
            assert_eq!(again.cell_count(), metadata.cell_count());
            assert_eq!(again.rtree().unwrap().leaves(), metadata.rtree().unwrap().leaves());
            for field in metadata.numbering().fields() {
                assert_eq!(again.tile_offsets(field), metadata.tile_offsets(field));
                assert_eq!(again.mins(field), metadata.mins(field));
                assert_eq!(again.maxs(field), metadata.maxs(field));
                // A field without counts gets some.
                if let Ok(Some(counts)) = metadata.null_counts(field) {
                    assert_eq!(again.null_counts(field), Ok(Some(counts)));
                }
            }
        }
    });
}

/// Decodes every part.
fn check(metadata: &FragmentMetadata) {
    let tiles = metadata.tile_count();
    if let Ok(tree) = metadata.rtree() {
        assert_eq!(tree.tile_count() as u64, tiles);
        let dimensions = metadata.schema().dimensions.len();
        for tile in 0..tree.tile_count() {
            assert!((0..dimensions).all(|dimension| tree.range(tile, dimension).is_some()));
        }
    }
    for field in metadata.numbering().fields() {
        check_field(metadata, field);
    }
    if let Ok(statistics) = metadata.all_statistics() {
        assert_eq!(statistics.len(), metadata.numbering().count());
    }
    let _ = metadata.processed_conditions();
}

fn check_field(metadata: &FragmentMetadata, field: Field) {
    let tiles = metadata.tile_count();
    let footer = *metadata.field(field).unwrap();
    let files = [
        (metadata.tile_offsets(field), footer.file_size),
        (metadata.var_offsets(field), footer.var_file_size),
        (metadata.validity_offsets(field), footer.validity_file_size),
    ];
    for (offsets, size) in files {
        let Ok(offsets) = offsets else { continue };
        assert_eq!(offsets.len() as u64, tiles);
        let mut end = offsets.offsets().first().copied().unwrap_or(0);
        for tile in 0..offsets.len() {
            let range = offsets.tile(tile).unwrap();
            assert!(range.start == end && range.start <= range.end && range.end <= size, "{range:?} of {size} bytes");
            end = range.end;
        }
    }
    for values in [metadata.mins(field), metadata.maxs(field)] {
        let Ok(Some(values)) = values else { continue };
        assert_eq!(values.len() as u64, tiles);
        assert!((0..values.len()).all(|tile| values.tile(tile).is_some()));
    }
    if let Ok(sizes) = metadata.var_sizes(field) {
        assert_eq!(sizes.len() as u64, tiles);
    }
    for (numbers, is_bounded) in [(metadata.sums(field), false), (metadata.null_counts(field), true)] {
        let Ok(Some(numbers)) = numbers else { continue };
        assert_eq!(numbers.len() as u64, tiles);
        let cells = (0..tiles).map(|tile| metadata.tile_cells(tile));
        assert!(!is_bounded || numbers.iter().zip(cells).all(|(nulls, cells)| *nulls <= cells));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A corpus of errors would test little.
    #[test]
    fn all_metadata_of_the_corpus_are_parsed() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/fragment_metadata");
        for entry in std::fs::read_dir(folder).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            let mut reader = ByteReader::new(&bytes, "input");
            let length = reader.u32().unwrap();
            let schema = generic_tile::read(reader.bytes_u64(length.into()).unwrap(), 0).unwrap();
            let metadata = FragmentMetadata::parse(reader.rest(), Arc::new(Schema::parse(&schema).unwrap())).unwrap();
            for field in metadata.numbering().fields() {
                assert!(metadata.tile_offsets(field).is_ok_and(|offsets| !offsets.is_empty()));
            }
        }
    }
}
