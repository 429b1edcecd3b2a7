//! Reading and writing without libtiledb.
//!
//! Reading: the fragments that a caller names, or those that `listing` finds, tile by tile, straight into Arrow arrays.
//!
//! [`NativeArray`] knows the columns and the live fragments. `index` and `tiles` select the tiles that a read's ranges overlap, and `scan` reads
//! them: `prune` drops tiles by their statistics, `requests` turns columns and tiles into ranges of files, [`Storage`] reads these,
//! `decode` inflates them into Arrow arrays, `test` evaluates the condition, and only then the other columns of the rows that remain
//! are read. From storage with a long latency, `ahead` requests the tiles of later steps. `fragment` and [`FragmentCache`] keep the metadata of fragments in memory.
//!
//! `whole` decodes all of a fragment, for a check, and `describing_files` reads schemas and metadata that the caller has in memory.
//!
//! `write` has the other direction: [`write_tiles`] orders rows, and encodes and stores one column after the other.

mod ahead;
mod array;
pub(crate) mod array_files;
mod cache;
mod compare;
mod decode;
mod describing_files;
mod fills;
mod fragment;
mod index;
mod listing;
mod live;
mod order;
mod prune;
mod requests;
mod scan;
mod selected;
mod step;
mod storage;
mod summary;
mod test;
mod tiles;
mod verdict;
mod whole;
pub(crate) mod write;

pub use cache::FragmentCache;
pub use describing_files::{DescribingFiles, StoredSchemas, check_consolidated_footers};
pub use live::{FileChecksum, LiveFragment};
pub use storage::{FileEnd, FileRange, ListedStorage, LocalFiles, Storage, Stored, WritableStorage};
pub use summary::ColumnSummary;
pub use write::{BeforeStep, NewFragment, WriteStep, write_tiles, write_tiles_stepwise, write_tiles_to};

pub(crate) use array::NativeArray;
pub(crate) use fragment::FRAGMENTS;
pub(crate) use scan::TileScan;
