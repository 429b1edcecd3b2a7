//! Arguments that several commands share.

use std::path::PathBuf;

use crate::resources::{cores, ingest_memory};
use crate::{At, Config};
use clap::{Args, ValueEnum};

use super::parse::{log_filter_text, memory, query_memory};

/// The database and the config.
#[derive(Debug, Args)]
pub(crate) struct DatabaseArgs {
    /// Path to the database folder, or s3://bucket/prefix
    #[arg(long, global = true, env = "ISDB_DB", value_name = "PATH|URL")]
    pub(crate) db: Option<String>,
    /// Promise that no other process writes to the database, for an object store without conditional writes
    #[arg(long, global = true)]
    pub(crate) single_writer: bool,
    /// Path to a config file [default: the built-in config]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// Which events are logged, and where.
#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    /// Log level (error, warn, info, debug, trace or off), or levels per target, such as warn,isdb_store=debug
    #[arg(
        long,
        global = true,
        env = "ISDB_LOG",
        value_name = "LEVEL|FILTER",
        default_value = "warn",
        value_parser = log_filter_text
    )]
    pub(crate) log: String,
    /// Format of log events
    #[arg(long, global = true, value_enum, value_name = "FORM", default_value = "text")]
    pub(crate) log_format: TextFormat,
    /// Append the log to this file instead of writing it to standard error
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) log_file: Option<PathBuf>,
}

/// Text for people, or JSON for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TextFormat {
    /// Human-readable text
    Text,
    /// JSON
    Json,
}

/// Region and period of segments; a search finds the granules that may contain such segments.
#[derive(Debug, Default, Args)]
pub(crate) struct RegionArgs {
    /// Only segments in this region: a GeoJSON file, or west,south,east,north in degrees, such as -62.5,-8,-60,-6
    #[arg(long, value_name = "FILE|W,S,E,N", allow_hyphen_values = true)]
    pub(crate) region: Option<String>,
    /// Only segments in this box; a box whose west is greater than its east crosses the dateline
    #[arg(long, value_name = "W,S,E,N", allow_hyphen_values = true, conflicts_with = "region")]
    pub(crate) bbox: Option<String>,
    /// Only segments measured at or after this time (search and ingest select whole granules): 2020, 2020-06, 2020-06-01 or
    /// 2020-06-01T12:00:00Z, in UTC
    #[arg(long, value_name = "TIME")]
    pub(crate) start: Option<String>,
    /// Only segments measured before the end of this time: a year, month or day is inclusive, an instant exclusive
    #[arg(long, value_name = "TIME")]
    pub(crate) end: Option<String>,
}

/// The state of the database.
#[derive(Debug, Args)]
pub(crate) struct StateArgs {
    /// Use the state that was the newest at this time, or that this tag keeps: 2026-11-29 (the last state of that day),
    /// 2026-11-29T12:00:00Z, milliseconds since 1970 (as `isdb info` prints them), or a name that `isdb tag` lists
    #[arg(long, value_name = "TIME|TAG")]
    pub(crate) at: Option<At>,
}

/// What a command reads of a database, and with which resources.
#[derive(Debug, Args)]
pub(crate) struct ReadArgs {
    /// Restrict atl08, atl08_20m and atl08_unique to segments that pass these filters, such as strong,night,snow_free
    #[arg(long, value_name = "LIST")]
    pub(crate) filters: Option<String>,
    #[command(flatten)]
    pub(crate) region: RegionArgs,
    /// Memory for the rows of queries, such as 512MB; sorts, groups and joins spill to disk beyond it [default: half of what this
    /// process may use]
    #[arg(long, value_name = "SIZE", value_parser = query_memory)]
    pub(crate) memory: Option<usize>,
    /// Folder for spilled rows [default: TMPDIR, else the system's]
    #[arg(long, value_name = "DIR")]
    pub(crate) temp: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) state: StateArgs,
}

/// Processors, memory and scratch disk of a command.
#[derive(Debug, Args)]
pub(crate) struct ResourceArgs {
    /// Number of processors to use [default: from the config, else all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
    /// Memory limit for rows in flight, such as 512MB; the rest spills to disk [default: from the config, else 2GB, or half of
    /// what this process may use if that is less]
    #[arg(long, value_name = "SIZE", value_parser = memory)]
    pub(crate) memory: Option<usize>,
    /// Existing folder for rows that do not fit in memory, such as a fast scratch disk [default: from the config, else a folder
    /// within the database]
    #[arg(long, value_name = "DIR")]
    pub(crate) spill: Option<PathBuf>,
}

/// Processors, memory and scratch disk, from the flags, the config or the defaults.
pub(crate) struct Resources {
    /// The number of processors.
    pub(crate) threads: usize,
    /// Bytes of memory for rows in flight.
    pub(crate) memory: usize,
    /// The folder for rows that do not fit; None for a folder within the database.
    pub(crate) spill: Option<PathBuf>,
}

impl ResourceArgs {
    /// Returns the resources of the flags, completed by the config and the defaults.
    pub(crate) fn resolve(&self, config: &Config) -> Resources {
        Resources {
            threads: self.threads.map(usize::from).or(config.threads).unwrap_or_else(cores),
            memory: self.memory.or(config.memory).unwrap_or_else(ingest_memory),
            spill: self.spill.clone().or_else(|| config.spill.as_ref().map(PathBuf::from)),
        }
    }
}
