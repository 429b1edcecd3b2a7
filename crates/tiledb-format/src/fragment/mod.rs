//! Metadata of fragments: files `__fragment_metadata.tdb`. Generic tiles hold what is known of each field's tiles, and a
//! footer at the end has their offsets.

mod consolidated;
mod footer;
mod metadata;
mod rtree;
mod statistics;
#[cfg(test)]
mod tests;
mod vectors;
mod write;

pub use consolidated::ConsolidatedFooters;
pub use footer::{FieldFooter, Footer};
pub use metadata::FragmentMetadata;
pub use rtree::RTree;
pub use statistics::{FieldStatistics, TileValues};
pub use vectors::TileOffsets;
pub use write::{FieldMetadata, FragmentMetadataBuilder};
