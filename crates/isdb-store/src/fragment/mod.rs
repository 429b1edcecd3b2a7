//! Fragments of `segments`: how one is written, and what the log records of it.

pub(crate) mod record;
pub(crate) mod summary;
mod write;

pub use record::{Bounds, FileChecksum, FragmentRecord};
pub use write::{WrittenFragment, write_fragment};
