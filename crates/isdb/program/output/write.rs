//! Writes rows or text to standard output or to a file.

use std::fs::File;
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
use crate::output::features::Attributes;
use crate::output::flatgeobuf::FlatGeobufWriter;
use crate::output::geojson::GeoJsonWriter;
use crate::output::geometry::GeometryColumn;
use crate::output::geopackage::GeoPackageWriter;
use crate::output::labelled::LabelledColumns;
use crate::output::origin::Origin;
use crate::output::parquet::ParquetWriter;
use crate::output::points::{GeometryColumns, PointColumns};
use crate::output::row_writer::RowWriter;
use crate::output::table::TableWriter;
use crate::output::{ipc, json};

/// Number of bytes that are buffered before they are written.
const BUFFER: usize = 1 << 16;

/// Where rows are written, and how.
#[derive(Clone, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) format: Format,
    /// The file; standard output for `None`.
    pub(crate) file: Option<&'a Path>,
    /// The columns with positions.
    pub(crate) geometry: GeometryColumns,
}

impl<'a> Target<'a> {
    /// The rows of a format with the stored coordinates as positions.
    pub(crate) fn new(format: Format, file: Option<&'a Path>) -> Target<'a> {
        Target { format, file, geometry: GeometryColumns::default() }
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
    let geometry = || GeometryColumn::new(schema, &target.geometry);
    let points = |format| PointColumns::find(schema, &target.geometry)?.ok_or(CliError::NoGeometry { format });
    let labelled = || LabelledColumns::new(schema);
    Ok(match target.format {
        Format::Table => Box::new(TableWriter::new(sink, schema)),
        Format::Csv => Box::new(CsvWriter::new(sink, schema)?),
        Format::Json => Box::new(json::array(sink)),
        Format::Ndjson => Box::new(json::lines(sink)),
        Format::Parquet => Box::new(ParquetWriter::new(sink, schema, geometry()?, origin)?),
        Format::Arrow => match kind {
            Kind::File(_) => Box::new(ipc::file(sink, schema, geometry()?, origin)?),
            Kind::Stream => Box::new(ipc::stream(sink, schema, geometry()?, origin)?),
        },
        Format::GeoJson => Box::new(GeoJsonWriter::new(sink, points("GeoJSON")?, labelled())?),
        Format::FlatGeobuf => {
            let points = points("FlatGeobuf")?;
            Box::new(FlatGeobufWriter::new(sink, points, Attributes::new(labelled()), origin)?)
        }
        Format::GeoPackage => match kind {
            Kind::File(path) => {
                let points = points("GeoPackage")?;
                Box::new(GeoPackageWriter::new(path, points, Attributes::new(labelled()), origin)?)
            }
            Kind::Stream => return Err(CliError::GeoPackageToStream),
        },
    })
}
