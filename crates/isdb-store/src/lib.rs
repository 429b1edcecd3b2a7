//! The isdb database at a location: its two TileDB arrays, the commit log that makes windows of granules visible all at
//! once, the writer's lock, the ledger, and the snapshots that readers hold. Knows no SQL and no HDF5.

mod areas;
mod blocking;
mod commit;
mod database;
mod design;
mod durable;
mod error;
mod evolution;
pub mod fault;
mod footers;
mod ids;
mod ledger;
mod leftovers;
mod listing;
mod location;
mod lock;
mod log;
mod objects;
mod recorded;
mod recovery;
mod retry;
mod snapshot;
mod storage;
#[cfg(test)]
mod tests;
mod writer;

pub use areas::area_name;
pub use commit::{ArrayState, Commit, DeadFragment, DeadIngest, FragmentRecord, HiddenFragment, Kind};
pub use database::Database;
pub use design::{Design, stored_variables};
pub use error::{Error, Result};
pub use ids::Id;
pub use ledger::LedgerRow;
pub use location::Location;
pub use snapshot::Snapshot;
pub use writer::{Changes, Vacuumed, Window, Writer};
