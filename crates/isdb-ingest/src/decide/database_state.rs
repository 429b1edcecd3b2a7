//! The database as of one commit, which candidates are compared with.

use isdb_store::{Database, LedgerRow, Snapshot};

use crate::decide::current::CurrentAttempts;
use crate::error::Result;

/// The newest commit of a database with its ledger; empty for a database that does not exist yet.
#[derive(Default)]
pub(crate) struct NewestCommit {
    database: Option<Database>,
    snapshot: Option<Snapshot>,
    ledger: Vec<LedgerRow>,
}

/// A [`NewestCommit`] with its current attempts.
pub(crate) struct DatabaseState<'a> {
    pub(crate) database: Option<&'a Database>,
    pub(crate) snapshot: Option<&'a Snapshot>,
    pub(crate) ledger: &'a [LedgerRow],
    pub(crate) current: CurrentAttempts<'a>,
}

impl NewestCommit {
    /// Reads the newest commit of `database`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) async fn read(database: &Database) -> Result<NewestCommit> {
        let snapshot = database.snapshot().await?;
        let ledger = snapshot.ledger().await?;
        Ok(NewestCommit { database: Some(database.clone()), snapshot: Some(snapshot), ledger })
    }

    /// Finds the current attempts.
    pub(crate) fn state(&self) -> DatabaseState<'_> {
        DatabaseState {
            database: self.database.as_ref(),
            snapshot: self.snapshot.as_ref(),
            ledger: &self.ledger,
            current: CurrentAttempts::new(&self.ledger),
        }
    }
}
