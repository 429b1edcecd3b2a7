//! Arguments of commands that change a database.

use std::path::PathBuf;

use crate::At;
use clap::Args;
use isdb_schema::config::Policy;

use super::archive::SearchArgs;
use super::common::{RegionArgs, ResourceArgs, TextFormat};
use super::parse::{milliseconds, policy};
use super::query::Format;

#[derive(Debug, Args)]
pub(crate) struct Ingest {
    /// HDF5 files, folders (searched at every depth), patterns such as 'data/*_007_*.h5', or work lists of `isdb search -o
    /// list.ndjson`; or objects, prefixes and patterns s3://bucket/…, which are read in place. Without a path, NASA's CMR is searched for the given region, time and track
    #[arg(
        value_name = "PATH",
        required_unless_present_any =
            ["region", "bbox", "add_region", "start", "end", "release", "rgt", "cycle", "orbit_region"]
    )]
    pub(crate) paths: Vec<PathBuf>,
    /// Keep only segments that pass these filters, such as strong,night,snow_free [default: the database's, else the config's,
    /// else none]
    #[arg(long, value_name = "LIST")]
    pub(crate) filters: Option<String>,
    #[command(flatten)]
    pub(crate) region: RegionArgs,
    #[command(flatten)]
    pub(crate) search: SearchArgs,
    /// Keep all segments of the granules that --region, --bbox or the database's region finds
    #[arg(long)]
    pub(crate) whole_granules: bool,
    /// Add this region to the database's region, and ingest the new segments of the granules that are named or found there
    #[arg(
        long,
        value_name = "FILE|W,S,E,N",
        allow_hyphen_values = true,
        conflicts_with_all = ["region", "bbox", "whole_granules"]
    )]
    pub(crate) add_region: Option<String>,
    #[command(flatten)]
    pub(crate) archive: ArchiveArgs,
    #[command(flatten)]
    pub(crate) resources: ResourceArgs,
    /// Retry files that failed before and have not changed
    #[arg(long)]
    pub(crate) retry: bool,
    /// Let a file replace stored segments even if it has fewer than half as many
    #[arg(long)]
    pub(crate) force: bool,
    /// Accept granules of another release than the database's; they replace the stored granules of the same pass
    #[arg(long)]
    pub(crate) replace_release: bool,
    /// Change the filters of the database, and ingest these granules again with them
    #[arg(long)]
    pub(crate) refilter: bool,
    /// Only show what the ingest would do: windows, replaced and skipped granules, the plan, and estimates
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write the outcome of every granule to this file as JSON, even if some fail or the ingest ends with an error
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    pub(crate) report: Option<PathBuf>,
}

/// How granules are read from NASA's archive.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ArchiveArgs {
    /// Download granules into this folder [default: from the config, else <database>.granules]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Keep downloaded granules after they are ingested
    #[arg(long)]
    pub(crate) keep: bool,
    /// Read granules directly from S3 without downloading them (only useful within AWS us-west-2)
    #[arg(long)]
    pub(crate) direct: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// Ids of granules, patterns such as 'ATL08_2020*', and @FILE for a file with one of these per line
    #[arg(required = true, value_name = "GRANULE")]
    pub(crate) granules: Vec<String>,
    /// Only show what would be removed
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) resources: ResourceArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Consolidate {
    /// space joins overlapping fragments, size joins small ones, none only rewrites fragments with replaced rows [default: from the
    /// config, else space]
    #[arg(long, value_name = "POLICY", value_parser = policy)]
    pub(crate) policy: Option<Policy>,
    #[command(flatten)]
    pub(crate) resources: ResourceArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Vacuum {
    /// Delete only what was replaced at least this long ago, such as 12h; queries that have been running for longer end with an error
    /// [default: from the config, 1d]
    #[arg(long, value_name = "TIME", value_parser = milliseconds)]
    pub(crate) older_than: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct TagArgs {
    /// Name of the tag: letters, digits, `.`, `-` and `_`, not like a time [default: list the tags]
    pub(crate) name: Option<String>,
    /// Keep this state instead of the newest: a time or a tag, as `isdb query --at` accepts it
    #[arg(long, value_name = "TIME|TAG", requires = "name")]
    pub(crate) at: Option<At>,
    /// Delete the tag; a later vacuum deletes the files that only its state needs
    #[arg(long, requires = "name", conflicts_with = "at")]
    pub(crate) delete: bool,
    /// Output format of the list
    #[arg(long, value_enum, conflicts_with = "name")]
    pub(crate) format: Option<Format>,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Output format
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: TextFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Repair {
    /// Only show what is damaged and what would be done about it
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Repair without a question
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Copy {
    /// The database: a folder, or s3://bucket/prefix
    #[arg(value_name = "FROM")]
    pub(crate) from: String,
    /// Where the copy is made: a folder or a prefix that is empty or does not exist, or an unfinished copy of the same database
    #[arg(value_name = "TO")]
    pub(crate) to: String,
}

#[derive(Debug, Args)]
pub(crate) struct AddVariable {
    /// Variable names, as listed by `isdb variables`
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,
}
