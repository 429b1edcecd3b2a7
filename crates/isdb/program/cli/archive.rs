//! Arguments of commands that use NASA's services.

use std::path::PathBuf;

use clap::Args;

use super::common::RegionArgs;
use super::query::Format;

#[derive(Debug, Args)]
pub(crate) struct Search {
    #[command(flatten)]
    pub(crate) region: RegionArgs,
    #[command(flatten)]
    pub(crate) search: SearchArgs,
    /// Output format; ndjson is a work list, with everything that CMR knows of a granule [default: from the extension of --output, else
    /// table]
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// Write to a file, created only if the search succeeds
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Restrictions of a search in the archive, beside region and period.
#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    /// Release of the product, such as 007 [default: the database's, else the newest]
    #[arg(long, value_name = "RELEASE")]
    pub(crate) release: Option<u16>,
    /// Reference ground track
    #[arg(long, value_name = "1-1387", value_parser = clap::value_parser!(u16).range(1..=1387))]
    pub(crate) rgt: Option<u16>,
    /// Cycle of 91 days
    #[arg(long, value_name = "1-99", value_parser = clap::value_parser!(u8).range(1..=99))]
    pub(crate) cycle: Option<u8>,
    /// Region along the orbit
    #[arg(long, value_name = "1-14", value_parser = clap::value_parser!(u8).range(1..=14))]
    pub(crate) orbit_region: Option<u8>,
    /// URL of the CMR
    #[arg(long, env = "ISDB_CMR_URL", value_name = "URL", default_value = isdb_cmr::CMR_URL, hide = true)]
    pub(crate) cmr_url: String,
}

#[derive(Debug, Args)]
pub(crate) struct Download {
    /// Work lists of `isdb search -o list.ndjson` (`-` is standard input), and URLs
    #[arg(required = true, value_name = "LIST|URL")]
    pub(crate) sources: Vec<String>,
    /// Destination folder; each granule gets its own subfolder
    #[arg(long, value_name = "DIR", default_value = "granules")]
    pub(crate) to: PathBuf,
    /// Number of files to download at the same time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=32))]
    pub(crate) connections: u16,
    /// Reconnect after this many seconds without data
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) stall: u16,
}

#[derive(Debug, Args)]
pub(crate) struct Login {
    /// Earthdata username [default: prompt for it]
    #[arg(long, value_name = "NAME", conflicts_with = "check")]
    pub(crate) user: Option<String>,
    /// Try the login from the environment (EARTHDATA_TOKEN, else EARTHDATA_USERNAME and EARTHDATA_PASSWORD) or from the netrc file
    /// once, and change nothing
    #[arg(long)]
    pub(crate) check: bool,
}
