//! Results as polars data frames.

use std::io::Cursor;

use ::polars::frame::DataFrame;
use ::polars::io::SerReader;
use ::polars::io::ipc::IpcStreamReader;
use arrow::ipc::writer::StreamWriter;
use futures::TryStreamExt;

use crate::library::database::Database;
use crate::library::error::Result;

impl Database {
    /// Runs one statement and collects its rows in a polars data frame. The rows pass through Arrow's IPC stream format in memory,
    /// because polars has an Arrow implementation of its own: for a moment the result is in memory twice. Profiles become columns
    /// of polars' `Array` type.
    ///
    /// # Errors
    /// The errors of [`stream`](Database::stream), and [`Error::Polars`](crate::Error::Polars) for a type that polars does not
    /// have.
    pub async fn polars(&self, sql: &str) -> Result<DataFrame> {
        let mut rows = self.stream(sql).await?;
        let mut writer = StreamWriter::try_new(Vec::new(), &rows.schema()).map_err(arrow_error)?;
        while let Some(batch) = rows.try_next().await? {
            writer.write(&batch).map_err(arrow_error)?;
        }
        let bytes = writer.into_inner().map_err(arrow_error)?;
        Ok(IpcStreamReader::new(Cursor::new(bytes)).finish()?)
    }
}

fn arrow_error(error: arrow::error::ArrowError) -> datafusion::error::DataFusionError {
    error.into()
}
