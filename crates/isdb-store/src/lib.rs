//! An isdb database at a location: a TileDB array (`segments`), the ledger in Parquet files, the commit log that makes the granules of a
//! window visible together, the writer's lock, and the snapshots that readers hold. Knows neither SQL nor HDF5.
//!
//! How a commit becomes visible:
//! 1. [`Writer::take_over`] locks the database, commits a fence that stops earlier writers, and removes their unfinished files.
//! 2. [`Writer::begin_window`] gives out a timestamp and ids. The caller writes fragments with [`write_fragment`]; no reader sees these.
//! 3. [`Writer::commit`] checks the fragments against the ledger rows, writes the rows as files of the ledger, makes all of it
//!    durable, and creates the next object of the log, but only if no other writer has created it.
//! 4. [`Database::snapshot`] adds up the changes in the log. Files are opened when a read needs them; reads of segments add the
//!    condition that hides dead fragments and attempts.
//!
//! The modules in that order: `database` and `create` (a handle, a new database), `design` and `array_layout` (the content of a
//! database, and its array), `fragment/` (a fragment and its record), `writer/` (takeover, window, compaction, tags, vacuum, repair), `check/` (everything is read), `copy/` (a database at another place), `ledger/`
//! (rows, their files, the current attempts), `log/` (commits and their sum), `reader/` (snapshots), `files/` (durable files, the
//! lock). `other_array` opens arrays of other programs. `docs/design/0002-commit.md` gives the protocol and its proof.

mod array_layout;
mod blocking;
mod check;
mod copy;
mod create;
mod create_remote;
mod database;
mod design;
mod error;
pub mod fault;
mod files;
mod fragment;
mod id;
mod ledger;
mod log;
mod other_array;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use blocking::run_blocking;
pub use check::{CheckProgress, CheckReport, Damage, Remedy, check};
pub use copy::{Copied, CopyProgress, copy};
pub use database::Database;
pub use design::{Design, stored_variables};
pub use error::{Error, Result};
pub use files::areas::area_name;
pub use files::aws_sources::AwsSources;
pub use files::location::Location;
pub use files::storage_settings::{AssumedRole, SsoAccount, StorageCredentials, StorageSettings};
pub use files::stored_objects::StoredObject;
pub use fragment::{Bounds, FileChecksum, FragmentRecord, WrittenFragment, write_fragment};
pub use id::Id;
pub use ledger::current_attempts;
pub use ledger::file::{LedgerFile, LedgerFileKind};
pub use ledger::row::LedgerRow;
pub use log::changes::{AbandonedFragment, DeadAttempt, LedgerChanges, SegmentChanges, Tag};
pub use log::commit::{Commit, CommitKind};
pub use other_array::open_array;
pub use reader::snapshot::Snapshot;
pub use reader::{AttemptSegments, OpenSegments, Retention, TagCosts};
pub use tiledb::Rows;
pub use writer::{Changes, Repaired, Vacuumed, Window, Writer, repair};
