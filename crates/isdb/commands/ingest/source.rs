//! Where the granules of an ingest come from: the paths that are named, work lists among them, or a search of NASA's CMR.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use isdb_cmr::{DownloadOptions, WorkList};
use isdb_ingest::{Archive, Keep, RegionRequest, Source, granule_format, is_kept, region_to_search};
use isdb_region::Region;
use isdb_schema::period::Period;
use isdb_store::Location;

use crate::cli::{Ingest, Sought};
use crate::commands::search::{Found, query, search};
use crate::earthdata::{s3_endpoint, session};
use crate::failure::Failure;
use crate::settings::Settings;
use crate::worklist;

/// After so long without a byte a connection is taken for dead, and made anew.
const STALL: Duration = Duration::from_secs(60);

/// The granules to keep `area` of. A search is in the region `sought_in`, else in that of `area` or of the database.
pub(super) async fn of(
    arguments: &Ingest,
    settings: &Settings,
    area: &RegionRequest,
    sought_in: Option<Region>,
    period: &Period,
) -> Result<Source, Failure> {
    let (sought, is_tracked) = (&arguments.sought, is_tracked(&arguments.sought));
    if arguments.paths.is_empty() {
        let region = region_to_search(&settings.location, area).await?;
        let region = sought_in.or(region);
        let found = search(sought, query(sought, region.as_ref(), period), Some(&settings.location)).await?;
        return Ok(Source::Archive(archive(found, false, arguments, settings)?));
    }
    if is_tracked {
        let words = "--release, --rgt, --cycle and --orbit-region are for a search of NASA's CMR, without a PATH";
        return Err(Failure::Refused(words.to_owned()));
    }
    let lists = arguments.paths.iter().filter(|path| worklist::is_list(path)).count();
    match lists {
        0 if arguments.fetching.direct => {
            Err(Failure::Refused("--direct is for granules of NASA's archive, not for files".to_owned()))
        }
        0 => Ok(Source::Files(arguments.paths.clone())),
        _ if lists < arguments.paths.len() => {
            Err(Failure::Refused("work lists and files are ingested by a command each".to_owned()))
        }
        _ => {
            let mut list = WorkList::default();
            for path in &arguments.paths {
                worklist::read(path)?.into_iter().for_each(|granule| list.insert(granule));
            }
            Ok(Source::Archive(archive(Found::of(list), true, arguments, settings)?))
        }
    }
}

fn is_tracked(sought: &Sought) -> bool {
    sought.release.is_some() || sought.rgt.is_some() || sought.cycle.is_some() || sought.orbit_region.is_some()
}

/// What was found, told, and how it is to come.
fn archive(found: Found, is_named: bool, arguments: &Ingest, settings: &Settings) -> Result<Archive, Failure> {
    found.tell(false);
    let (given, config) = (&arguments.fetching, &settings.config.download);
    let named = given.data.clone().or_else(|| config.folder.as_ref().map(PathBuf::from));
    let is_own = named.is_none();
    let folder = named.unwrap_or_else(|| beside(&settings.location));
    let keep = match given.keep || config.keep {
        true => Keep::All,
        // What an earlier run was to keep stays.
        false if is_own && !is_kept(&folder) => Keep::Nothing,
        false => Keep::Earlier,
    };
    Ok(Archive {
        granules: found.granules,
        unusable: found.unusable,
        is_named,
        earthdata: Arc::new(session(STALL)?),
        options: DownloadOptions { connections: config.connections, ..DownloadOptions::new(folder, granule_format()) },
        keep,
        direct: given.direct,
        s3: s3_endpoint(),
    })
}

/// `<database>.granules`.
fn beside(location: &Location) -> PathBuf {
    let root: &Path = location.root();
    let mut name = root.file_name().unwrap_or_default().to_owned();
    name.push(".granules");
    root.with_file_name(name)
}
