//! Arguments of `isdb map`.

use std::path::PathBuf;

use clap::Args;

use super::common::ReadArgs;
use super::parse::position_columns;
use crate::program::map::ValueRange;

#[derive(Debug, Args)]
pub(crate) struct MapArgs {
    /// Statement whose rows are the points, such as "SELECT longitude, latitude, canopy_h FROM atl08": its first number that is not a
    /// coordinate is the colour; without one, the number of points
    pub(crate) sql: String,
    /// The picture (.png), beside which a world file (.pgw) places it on the earth [default: print the map]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Column whose values are the colours; a pixel has the mean of its points
    #[arg(long, value_name = "COLUMN")]
    pub(crate) value: Option<String>,
    /// Values at the ends of the scale [default: the 2nd and 98th percentile of the pixels]
    #[arg(long, value_name = "LOW,HIGH", allow_hyphen_values = true)]
    pub(crate) range: Option<ValueRange>,
    /// Columns with the positions of the rows: longitude, then latitude [default: the stored coordinates, under any name]
    #[arg(long, value_name = "LON,LAT", value_parser = position_columns)]
    pub(crate) geometry_columns: Option<(String, String)>,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}
