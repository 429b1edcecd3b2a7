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
    match Place::open(path).map_err(failed)? {
        Place::Stream(sink) => write_to(sink, Kind::Stream, rows, format, origin, failed).await,
        Place::File(unfinished) => {
            let count = write_to(&unfinished.sink, Kind::File, rows, format, origin, failed).await?;
            unfinished.finish().map_err(failed)?;
            Ok(count)
        }
    }
}

/// Writes `rows`, which are at hand, to standard output.
pub(crate) async fn write_batch(rows: RecordBatch, format: Format) -> Result<usize, Failure> {
    write_batch_to(rows, format, None).await
}

/// Writes `rows`, which are at hand, as [`write`] does.
pub(crate) async fn write_batch_to(rows: RecordBatch, format: Format, file: Option<&Path>) -> Result<usize, Failure> {
    let (schema, batches) = (rows.schema(), futures::stream::iter([Ok(rows)]));
    let stream = Box::pin(RecordBatchStreamAdapter::new(schema, batches));
    write(stream, format, file, &Origin::default()).await
}

/// Writes what `fill` writes, which is no rows, where [`write`] would.
pub(crate) fn write_text<E>(
    file: Option<&Path>,
    fill: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> Result<(), Failure>
where
    Failure: From<E>,
{
    let Some(path) = file else { return Ok(fill(&mut BufWriter::with_capacity(BUFFER, std::io::stdout()))?) };
    let failed = |source| Failure::Write { path: path.to_owned(), source };
    match Place::open(path).map_err(failed)? {
        Place::Stream(sink) => fill(&mut BufWriter::with_capacity(BUFFER, sink))?,
        Place::File(unfinished) => {
            fill(&mut BufWriter::with_capacity(BUFFER, &unfinished.sink))?;
            unfinished.finish().map_err(failed)?;
        }
    }
    Ok(())
}

/// Writes `text` to standard output.
///
/// # Errors
/// [`Failure::Stdout`] when not all of it could be written.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Failure::Stdout)
}

/// What is behind a path to write to.
enum Place {
    /// A device or pipe, which has to stay what it is.
    Stream(File),
    /// A file, which is there when all is in it.
    File(Unfinished),
}

impl Place {
    /// A link is followed.
    fn open(path: &Path) -> std::io::Result<Place> {
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        match path.exists() && !path.is_file() {
            true => Ok(Place::Stream(File::options().write(true).open(path)?)),
            false => Ok(Place::File(Unfinished::beside(path)?)),
        }
    }
}

/// A file that is removed when it is let go before it got its real name.
struct Unfinished {
    sink: File,
    path: PathBuf,
    finished: PathBuf,
}

impl Unfinished {
    fn beside(finished: PathBuf) -> std::io::Result<Unfinished> {
        let name = finished.file_name().unwrap_or_default().to_string_lossy();
        let path = finished.with_file_name(format!(".{name}.{}", std::process::id()));
        Ok(Unfinished { sink: File::create(&path)?, path, finished })
    }

    fn finish(&self) -> std::io::Result<()> {
        self.sink.sync_all()?;
        std::fs::rename(&self.path, &self.finished)
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
