//! Writes rows or text to standard output or to a file.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;

use crate::program::cli::Format;
use crate::program::error::CliError;
use crate::program::output::choice::GeometryChoice;
use crate::program::output::csv::CsvWriter;
use crate::program::output::destination::Destination;
use crate::program::output::features::Attributes;
use crate::program::output::file_columns::{FileColumns, FileOptions};
use crate::program::output::flatgeobuf::FlatGeobufWriter;
use crate::program::output::geojson::GeoJsonWriter;
use crate::program::output::geometries::GeometrySource;
use crate::program::output::geopackage::GeoPackageWriter;
use crate::program::output::labelled::LabelledColumns;
use crate::program::output::origin::Origin;
use crate::program::output::parquet::ParquetWriter;
use crate::program::output::row_writer::RowWriter;
use crate::program::output::table::TableWriter;
use crate::program::output::texts::GeometryTexts;
use crate::program::output::{ipc, json};

/// Number of bytes that are buffered before they are written.
const BUFFER: usize = 1 << 16;

/// Where rows are written, and how.
#[derive(Clone, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) format: Format,
    /// The file; standard output for `None`.
    pub(crate) file: Option<&'a Path>,
    pub(crate) geometry: GeometryChoice,
    pub(crate) options: FileOptions,
}

impl<'a> Target<'a> {
    /// The rows of a format with the stored coordinates as positions.
    pub(crate) fn new(format: Format, file: Option<&'a Path>) -> Target<'a> {
        Target { format, file, geometry: GeometryChoice::default(), options: FileOptions::default() }
    }
}

/// Writes every row of `rows` and returns their number. A file appears under its name only when it has all rows.
pub(crate) async fn write_rows(
    rows: SendableRecordBatchStream,
    target: &Target<'_>,
    origin: &Origin,
) -> Result<usize, CliError> {
    let Some(path) = target.file else {
        return write_to(std::io::stdout(), Kind::Stream, rows, target, origin, CliError::Stdout).await;
    };
    let failed = |source| CliError::Write { path: path.to_owned(), source };
    match Destination::open(path).map_err(failed)? {
        Destination::Stream(sink) => write_to(sink, Kind::Stream, rows, target, origin, failed).await,
        Destination::File(unfinished) => {
            let kind = Kind::File(unfinished.path());
            let count = write_to(&unfinished.sink, kind, rows, target, origin, failed).await?;
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
    write_rows(stream, &Target::new(format, file), &Origin::default()).await
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

/// Writes a file that `fill` may write in any order. It appears under its name when `fill` has ended without an error.
pub(crate) fn write_file(path: &Path, fill: impl FnOnce(&File) -> Result<(), CliError>) -> Result<(), CliError> {
    let failed = |source| CliError::Write { path: path.to_owned(), source };
    match Destination::open(path).map_err(failed)? {
        Destination::Stream(sink) => fill(&sink),
        Destination::File(unfinished) => {
            fill(&unfinished.sink)?;
            unfinished.finish().map_err(failed)
        }
    }
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
#[derive(Clone, Copy)]
enum Kind<'a> {
    /// A file, under its name while it is not finished.
    File(&'a Path),
    Stream,
}

async fn write_to(
    sink: impl Write + Send,
    kind: Kind<'_>,
    mut rows: SendableRecordBatchStream,
    target: &Target<'_>,
    origin: &Origin,
    failed: impl Fn(std::io::Error) -> CliError,
) -> Result<usize, CliError> {
    let mut sink = BufWriter::with_capacity(BUFFER, sink);
    let mut writer = writer(&mut sink, kind, &rows.schema(), target, origin)?;
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
    kind: Kind<'_>,
    schema: &SchemaRef,
    target: &Target<'_>,
    origin: &Origin,
) -> Result<Box<dyn RowWriter + 'a>, CliError> {
    let columns = || FileColumns::new(schema, &target.geometry, target.options);
    let source = |format| target.geometry.find(schema)?.ok_or(CliError::NoGeometry { format });
    let labelled = |source: GeometrySource| LabelledColumns::new(schema, source.column());
    Ok(match target.format {
        Format::Table => Box::new(GeometryTexts::new(schema, |schema| Ok(TableWriter::new(sink, schema)))?),
        Format::Csv => Box::new(GeometryTexts::new(schema, |schema| Ok(CsvWriter::new(sink, schema)?))?),
        Format::Json => Box::new(GeometryTexts::new(schema, |_| Ok(json::array(sink)))?),
        Format::Ndjson => Box::new(GeometryTexts::new(schema, |_| Ok(json::lines(sink)))?),
        Format::Parquet => Box::new(ParquetWriter::new(sink, columns()?, target.options, origin)?),
        Format::Arrow => match kind {
            Kind::File(_) => Box::new(ipc::file(sink, columns()?, origin)?),
            Kind::Stream => Box::new(ipc::stream(sink, columns()?, origin)?),
        },
        Format::GeoJson => {
            let source = source("GeoJSON")?;
            Box::new(GeoJsonWriter::new(sink, source, labelled(source))?)
        }
        Format::FlatGeobuf => {
            let source = source("FlatGeobuf")?;
            Box::new(FlatGeobufWriter::new(sink, source, Attributes::new(labelled(source)), origin)?)
        }
        Format::GeoPackage => match kind {
            Kind::File(path) => {
                let source = source("GeoPackage")?;
                Box::new(GeoPackageWriter::new(path, source, Attributes::new(labelled(source)), origin)?)
            }
            Kind::Stream => return Err(CliError::GeoPackageToStream),
        },
    })
}
