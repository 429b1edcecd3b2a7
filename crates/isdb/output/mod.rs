//! Where rows go: a stream of batches to standard output or a file, in the format asked for, in bounded memory.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use arrow::json::ArrayWriter;
use arrow::json::writer::{JsonArray, WriterBuilder};
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;

use crate::cli::Format;
use crate::failure::Failure;

mod csv;
mod table;

/// Writes every row of `rows` and says how many there were. A file appears under its name only when all rows are in it.
pub(crate) async fn write(
    rows: SendableRecordBatchStream,
    format: Format,
    file: Option<PathBuf>,
) -> Result<usize, Failure> {
    let Some(path) = file else {
        return write_to(BufWriter::new(std::io::stdout().lock()), rows, format, Failure::Stdout).await;
    };
    let failed = |source| Failure::Write { path: path.clone(), source };
    // A link is followed, and a device or pipe has to stay what it is.
    let path = std::fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
    if path.exists() && !path.is_file() {
        let sink = File::options().write(true).open(&path).map_err(failed)?;
        return write_to(BufWriter::new(sink), rows, format, failed).await;
    }
    let unfinished = Unfinished::beside(&path);
    let sink = File::create(&unfinished.path).map_err(failed)?;
    let count = write_to(BufWriter::new(&sink), rows, format, failed).await?;
    sink.sync_all().map_err(failed)?;
    std::fs::rename(&unfinished.path, &path).map_err(failed)?;
    Ok(count)
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

async fn write_to(
    mut sink: impl Write,
    mut rows: SendableRecordBatchStream,
    format: Format,
    failed: impl Fn(std::io::Error) -> Failure,
) -> Result<usize, Failure> {
    let schema = rows.schema();
    let mut count = 0;
    match format {
        Format::Table => {
            let mut table = table::TableWriter::new(&mut sink, &schema);
            while let Some(batch) = rows.next().await.transpose()? {
                count += batch.num_rows();
                table.write(&batch)?;
            }
            table.finish()?;
        }
        Format::Csv => {
            let mut csv = csv::CsvWriter::new(&mut sink, &schema)?;
            while let Some(batch) = rows.next().await.transpose()? {
                count += batch.num_rows();
                csv.write(&batch)?;
            }
        }
        Format::Json => {
            let builder = WriterBuilder::new().with_explicit_nulls(true);
            let mut json: ArrayWriter<_> = builder.build::<_, JsonArray>(&mut sink);
            while let Some(batch) = rows.next().await.transpose()? {
                count += batch.num_rows();
                json.write(&batch)?;
            }
            json.finish()?;
        }
    }
    sink.flush().map_err(failed)?;
    Ok(count)
}
