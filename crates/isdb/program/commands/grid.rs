//! `isdb grid`: statistics of the segments in each cell of a grid, as a GeoTIFF or as rows.

use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use futures::TryStreamExt;
use tokio::runtime::Handle;

use crate::program::cli::{Format, Grid};
use crate::program::error::CliError;
use crate::program::exit_code::SUCCESS;
use crate::program::grid::{GridMap, GridMetadata, GridStatement, Raster, Template, write_geotiff};
use crate::program::output::{self, Origin, Target};
use crate::program::session::{Session, Source};
use crate::program::settings::{Settings, query_options};

pub(crate) async fn run(arguments: Grid, settings: Settings) -> Result<u8, CliError> {
    let ending = arguments.output.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_lowercase();
    let is_raster = match ending.as_str() {
        "tif" | "tiff" => true,
        "csv" => false,
        _ => return Err(CliError::GridEnding { path: arguments.output }),
    };
    let map = match (arguments.cell, &arguments.like) {
        (Some(cells), _) => GridMap::Globe(cells),
        (None, Some(path)) => GridMap::Pixels(
            Template::open(path)
                .map_err(|error| CliError::Statement { problem: error.to_string(), hint: error.hint() })?,
        ),
        (None, None) => {
            return Err(CliError::Empty {
                expected: "the cells of the grid",
                flag: "--cell and --like",
                hint: "specify --cell 1km, or --like FILE.tif",
            });
        }
    };
    let options = Arc::new(query_options(Source::Database(settings.location), &arguments.read)?);
    let session = Session::open(&options, arguments.read.state.at.as_ref()).await?;
    let columns = session.context().table("atl08").await?.schema().as_arrow().clone();
    let statement = GridStatement {
        map: &map,
        value: &arguments.value,
        least_passes: arguments.min_passes,
        has_canopy: columns.column_with_name("h_canopy").is_some(),
        has_terrain: columns.column_with_name("h_te_best_fit").is_some(),
    };
    let engine = Handle::current();
    let sql = if is_raster { statement.by_cell() } else { statement.by_centre() };
    let started = session.start(&sql, &engine).await?;
    if !is_raster {
        session.write(started, &Target::new(Format::Csv, Some(&arguments.output))).await?;
        return Ok(SUCCESS);
    }
    let (rows, origin) = session.rows_and_origin(started).await?;
    let batches: Vec<RecordBatch> = rows.try_collect().await?;
    let metadata = metadata(&statement, &origin);
    let raster = Raster::new(&batches, metadata.bands.len())?;
    write(&arguments.output, &statement, &raster, &metadata)?;
    Ok(SUCCESS)
}

fn write(path: &Path, statement: &GridStatement<'_>, raster: &Raster, metadata: &GridMetadata) -> Result<(), CliError> {
    let extent = statement.map.extent(raster).ok_or(CliError::EmptyGrid)?;
    output::write_file(path, |file| {
        write_geotiff(file, statement.map, raster, extent, metadata)
            .map_err(|source| CliError::Write { path: path.to_owned(), source })
    })?;
    if raster.beyond() > 0 {
        eprintln!("warning: {} segments are beyond the northern or southern edge of the map", raster.beyond());
    }
    eprintln!("cells: {} of {} columns and {} rows", raster.len(), extent.width, extent.height);
    Ok(())
}

/// The names and meanings of the bands, and the origin of the grid.
fn metadata(statement: &GridStatement<'_>, origin: &Origin) -> GridMetadata {
    let meaning = |band: &str| match band {
        "value" => statement.value.to_owned(),
        "n_segments" => "number of segments".to_owned(),
        "n_canopy" => "number of segments with a canopy height".to_owned(),
        "n_terrain" => "number of segments with a terrain height".to_owned(),
        "n_passes" => "number of passes: a track in a cycle".to_owned(),
        _ => "number of tracks".to_owned(),
    };
    let bands = statement.bands().into_iter().map(|band| (band, meaning(band))).collect();
    GridMetadata { bands, items: origin.entries() }
}
