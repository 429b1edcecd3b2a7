//! Arguments of `isdb query`, and the formats of rows.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::common::ReadArgs;
use super::parse::position_columns;

#[derive(Debug, Args)]
pub(crate) struct Query {
    /// Statements, for example "SELECT longitude, latitude, canopy_h FROM atl08 WHERE canopy_h > 5"; if neither they nor
    /// --file are given, statements are read at a prompt or from standard input
    #[arg(conflicts_with = "file")]
    pub(crate) sql: Option<String>,
    /// Read the statements, separated by `;`, from a file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Output format [default: from the extension of --output, else table]
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// Write to a file, created only if the query succeeds
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Geometry of the rows in files: the position of a segment, the line of the segment along its track, or a rectangle 11 m wide
    /// around it; lines and rectangles need segment_id_beg and n_geosegments
    #[arg(long, value_enum, default_value_t = Geometry::Point)]
    pub(crate) geometry: Geometry,
    /// Columns with the positions of the rows: longitude, then latitude [default: the stored coordinates, under any name]
    #[arg(long, value_name = "LON,LAT", value_parser = position_columns, conflicts_with = "geometry")]
    pub(crate) geometry_columns: Option<(String, String)>,
    /// Write profiles to Parquet and Arrow as a column for each element (canopy_h_metrics_p50), as the other formats do
    #[arg(long)]
    pub(crate) flatten: bool,
    /// Write Parquet and Arrow for older readers, such as fastparquet and Spark: times in microseconds, plain encodings
    #[arg(long)]
    pub(crate) compatible: bool,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
    /// Query this TileDB array instead of a database: a folder or s3://bucket/prefix with an array of icesat2db, gedidb or another program,
    /// or the name of a public one: icesat2db (ATL08) or gedidb (GEDI)
    #[arg(long, value_name = "PATH|URL|NAME")]
    pub(crate) array: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Geometry {
    /// The position
    Point,
    /// The segment along its track, 20 m for each of its geosegments
    Line,
    /// A rectangle 11 m wide around that line
    Footprint,
    /// Write Parquet and Arrow without a geometry
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned columns
    Table,
    /// Comma-separated values with a header; profiles as a column for each label
    Csv,
    /// One JSON array of objects
    Json,
    /// One JSON object per line
    Ndjson,
    /// Apache Parquet, compressed, with units and descriptions; GeoParquet if the rows have positions
    Parquet,
    /// Apache Arrow, with units and descriptions: an IPC file (Feather), or a stream to standard output
    Arrow,
    /// GeoJSON: a feature for each row
    #[value(name = "geojson")]
    GeoJson,
    /// FlatGeobuf: a feature for each row, with a spatial index
    #[value(name = "flatgeobuf")]
    FlatGeobuf,
    /// GeoPackage: a feature for each row, in a SQLite file
    #[value(name = "geopackage")]
    GeoPackage,
}
