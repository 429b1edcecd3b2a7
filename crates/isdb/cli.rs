//! What the command line takes. Only types: nothing is decided here.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use isdb_query::{MIN_QUERY_MEMORY, QueryResources};
use isdb_schema::config::{Config as Settings, LEAST_MEMORY, Policy};
use isdb_schema::units::{parse_bytes, parse_milliseconds};

use crate::limits;
use crate::logs::filter;

/// ICESat-2 ATL08 granules as a database.
#[derive(Debug, Parser)]
#[command(name = "isdb", version, about, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) logs: Logs,
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

/// What is logged, and where.
#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// What is logged: error, warn, info, debug, trace or off, also by target: warn,isdb_store=debug
    #[arg(
        long,
        global = true,
        env = "ISDB_LOG",
        value_name = "LEVEL|FILTER",
        default_value = "warn",
        value_parser = log
    )]
    pub(crate) log: String,
    /// How events are logged
    #[arg(long, global = true, value_enum, value_name = "FORM", default_value = "text")]
    pub(crate) log_format: Form,
    /// Log into this file, behind what is there, instead of to standard error
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) log_file: Option<PathBuf>,
}

fn log(text: &str) -> Result<String, String> {
    filter(text).map(|_| text.to_owned())
}

/// Text for people, or JSON for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// For people
    Text,
    /// For programs
    Json,
}

/// Where and when segments have to lie; a search finds the granules that may hold such.
#[derive(Debug, Default, Args)]
pub(crate) struct Where {
    /// Only what lies in this region: a GeoJSON file, or west, south, east and north in degrees, such as -62.5,-8,-60,-6
    #[arg(long, value_name = "FILE|W,S,E,N", allow_hyphen_values = true)]
    pub(crate) region: Option<String>,
    /// Only what lies in this box; east below west crosses the dateline
    #[arg(long, value_name = "W,S,E,N", allow_hyphen_values = true, conflicts_with = "region")]
    pub(crate) bbox: Option<String>,
    /// Only what was measured from this time on (of whole granules, in search and ingest): 2020, 2020-06, 2020-06-01 or 2020-06-01T12:00:00Z, in UTC
    #[arg(long, value_name = "TIME")]
    pub(crate) start: Option<String>,
    /// Only what was measured up to this time; a year, month or day is within, an instant is the first that is not
    #[arg(long, value_name = "TIME")]
    pub(crate) end: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Bring granules into the database; those that are in it already are left out
    Ingest(Ingest),
    /// Run SQL over the database; without a statement, ask for them
    Query(Query),
    /// Search NASA's CMR for granules, and show or list them; nothing is fetched
    Search(Search),
    /// Fetch granules from NASA's archive; an interrupted download goes on where it stopped
    Download(Download),
    /// Keep an Earthdata user and password in the netrc, or try what is there
    Login(Login),
    /// Show what the database holds
    Info(Info),
    /// Show the product's variables: what they are, in which units and releases, and which the database stores
    Variables(Variables),
    /// Show the quality filters that ingest and query can apply
    Filters(Filters),
    /// Write the shipped config, with its comments, to a file to change
    Init(Init),
    /// Look at config files
    #[command(subcommand)]
    Config(Config),
    /// Write fragments that lie over each other again, so that queries read fewer of them
    Consolidate(Consolidate),
    /// Remove from disk what nobody can see any more
    Vacuum(Vacuum),
    /// Add variables to an existing database; segments that are stored already hold NULL there until their granules are
    /// ingested again
    AddVariable(AddVariable),
    /// Take granules out of the database, for example since NASA withdrew them; a later ingest leaves them out, unless it names
    /// the file itself
    Remove(Remove),
}

#[derive(Debug, Args)]
pub(crate) struct Ingest {
    /// HDF5 files, folders (searched at every depth), patterns such as 'data/*_007_*.h5', or work lists of `isdb search -o
    /// list.ndjson`. Without any, NASA's CMR is searched for the region, time and track named here
    #[arg(
        value_name = "PATH",
        required_unless_present_any =
            ["region", "bbox", "add_region", "start", "end", "release", "rgt", "cycle", "orbit_region"]
    )]
    pub(crate) paths: Vec<PathBuf>,
    /// Keep only segments that pass these filters, such as strong,night,snow_free [default: those of the database, of the
    /// config, else none]
    #[arg(long, value_name = "LIST")]
    pub(crate) filters: Option<String>,
    #[command(flatten)]
    pub(crate) place: Where,
    #[command(flatten)]
    pub(crate) sought: Sought,
    /// Keep all segments of the granules that --region, --bbox or the database's region finds
    #[arg(long)]
    pub(crate) whole_granules: bool,
    /// Widen the region that the database was filled for by this one, and ingest the granules that are named or found there for
    /// what is new
    #[arg(
        long,
        value_name = "FILE|W,S,E,N",
        allow_hyphen_values = true,
        conflicts_with_all = ["region", "bbox", "whole_granules"]
    )]
    pub(crate) add_region: Option<String>,
    #[command(flatten)]
    pub(crate) fetching: Fetching,
    #[command(flatten)]
    pub(crate) means: Means,
    /// Try files again that failed before and have not changed since
    #[arg(long)]
    pub(crate) retry: bool,
    /// Let a file replace what is stored even if it has less than half of the segments that were there before
    #[arg(long)]
    pub(crate) force: bool,
    /// Take granules of another release than the database's; they replace what is stored of the same pass, all of a window or
    /// none
    #[arg(long)]
    pub(crate) replace_release: bool,
    /// Change the database to other filters, and ingest these granules again with them
    #[arg(long)]
    pub(crate) refilter: bool,
    /// Only tell what would be done: windows, what would be replaced and left out, the plan, and estimates
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write what became of every granule to this file as JSON, also when some fail or the ingest ends with an error
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    pub(crate) report: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Info {
    /// How to cite what the database holds: releases with their DOIs, granules, filters, versions, and the state
    #[arg(long)]
    pub(crate) cite: bool,
    /// How the citation is written
    #[arg(long, value_enum, default_value = "text", requires = "cite")]
    pub(crate) format: Form,
}

/// How granules come from NASA's archive.
#[derive(Debug, Args)]
pub(crate) struct Fetching {
    /// The folder that granules of NASA's archive are fetched into [default: that of the config, else <database>.granules]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Keep fetched granules when they are in the database
    #[arg(long)]
    pub(crate) keep: bool,
    /// Read granules where they lie in S3, without fetching them: of use in AWS us-west-2 only
    #[arg(long)]
    pub(crate) direct: bool,
}

/// An amount of memory that an ingest can do with.
fn memory(text: &str) -> Result<usize, String> {
    at_least(LEAST_MEMORY, text)
}

/// An amount of memory that a query can do with.
fn query_memory(text: &str) -> Result<usize, String> {
    at_least(MIN_QUERY_MEMORY as u64, text)
}

fn at_least(least: u64, text: &str) -> Result<usize, String> {
    let bytes = parse_bytes(text).map_err(|error| error.to_string())?;
    if bytes < least {
        return Err(format!("at least {} MB are needed", least.div_ceil(1_000_000)));
    }
    usize::try_from(bytes).map_err(|error| error.to_string())
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// Ids of granules, patterns such as 'ATL08_2020*', and @FILE for a file with one of these a line
    #[arg(required = true, value_name = "GRANULE")]
    pub(crate) granules: Vec<String>,
    /// Only tell what would be removed
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) means: Means,
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
    /// Let atl08 and atl08_unique show only segments that pass these filters, such as strong,night,snow_free
    #[arg(long, value_name = "LIST")]
    pub(crate) filters: Option<String>,
    #[command(flatten)]
    pub(crate) place: Where,
    /// Memory for the rows of queries, such as 512MB; sorts, groups and joins spill to disk what does not fit [default: half of what
    /// this process may use]
    #[arg(long, value_name = "SIZE", value_parser = query_memory)]
    pub(crate) memory: Option<usize>,
    /// The folder to spill to [default: TMPDIR, else that of the system]
    #[arg(long, value_name = "DIR")]
    pub(crate) temp: Option<PathBuf>,
    /// Query the state as it was at this time, in milliseconds since 1970 (`isdb info` prints the newest)
    #[arg(long, value_name = "MILLISECONDS")]
    pub(crate) at: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct Search {
    #[command(flatten)]
    pub(crate) place: Where,
    #[command(flatten)]
    pub(crate) sought: Sought,
    /// How granules are listed; ndjson is a work list, with all that CMR tells [default: by the ending of --output, else table]
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// Write to a file, which appears only when the search has succeeded
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Which of NASA's granules.
#[derive(Debug, Args)]
pub(crate) struct Sought {
    /// Release of the product, such as 007 [default: that of the database, else the newest]
    #[arg(long, value_name = "RELEASE")]
    pub(crate) release: Option<u16>,
    /// Of this reference ground track
    #[arg(long, value_name = "1-1387", value_parser = clap::value_parser!(u16).range(1..=1387))]
    pub(crate) rgt: Option<u16>,
    /// Of this cycle of 91 days
    #[arg(long, value_name = "1-99", value_parser = clap::value_parser!(u8).range(1..=99))]
    pub(crate) cycle: Option<u8>,
    /// Of this region along the orbit
    #[arg(long, value_name = "1-14", value_parser = clap::value_parser!(u8).range(1..=14))]
    pub(crate) orbit_region: Option<u8>,
    /// The CMR to ask
    #[arg(long, env = "ISDB_CMR_URL", value_name = "URL", default_value = isdb_cmr::CMR_URL, hide = true)]
    pub(crate) cmr_url: String,
}

#[derive(Debug, Args)]
pub(crate) struct Download {
    /// Work lists of `isdb search -o list.ndjson` (`-` is standard input), and URLs
    #[arg(required = true, value_name = "LIST|URL")]
    pub(crate) what: Vec<String>,
    /// The folder; each granule comes into a folder of its own there
    #[arg(long, value_name = "DIR", default_value = "granules")]
    pub(crate) to: PathBuf,
    /// How many files are fetched at a time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=32))]
    pub(crate) connections: u16,
    /// After so many seconds without a byte a connection is taken for dead, and made anew
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) stall: u16,
}

#[derive(Debug, Args)]
pub(crate) struct Login {
    /// The Earthdata user; without it asked for
    #[arg(long, value_name = "NAME", conflicts_with = "check")]
    pub(crate) user: Option<String>,
    /// Try once what the environment (EARTHDATA_TOKEN, else EARTHDATA_USERNAME and EARTHDATA_PASSWORD) or the netrc holds, and
    /// change nothing
    #[arg(long)]
    pub(crate) check: bool,
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
pub(crate) struct Consolidate {
    /// space joins fragments that lie over each other, size small ones, none only rewrites those with rows that were replaced
    /// [default: that of the config, space]
    #[arg(long, value_name = "POLICY", value_parser = policy)]
    pub(crate) policy: Option<Policy>,
    #[command(flatten)]
    pub(crate) means: Means,
}

fn policy(word: &str) -> Result<Policy, String> {
    word.parse().map_err(|_| format!("expected one of {}, found `{word}`", Policy::WORDS.join(", ")))
}

#[derive(Debug, Args)]
pub(crate) struct Vacuum {
    /// How long it has to have been out of sight, such as 12h; queries that have been running for longer end with an error
    /// [default: that of the config, 1d]
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub(crate) older_than: Option<u64>,
}

fn span(text: &str) -> Result<u64, String> {
    parse_milliseconds(text).map_err(|error| error.to_string())
}

/// What of the machine a command may use.
#[derive(Debug, Args)]
pub(crate) struct Means {
    /// How many cores [default: that of the config, else all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
    /// Memory for rows in flight, such as 512MB; what does not fit is spilled to disk [default: that of the config, else 2GB, or
    /// half of what this process may use if that is less]
    #[arg(long, value_name = "SIZE", value_parser = memory)]
    pub(crate) memory: Option<usize>,
}

impl Query {
    /// What its statements may use.
    pub(crate) fn resources(&self) -> QueryResources {
        QueryResources {
            memory: self.memory.unwrap_or_else(limits::memory_of_query),
            temp: self.temp.clone().unwrap_or_else(std::env::temp_dir),
        }
    }
}

impl Means {
    /// Cores and bytes of memory, by flag, by config, or by default.
    pub(crate) fn in_force(&self, config: &Settings) -> (usize, usize) {
        let threads = self.threads.map(usize::from).or(config.threads).unwrap_or_else(limits::cores);
        (threads, self.memory.or(config.memory).unwrap_or_else(limits::memory_of_ingest))
    }
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
