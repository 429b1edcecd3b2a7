//! The Rust face: a database as a DataFusion session.

use datafusion::prelude::SessionContext;
use isdb_query::ViewOptions;
use isdb_store::Location;

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text names no place where a database can be.
    #[error(transparent)]
    Location(#[from] isdb_store::Error),
    /// There is no database there, or it cannot be read.
    #[error(transparent)]
    Open(#[from] isdb_query::Error),
}

/// A session over the newest state of the database at `uri` (a path or `file://` URI): the tables `segments` and `granules`
/// and the view `atl08`. The session keeps that state whatever is ingested meanwhile; open another one to see more.
///
/// # Errors
/// See [`Error`].
pub async fn open(uri: &str) -> Result<SessionContext, Error> {
    let (context, _) = open_with(uri, &ViewOptions::default()).await?;
    Ok(context)
}

/// As [`open`], with views that show only what `options` choose. Also returns warnings: which filters some granules of the database
/// cannot answer.
///
/// # Errors
/// See [`Error`].
pub async fn open_with(uri: &str, options: &ViewOptions) -> Result<(SessionContext, Vec<String>), Error> {
    Ok(isdb_query::open(&Location::parse(uri)?, options).await?)
}
