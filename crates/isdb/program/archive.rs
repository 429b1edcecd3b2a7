//! Access to NASA's archive that several commands share: the Earthdata session, a search with its progress, and its granules as the source
//! of an ingest.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::earthdata::s3_endpoint;
use crate::{
    Archive, KeepDownloads, Location, Region, SearchRequest, SearchResult, earthdata, granule_format, keeps_downloads,
    search,
};
use isdb_cmr::{Cmr, DownloadOptions, Earthdata, RetryPolicy};
use isdb_schema::period::Period;

use crate::program::cli::{ArchiveArgs, SearchArgs};
use crate::program::error::CliError;
use crate::program::progress::{SearchReporter, above_bar};
use crate::program::settings::Settings;

/// A connection that receives no data for this long is reopened.
pub(crate) const STALL_TIMEOUT: Duration = Duration::from_secs(60);

/// Returns a session with the credentials that are found, and prints warnings. A connection may receive no data for
/// `stall_timeout`.
pub(crate) fn earthdata_session(stall_timeout: Duration) -> Result<Earthdata, CliError> {
    Ok(earthdata::session(stall_timeout, |text| above_bar(|| eprintln!("warning: {text}")))?)
}

/// Searches CMR for the granules of a region, a period and the restrictions of `arguments`.
pub(crate) async fn search_archive(
    arguments: &SearchArgs,
    region: Option<Region>,
    period: Period,
    database: Option<Location>,
) -> Result<SearchResult, CliError> {
    let cmr = Cmr::new(&arguments.cmr_url, RetryPolicy::default())?;
    // A pause may last a minute, so it is printed even if the log goes to a file.
    let cmr = cmr.with_notices(|text| above_bar(|| eprintln!("{text}")));
    let SearchArgs { release, rgt, cycle, orbit_region, .. } = *arguments;
    let request = SearchRequest { region, period, release, rgt, cycle, orbit_region, database };
    let reporter = SearchReporter::new();
    let result = search(&cmr, &request, |progress| reporter.report(progress)).await;
    reporter.finish();
    Ok(result?)
}

/// Returns the granules of `found` as the source of an ingest.
pub(crate) fn archive_source(
    found: SearchResult,
    is_named: bool,
    flags: &ArchiveArgs,
    settings: &Settings,
    earthdata: Earthdata,
) -> Archive {
    let config = &settings.config.download;
    let folder = flags.data.clone().or_else(|| config.folder.as_ref().map(PathBuf::from));
    let is_default = folder.is_none();
    let folder = folder.unwrap_or_else(|| default_folder(&settings.location));
    let keep = match flags.keep || config.keep {
        true => KeepDownloads::All,
        // Files that an earlier run kept on request stay.
        false if is_default && !keeps_downloads(&folder) => KeepDownloads::Nothing,
        false => KeepDownloads::Earlier,
    };
    Archive {
        granules: found.granules,
        unusable: found.unusable,
        is_named,
        earthdata: Arc::new(earthdata),
        options: DownloadOptions { connections: config.connections, ..DownloadOptions::new(folder, granule_format()) },
        keep,
        direct: flags.direct,
        s3: s3_endpoint(),
    }
}

/// `<database>.granules` beside a local database, and in the current folder for one in an object store.
fn default_folder(location: &Location) -> PathBuf {
    let uri = location.uri();
    let root = location.folder().unwrap_or_else(|| Path::new(uri.rsplit('/').next().unwrap_or_default()));
    let mut name = root.file_name().unwrap_or_default().to_owned();
    name.push(".granules");
    root.with_file_name(name)
}
