//! Arrays at a URI: creation, snapshots, fragments, schema evolution and maintenance.

mod evolution;
mod fragment;
pub(crate) mod history;
pub(crate) mod library;
mod maintenance;
pub(crate) mod open;
mod outline;
pub(crate) mod snapshot;
mod timestamped_name;

pub use fragment::{Fragment, list_fragments};
pub use maintenance::{consolidate_fragment_metadata, vacuum_fragment_metadata};
pub use snapshot::{Array, put_metadata};
