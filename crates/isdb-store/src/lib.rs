//! An isdb database at a location: two TileDB arrays (`segments` and the ledger `granules`), the commit log that makes the granules of a
//! window visible together, the writer's lock, and the snapshots that readers hold. Knows neither SQL nor HDF5.
//!
//! How a commit becomes visible:
//! 1. [`Writer::take_over`] locks the database, commits a fence that stops earlier writers, and removes their unfinished files.
//! 2. [`Writer::begin_window`] gives out a timestamp and ids. The caller writes fragments of `segments` with them; no reader sees these.
//! 3. [`Writer::commit`] checks the fragments against the ledger rows, writes the rows as a fragment of `granules`, makes all of it
//!    durable, and creates the next object of the log, but only if no other writer has created it.
//! 4. [`Database::snapshot`] reads the newest commit and opens both arrays at its timestamp. Reads add the conditions that hide dead
//!    fragments and attempts.
//!
//! The modules in that order: `database` and `create` (a handle, a new database), `design` and `array_layout` (the content of a
//! database, and its arrays), `writer/` (takeover, window, compaction, vacuum), `ledger/` (rows and the current attempts),
//! `log/` (commits), `reader/` (snapshots), `files/` (durable files, the lock). `docs/design/0002-commit.md` gives the protocol
//! and its proof.

mod array_layout;
mod blocking;
mod create;
mod database;
mod design;
mod error;
pub mod fault;
mod files;
mod id;
mod ledger;
mod log;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use blocking::run_blocking;
pub use database::Database;
pub use design::{Design, stored_variables};
pub use error::{Error, Result};
pub use files::areas::area_name;
pub use files::location::Location;
pub use id::Id;
pub use ledger::current_attempts;
pub use ledger::row::LedgerRow;
pub use log::array_state::{ArrayState, DeadFragment, FragmentRecord, HiddenFragment};
pub use log::commit::{Commit, CommitKind, DeadAttempt};
pub use reader::AttemptSegments;
pub use reader::snapshot::Snapshot;
pub use writer::{Changes, Vacuumed, Window, Writer};
