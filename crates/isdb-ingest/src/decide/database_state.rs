//! The database as of one commit, which candidates are compared with.

use isdb_store::{Database, Snapshot};

use crate::decide::ledger::Ledger;
use crate::error::Result;

/// A database at its newest commit with its ledger; empty for a database that does not exist yet.
#[derive(Default)]
pub(crate) struct DatabaseState {
    pub(crate) database: Option<Database>,
    pub(crate) snapshot: Option<Snapshot>,
    pub(crate) ledger: Ledger,
}

impl DatabaseState {
    /// Reads the newest commit of `database`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) async fn read(database: &Database) -> Result<DatabaseState> {
        let snapshot = database.snapshot().await?;
        let ledger = Ledger::new(snapshot.ledger().await?);
        Ok(DatabaseState { database: Some(database.clone()), snapshot: Some(snapshot), ledger })
    }

    /// Returns the state at the newest commit of `database`. The ledger is read again only if it has changed.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub(crate) async fn refresh(self, database: &Database) -> Result<DatabaseState> {
        let newest = database.snapshot().await?;
        let is_same = |earlier: &Snapshot| earlier.ledger_files() == newest.ledger_files();
        if self.snapshot.as_ref().is_some_and(is_same) {
            return Ok(DatabaseState { snapshot: Some(newest), ..self });
        }
        // The earlier ledger is dropped before the newer one is read.
        drop(self);
        DatabaseState::read(database).await
    }
}
