//! Arguments of `isdb grid`.

use std::path::PathBuf;

use clap::Args;

use super::common::ReadArgs;
use crate::program::grid::Cells;

#[derive(Debug, Args)]
pub(crate) struct Grid {
    /// The file: a GeoTIFF (.tif), or rows with the centres of the cells (.csv)
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Size of the cells: degrees that divide 90, such as 0.1deg (EPSG:4326), or 1km, 3km, 9km, 12.5km, 25km or 36km of EASE-Grid 2.0, whose
    /// cells have equal areas (EPSG:6933)
    #[arg(long, value_name = "SIZE", required_unless_present = "like")]
    pub(crate) cell: Option<Cells>,
    /// Cells of another raster: its coordinate system, origin, size of pixels and extent, so that both line up pixel by pixel
    #[arg(long, value_name = "FILE.tif", conflicts_with = "cell")]
    pub(crate) like: Option<PathBuf>,
    /// Statistic of the segments in a cell: an aggregate of columns of atl08, such as "median(canopy_h)"
    #[arg(long, value_name = "SQL")]
    pub(crate) value: String,
    /// Leave cells with fewer passes empty; a pass is a track in a cycle
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) min_passes: u32,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}
