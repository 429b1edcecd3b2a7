//! Files that are cut short or damaged.

use std::sync::Arc;

use proptest::prelude::*;

use crate::error::Result;
use crate::fragment::{FragmentMetadata, FragmentMetadataBuilder};
use crate::generic_tile::Compression;
use crate::testing::{ARRAYS, Golden};

/// Reads all that can be read, for its errors.
fn read_all(metadata: &FragmentMetadata) -> Result<()> {
    let mut results = vec![
        metadata.rtree().map(drop),
        metadata.all_statistics().map(drop),
        metadata.processed_conditions().map(drop),
    ];
    for field in metadata.numbering().fields() {
        results.extend([
            metadata.tile_offsets(field).map(drop),
            metadata.var_offsets(field).map(drop),
            metadata.var_sizes(field).map(drop),
            metadata.validity_offsets(field).map(drop),
            metadata.mins(field).map(drop),
            metadata.maxs(field).map(drop),
            metadata.sums(field).map(drop),
            metadata.null_counts(field).map(drop),
            metadata.statistics(field).map(drop),
        ]);
    }
    results.into_iter().collect()
}

/// Files cut short, in front or behind, are errors.
#[test]
fn truncated_metadata_is_an_error() {
    let fragment = &Golden::open("consolidated").fragments()[0];
    let schema = fragment.metadata.schema();
    for length in 0..fragment.bytes.len() {
        let parsed = FragmentMetadata::parse(&fragment.bytes[..length], Arc::clone(schema));
        assert!(parsed.is_err(), "the first {length} bytes");
        let parsed = FragmentMetadata::parse(&fragment.bytes[fragment.bytes.len() - length..], Arc::clone(schema));
        assert!(parsed.and_then(|metadata| read_all(&metadata)).is_err(), "the last {length} bytes");
    }
}

proptest! {
    /// Damage is an error or other numbers, never a panic. With checksums, numbers are the right ones.
    #[test]
    fn flipped_bytes_do_no_harm(
        array in prop::sample::select(&ARRAYS[1..]), rebuilt: bool,
        flips in prop::collection::vec((any::<prop::sample::Index>(), 1..=255_u8), 1..4),
    ) {
        let fragment = &Golden::open(array).fragments()[0];
        let mut bytes = if rebuilt {
            FragmentMetadataBuilder::copy_of(&fragment.metadata).unwrap().build(Compression::default()).unwrap()
        } else {
            fragment.bytes.clone()
        };
        for (at, flip) in flips {
            *at.get_mut(&mut bytes) ^= flip;
        }
        if let Ok(metadata) = FragmentMetadata::parse(bytes, Arc::clone(fragment.metadata.schema())) {
            let _ = read_all(&metadata);
        }
    }

    /// Damage of the footer alone, where no checksum is.
    #[test]
    fn flipped_bytes_of_footers_do_no_harm(
        array in prop::sample::select(&ARRAYS[1..]), at: prop::sample::Index, flip in 1..=255_u8,
    ) {
        let fragment = &Golden::open(array).fragments()[0];
        let mut bytes = fragment.bytes.clone();
        let footer = bytes.len() - fragment.metadata.footer().write().len();
        let at = footer + at.index(bytes.len() - footer);
        bytes[at] ^= flip;
        if let Ok(metadata) = FragmentMetadata::parse(bytes, Arc::clone(fragment.metadata.schema())) {
            let _ = read_all(&metadata);
        }
    }
}
