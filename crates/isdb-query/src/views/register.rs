//! Registers one snapshot of a database in a session: its tables `segments` and `granules`, and the views `granules_current`, `atl08`
//! and `atl08_unique`.

use std::sync::Arc;

use datafusion::prelude::SessionContext;
use futures::FutureExt;
use isdb_store::{Database, Location, Snapshot};
use tiledb_datafusion::TileDbTable;

use crate::error::{Error, Result};
use crate::session::context::{SessionOptions, session};
use crate::views::database_schema::add_tables;
use crate::views::database_tables::DatabaseTables;
use crate::views::expiry::{expiry_hook, explain_expiry};
use crate::views::ledger_table::{LedgerPart, LedgerTable};
use crate::views::options::ViewOptions;

/// Opens a session over the newest state of the database at `location`, with its views restricted by `options`; see [`register`].
/// Later ingests do not change the state that the session sees.
///
/// # Errors
/// [`Error::Store`] when no database exists at `location`, and the errors of [`register`].
pub async fn open(location: &Location, options: &ViewOptions) -> Result<(SessionContext, Arc<DatabaseTables>)> {
    let snapshot = Database::open(location).await?.snapshot().await?;
    let context = session(&SessionOptions::default())?;
    let tables = register(&context, &snapshot, options)?;
    Ok((context, tables))
}

/// Adds the tables of `snapshot` to the default schema of `context`, and the views over them, restricted by `options`. They are
/// created when a statement first names them: nothing is read before. A read whose data a vacuum removes ends with
/// [`Error::Expired`].
///
/// # Errors
/// When `context` has no default schema.
pub fn register(context: &SessionContext, snapshot: &Snapshot, options: &ViewOptions) -> Result<Arc<DatabaseTables>> {
    let snapshot = Arc::new(snapshot.clone());
    let granules = Arc::new(ledger_table(&snapshot));
    let open = move || open_segments(Arc::clone(&snapshot)).boxed();
    let tables = Arc::new(DatabaseTables::new(context, options.clone(), Box::new(open), granules));
    add_tables(context, Arc::clone(&tables))?;
    Ok(tables)
}

/// Opens the segments of `snapshot` as a table.
///
/// # Errors
/// [`Error::Store`] when the array cannot be opened, [`Error::Expired`] or [`Error::Store`] when the snapshot has expired.
async fn open_segments(snapshot: Arc<Snapshot>) -> Result<Arc<TileDbTable>> {
    let opening = Arc::clone(&snapshot);
    let open = move || {
        let segments = opening.segments()?;
        // Without rows of dead attempts every cell of the live fragments is a row.
        let table =
            TileDbTable::of_fragments(segments.array().clone(), segments.visible(), !opening.has_dead_attempts());
        Ok(Arc::new(table.with_error_hook(expiry_hook(&opening))))
    };
    match tokio::task::spawn_blocking(open).await.map_err(|stopped| Error::Stopped { source: stopped })? {
        Ok(table) => Ok(table),
        Err(error) => Err(explain_expiry(&snapshot, error, |expired| expired).await),
    }
}

/// Returns the ledger of `snapshot` as a table.
fn ledger_table(snapshot: &Arc<Snapshot>) -> LedgerTable {
    let part = |file: &isdb_store::LedgerFile| LedgerPart {
        path: snapshot.ledger_path(file),
        bytes: file.checksum.bytes,
        rows: file.rows,
    };
    LedgerTable::new(snapshot.ledger_files().iter().map(part).collect()).of_snapshot(Arc::clone(snapshot))
}
