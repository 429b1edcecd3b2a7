//! Writes rows or text to standard output or to a file.

use std::io::{BufWriter, Write};
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;

use crate::cli::Format;
use crate::error::CliError;
use crate::output::csv::CsvWriter;
use crate::output::destination::Destination;
use crate::output::origin::Origin;
use crate::output::parquet::ParquetWriter;
use crate::output::row_writer::RowWriter;
use crate::output::table::TableWriter;
use crate::output::{ipc, json};

/// Number of bytes that are buffered before they are written.
const BUFFER: usize = 1 << 16;

/// Writes every row of `rows` and returns their number. A file appears under its name only when it has all rows.
pub(crate) async fn write_rows(
    rows: SendableRecordBatchStream,
    format: Format,
    file: Option<&Path>,
    origin: &Origin,
) -> Result<usize, CliError> {
    let Some(path) = file else {
        return write_to(std::io::stdout(), Kind::Stream, rows, format, origin, CliError::Stdout).await;
    };
    let failed = |source| CliError::Write { path: path.to_owned(), source };
    match Destination::open(path).map_err(failed)? {
        Destination::Stream(sink) => write_to(sink, Kind::Stream, rows, format, origin, failed).await,
        Destination::File(unfinished) => {
            let count = write_to(&unfinished.sink, Kind::File, rows, format, origin, failed).await?;
            unfinished.finish().map_err(failed)?;
            Ok(count)
        }
    }
}

/// Writes `rows` to standard output.
pub(crate) async fn write_batch(rows: RecordBatch, format: Format) -> Result<usize, CliError> {
    write_batch_to(rows, format, None).await
}

/// Writes `rows` as [`write_rows`] does.
pub(crate) async fn write_batch_to(rows: RecordBatch, format: Format, file: Option<&Path>) -> Result<usize, CliError> {
    let (schema, batches) = (rows.schema(), futures::stream::iter([Ok(rows)]));
    let stream = Box::pin(RecordBatchStreamAdapter::new(schema, batches));
    write_rows(stream, format, file, &Origin::default()).await
}

/// Writes the text that `fill` produces, to the same destinations as [`write_rows`].
pub(crate) fn write_text<E>(
    file: Option<&Path>,
    fill: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> Result<(), CliError>
where
    CliError: From<E>,
{
    let Some(path) = file else { return Ok(fill(&mut BufWriter::with_capacity(BUFFER, std::io::stdout()))?) };
    let failed = |source| CliError::Write { path: path.to_owned(), source };
    match Destination::open(path).map_err(failed)? {
        Destination::Stream(sink) => fill(&mut BufWriter::with_capacity(BUFFER, sink))?,
        Destination::File(unfinished) => {
            fill(&mut BufWriter::with_capacity(BUFFER, &unfinished.sink))?;
            unfinished.finish().map_err(failed)?;
        }
    }
    Ok(())
}

/// Writes `text` to standard output.
///
/// # Errors
/// [`CliError::Stdout`] when it could not be written as a whole.
pub(crate) fn print(text: &str) -> Result<(), CliError> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(CliError::Stdout)
}

/// The kind of output. A reader can seek in a file, but not in a stream.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Stream,
}

async fn write_to(
    sink: impl Write + Send,
    kind: Kind,
    mut rows: SendableRecordBatchStream,
    format: Format,
    origin: &Origin,
    failed: impl Fn(std::io::Error) -> CliError,
) -> Result<usize, CliError> {
    let mut sink = BufWriter::with_capacity(BUFFER, sink);
    let mut writer = writer(&mut sink, kind, &rows.schema(), format, origin)?;
    let mut count = 0;
    while let Some(batch) = rows.next().await.transpose()? {
        count += batch.num_rows();
        writer.write(&batch)?;
        // A stream that is always ready would never give Ctrl-C a turn.
        tokio::task::yield_now().await;
    }
    writer.finish()?;
    sink.flush().map_err(failed)?;
    Ok(count)
}

fn writer<'a>(
    sink: &'a mut (impl Write + Send),
    kind: Kind,
    schema: &SchemaRef,
    format: Format,
    origin: &Origin,
) -> Result<Box<dyn RowWriter + 'a>, CliError> {
    Ok(match format {
        Format::Table => Box::new(TableWriter::new(sink, schema)),
        Format::Csv => Box::new(CsvWriter::new(sink, schema)?),
        Format::Json => Box::new(json::array(sink)),
        Format::Ndjson => Box::new(json::lines(sink)),
        Format::Parquet => Box::new(ParquetWriter::new(sink, schema, origin)?),
        Format::Arrow => match kind {
            Kind::File => Box::new(ipc::file(sink, schema, origin)?),
            Kind::Stream => Box::new(ipc::stream(sink, schema, origin)?),
        },
    })
}
