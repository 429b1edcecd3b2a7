//! Where rows go: a stream of batches to standard output or a file, in the format asked for, in bounded memory.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;

use crate::cli::Format;
use crate::failure::Failure;

mod csv;
mod format;
mod ipc;
mod json;
mod origin;
mod parquet;
mod table;

use csv::CsvWriter;
pub(crate) use origin::Origin;
use parquet::ParquetWriter;
use table::TableWriter;

/// Bytes gathered before they are written.
const BUFFER: usize = 1 << 16;

/// Writes every row of `rows` and says how many there were. A file appears under its name only when all rows are in it.
pub(crate) async fn write(
    rows: SendableRecordBatchStream,
    format: Format,
    file: Option<&Path>,
    origin: &Origin,
) -> Result<usize, Failure> {
    let Some(path) = file else {
        return write_to(std::io::stdout(), Kind::Stream, rows, format, origin, Failure::Stdout).await;
    };
    let failed = |source| Failure::Write { path: path.to_owned(), source };
    // A link is followed, and a device or pipe has to stay what it is.
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if path.exists() && !path.is_file() {
        let sink = File::options().write(true).open(&path).map_err(failed)?;
        return write_to(sink, Kind::Stream, rows, format, origin, failed).await;
    }
    let unfinished = Unfinished::beside(&path);
    let sink = File::create(&unfinished.path).map_err(failed)?;
    let count = write_to(&sink, Kind::File, rows, format, origin, failed).await?;
    sink.sync_all().map_err(failed)?;
    std::fs::rename(&unfinished.path, &path).map_err(failed)?;
    Ok(count)
}

/// Writes `rows`, which are at hand, to standard output.
pub(crate) async fn write_batch(rows: RecordBatch, format: Format) -> Result<usize, Failure> {
    let (schema, batches) = (rows.schema(), futures::stream::iter([Ok(rows)]));
    let stream = Box::pin(RecordBatchStreamAdapter::new(schema, batches));
    write(stream, format, None, &Origin::default()).await
}

/// A file that is removed when it is let go before it got its real name.
struct Unfinished {
    path: PathBuf,
}

impl Unfinished {
    fn beside(path: &Path) -> Unfinished {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Unfinished { path: path.with_file_name(format!(".{name}.{}", std::process::id())) }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After the rename there is nothing left under this name, and that is fine.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// One format's writer: takes batches of one schema, then ends what it has written.
trait RowWriter {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure>;
    fn finish(self: Box<Self>) -> Result<(), Failure>;
}

/// Whether what is written can be read from its end, as a file can.
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
    failed: impl Fn(std::io::Error) -> Failure,
) -> Result<usize, Failure> {
    let mut sink = BufWriter::with_capacity(BUFFER, sink);
    let mut writer = writer(&mut sink, kind, &rows.schema(), format, origin)?;
    let mut count = 0;
    while let Some(batch) = rows.next().await.transpose()? {
        count += batch.num_rows();
        writer.write(&batch)?;
        // Rows that are ready at once would never let Ctrl-C have its turn.
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
) -> Result<Box<dyn RowWriter + 'a>, Failure> {
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
