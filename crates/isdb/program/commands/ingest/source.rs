//! The granules of an ingest: files, objects, work lists, or the result of a search in NASA's CMR.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use isdb::earthdata::s3_endpoint;
use isdb::{
    Archive, KeepDownloads, Location, ObjectPattern, Region, RegionRequest, SearchResult, Source, granule_format,
    is_work_list, keeps_downloads, read_work_list, region_to_search,
};
use isdb_cmr::{DownloadOptions, WorkList};
use isdb_schema::period::Period;

use crate::archive::{earthdata_session, search_archive};
use crate::cli::{DatabaseArgs, Ingest, SearchArgs};
use crate::commands::search::totals::print_totals;
use crate::error::CliError;
use crate::settings::{Settings, granule_storage};

/// A connection that receives no data for this long is reopened.
const STALL_TIMEOUT: Duration = Duration::from_secs(60);

/// Returns the source of granules for `area`. A search covers `search_region`, otherwise the region of `area` or of the database.
pub(super) async fn resolve(
    arguments: &Ingest,
    settings: &Settings,
    flags: &DatabaseArgs,
    area: &RegionRequest,
    search_region: Option<Region>,
    period: &Period,
) -> Result<Source, CliError> {
    if arguments.paths.is_empty() {
        let region = region_to_search(&settings.location, area).await?;
        let (region, database) = (search_region.or(region), Some(settings.location.clone()));
        let found = search_archive(&arguments.search, region, *period, database).await?;
        return Ok(Source::Archive(archive(found, false, arguments, settings)?));
    }
    if has_track(&arguments.search) {
        let message = "--release, --rgt, --cycle and --orbit-region restrict a search of NASA's CMR, without a PATH";
        return Err(CliError::Message(message.to_owned()));
    }
    let objects: Vec<&str> =
        arguments.paths.iter().filter_map(|path| path.to_str()).filter(|path| path.starts_with("s3://")).collect();
    if !objects.is_empty() {
        if objects.len() < arguments.paths.len() {
            return Err(CliError::Message("objects (s3://…) and files need a command each".to_owned()));
        }
        let storage = granule_storage(flags)?;
        let patterns = objects.iter().map(|object| ObjectPattern::parse(object, &storage));
        return Ok(Source::Objects(patterns.collect::<Result<_, _>>()?));
    }
    let lists = arguments.paths.iter().filter(|path| is_work_list(path)).count();
    match lists {
        0 if arguments.archive.direct => {
            Err(CliError::Message("--direct is for granules of NASA's archive, not for files".to_owned()))
        }
        0 => Ok(Source::Files(arguments.paths.clone())),
        _ if lists < arguments.paths.len() => {
            Err(CliError::Message("work lists and files need a command each".to_owned()))
        }
        _ => {
            let mut list = WorkList::default();
            for path in &arguments.paths {
                read_work_list(path)?.into_iter().for_each(|granule| list.insert(granule));
            }
            Ok(Source::Archive(archive(list.into(), true, arguments, settings)?))
        }
    }
}

fn has_track(search: &SearchArgs) -> bool {
    search.release.is_some() || search.rgt.is_some() || search.cycle.is_some() || search.orbit_region.is_some()
}

/// Prints the totals of `found`, and returns its granules as a source. The ingest reports their problems as failures.
fn archive(found: SearchResult, is_named: bool, arguments: &Ingest, settings: &Settings) -> Result<Archive, CliError> {
    print_totals(&found);
    let (flags, config) = (&arguments.archive, &settings.config.download);
    let folder = flags.data.clone().or_else(|| config.folder.as_ref().map(PathBuf::from));
    let is_default = folder.is_none();
    let folder = folder.unwrap_or_else(|| default_folder(&settings.location));
    let keep = match flags.keep || config.keep {
        true => KeepDownloads::All,
        // Files that an earlier run kept on request stay.
        false if is_default && !keeps_downloads(&folder) => KeepDownloads::Nothing,
        false => KeepDownloads::Earlier,
    };
    Ok(Archive {
        granules: found.granules,
        unusable: found.unusable,
        is_named,
        earthdata: Arc::new(earthdata_session(STALL_TIMEOUT)?),
        options: DownloadOptions { connections: config.connections, ..DownloadOptions::new(folder, granule_format()) },
        keep,
        direct: flags.direct,
        s3: s3_endpoint(),
    })
}

/// `<database>.granules` beside a local database, and in the current folder for one in an object store.
fn default_folder(location: &Location) -> PathBuf {
    let uri = location.uri();
    let root = location.folder().unwrap_or_else(|| Path::new(uri.rsplit('/').next().unwrap_or_default()));
    let mut name = root.file_name().unwrap_or_default().to_owned();
    name.push(".granules");
    root.with_file_name(name)
}
