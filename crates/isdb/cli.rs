//! What the command line takes. Only types: nothing is decided here.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// ICESat-2 ATL08 granules as a database.
#[derive(Debug, Parser)]
#[command(name = "isdb", version, about, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where the database is.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The database's folder
    #[arg(long, global = true, env = "ISDB_DB", value_name = "PATH")]
    pub(crate) db: Option<String>,
    /// A config file; without it the shipped one, which is built in
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Bring granules into the database; those that are in it already are left out
    Ingest(Ingest),
    /// Run SQL over the database; without a statement, ask for them
    Query(Query),
    /// Show what the database holds
    Info,
}

#[derive(Debug, Args)]
pub(crate) struct Ingest {
    /// HDF5 files, folders (searched at every depth) and patterns such as 'data/*_007_*.h5'
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// How many granules are decoded at a time [default: one per processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
}

#[derive(Debug, Args)]
pub(crate) struct Query {
    /// Statements, for example "SELECT longitude, latitude, canopy_h FROM atl08 WHERE canopy_h > 5"; without them and without
    /// --file a prompt, or what standard input holds
    #[arg(conflicts_with = "file")]
    pub(crate) sql: Option<String>,
    /// Read the statements, separated by `;`, from a file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// How rows are written [default: by the ending of --output, else table]
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// Write to a file, which appears only when the query has succeeded
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Query the state as it was at this time, in milliseconds since 1970 (`isdb info` prints the newest)
    #[arg(long, value_name = "MILLISECONDS")]
    pub(crate) at: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned columns for reading
    Table,
    /// Comma-separated values with a header; profiles as [a, b, …]
    Csv,
    /// One JSON array of objects
    Json,
    /// One JSON object a line
    Ndjson,
    /// Apache Parquet, compressed, with units and descriptions
    Parquet,
    /// Apache Arrow, with units and descriptions: an IPC file (Feather), or a stream to standard output
    Arrow,
}
