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
    /// Show the product's variables: what they are, in which units and releases, and which the database stores
    Variables(Variables),
    /// Show the quality filters that ingest and query can apply
    Filters(Filters),
    /// Write the shipped config, with its comments, to a file to change
    Init(Init),
    /// Look at config files
    #[command(subcommand)]
    Config(Config),
    /// Add variables to an existing database; segments that are stored already hold NULL there until their granules are
    /// ingested again
    AddVariable(AddVariable),
    /// Take granules out of the database, for example since NASA withdrew them; a later ingest leaves them out, unless it names
    /// the file itself
    Remove(Remove),
}

#[derive(Debug, Args)]
pub(crate) struct Ingest {
    /// HDF5 files, folders (searched at every depth) and patterns such as 'data/*_007_*.h5'
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Keep only segments that pass these filters, such as strong,night,snow_free [default: those of the database, of the
    /// config, else none]
    #[arg(long, value_name = "LIST")]
    pub(crate) filters: Option<String>,
    /// How many granules are decoded at a time [default: one per processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
    /// Try files again that failed before and have not changed since
    #[arg(long)]
    pub(crate) retry: bool,
    /// Take granules of another release than the database's; they replace what is stored of the same pass, all of a window or
    /// none
    #[arg(long)]
    pub(crate) replace_release: bool,
    /// Change the database to other filters, and ingest these granules again with them
    #[arg(long)]
    pub(crate) refilter: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// Ids of granules, patterns such as 'ATL08_2020*', and @FILE for a file with one of these a line
    #[arg(required = true, value_name = "GRANULE")]
    pub(crate) granules: Vec<String>,
    /// Only tell what would be removed
    #[arg(long)]
    pub(crate) dry_run: bool,
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
    /// Let atl08 show only segments that pass these filters, such as strong,night,snow_free
    #[arg(long, value_name = "LIST")]
    pub(crate) filters: Option<String>,
    /// Query the state as it was at this time, in milliseconds since 1970 (`isdb info` prints the newest)
    #[arg(long, value_name = "MILLISECONDS")]
    pub(crate) at: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct Variables {
    /// A name, a part of a name or of its HDF5 path, or a pattern such as 'h_te_*'; one variable is told in full
    pub(crate) pattern: Option<String>,
    /// Only those that granules of this release hold, such as 004
    #[arg(long, value_name = "RELEASE")]
    pub(crate) release: Option<u16>,
    /// How rows are written
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
}

#[derive(Debug, Args)]
pub(crate) struct Filters {
    /// A filter, or a list such as strong,night, told in full with its SQL
    pub(crate) name: Option<String>,
    /// How rows are written
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The file, which must not exist
    #[arg(default_value = "atl08.yml", value_name = "FILE")]
    pub(crate) path: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Check a config without ingesting anything: its keys, values, and the SQL of its filters and columns
    Check {
        /// The config file
        #[arg(value_name = "FILE")]
        path: PathBuf,
    },
    /// Print the JSON Schema of configs, for editors
    Schema,
}

#[derive(Debug, Args)]
pub(crate) struct AddVariable {
    /// Names of the product, as `isdb variables` shows them
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,
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
