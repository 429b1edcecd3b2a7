//! `isdb map`: the points of a statement as a picture, in a file or on a terminal.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Schema};
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use tokio::runtime::Handle;

use crate::program::cli::MapArgs;
use crate::program::error::CliError;
use crate::program::exit_code::SUCCESS;
use crate::program::map::{
    Colours, Frame, MapImage, MapSize, Picture, PixelValue, PointSums, print_map, screen, write_png,
};
use crate::program::output::{self, Origin, PointColumns};
use crate::program::session::{Session, Source};
use crate::program::settings::{Settings, query_options};

/// Pixels of a map in a file at most.
const FILE_SIZE: MapSize = MapSize { width: 1000, height: 750 };

pub(crate) async fn run(arguments: MapArgs, settings: Settings) -> Result<u8, CliError> {
    if let Some(path) = arguments.output.as_ref().filter(|path| !has_ending(path, "png")) {
        return Err(CliError::MapEnding { path: path.clone() });
    }
    let options = Arc::new(query_options(Source::Database(settings.location), &arguments.read)?);
    let session = Session::open(&options, arguments.read.state.at.as_ref()).await?;
    let started = session.start(&arguments.sql, &Handle::current()).await?;
    let stored = started.positions();
    let (rows, origin) = session.rows_and_origin(started).await?;
    let points = match &arguments.geometry_columns {
        Some((longitude, latitude)) => PointColumns::named(&rows.schema(), longitude, latitude)?,
        None => stored.ok_or(CliError::NoGeometry { format: "a map" })?,
    };
    let value = value_column(&rows.schema(), points, arguments.value.as_deref())?;
    let title = title(&rows.schema(), value);
    let sums = collect(rows, points, value).await?;
    let shown = if value.is_some() { PixelValue::Means } else { PixelValue::Counts };
    let picture = |size| {
        let frame = Frame::around(&sums, size).ok_or(CliError::EmptyMap)?;
        let picture = Picture::new(&sums, frame, shown);
        let colours = Colours::new(&picture, arguments.range);
        Ok::<_, CliError>((picture, colours))
    };
    match &arguments.output {
        Some(path) => {
            let (picture, colours) = picture(FILE_SIZE)?;
            write(path, &MapImage::draw(&picture, &colours, &title), &origin)?;
        }
        None => {
            let (palette, size) = screen();
            let (picture, colours) = picture(size)?;
            output::print(&print_map(&picture, &colours, palette, &title))?;
        }
    }
    eprintln!("points: {}", sums.points());
    Ok(SUCCESS)
}

fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending))
}

/// Returns the column of the values: that of the user, or the first number that is not a coordinate.
fn value_column(schema: &Schema, points: PointColumns, name: Option<&str>) -> Result<Option<usize>, CliError> {
    let is_number = |index: usize| schema.field(index).data_type().is_numeric();
    let Some(name) = name else {
        return Ok((0..schema.fields().len()).find(|index| is_number(*index) && !points.contains(*index)));
    };
    let found = schema.fields().iter().position(|field| field.name() == name);
    match found.filter(|index| is_number(*index)) {
        Some(index) => Ok(Some(index)),
        None => Err(CliError::ValueColumn { column: name.to_owned(), is_found: found.is_some() }),
    }
}

/// The name of the values and their unit.
fn title(schema: &Schema, value: Option<usize>) -> String {
    let Some(value) = value else { return "points".to_owned() };
    let field = schema.field(value);
    match field.metadata().get("units").filter(|units| *units != "1") {
        Some(units) => format!("{} ({units})", field.name()),
        None => field.name().clone(),
    }
}

/// Adds up the points of all rows that have a position and a value.
async fn collect(
    mut rows: SendableRecordBatchStream,
    points: PointColumns,
    value: Option<usize>,
) -> Result<PointSums, CliError> {
    let mut sums = PointSums::default();
    while let Some(batch) = rows.next().await.transpose()? {
        let positions = points.points(&batch)?;
        let values = value.map(|column| cast(batch.column(column), &DataType::Float64)).transpose()?;
        let values = values.as_ref().map(|values| values.as_primitive::<Float64Type>());
        for row in 0..batch.num_rows() {
            let value = match values {
                Some(values) if values.is_null(row) => None,
                Some(values) => Some(values.value(row)).filter(|value| value.is_finite()),
                None => Some(1.0),
            };
            if let (Some((longitude, latitude)), Some(value)) = (positions.get(row), value) {
                sums.add(longitude, latitude, value);
            }
        }
        // A stream that is always ready would never give Ctrl-C a turn.
        tokio::task::yield_now().await;
    }
    Ok(sums)
}

/// Writes the picture and its world file.
fn write(path: &Path, image: &MapImage, origin: &Origin) -> Result<(), CliError> {
    output::write_file(path, |file| {
        write_png(file, image, origin.entries())
            .map_err(|error| CliError::Write { path: path.to_owned(), source: error.into() })
    })?;
    let world = path.with_extension("pgw");
    output::write_text(Some(&world), |sink| {
        sink.write_all(image.world_file().as_bytes()).map_err(|source| CliError::Write { path: world.clone(), source })
    })
}
