//! The granules of an ingest: files, objects, work lists, or the result of a search in NASA's CMR.

use crate::{
    Archive, ObjectPattern, Region, RegionRequest, SearchResult, Source, is_work_list, read_work_list, region_to_search,
};
use isdb_schema::period::Period;

use crate::program::archive::{STALL_TIMEOUT, archive_source, earthdata_session, search_archive};
use crate::program::cli::{DatabaseArgs, Ingest, SearchArgs};
use crate::program::commands::search::totals::print_totals;
use crate::program::error::CliError;
use crate::program::settings::{Settings, granule_storage};

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
            let mut granules = Vec::new();
            for path in &arguments.paths {
                granules.extend(read_work_list(path)?);
            }
            let found = SearchResult::from_granules(granules);
            Ok(Source::Archive(archive(found, true, arguments, settings)?))
        }
    }
}

fn has_track(search: &SearchArgs) -> bool {
    search.release.is_some() || search.rgt.is_some() || search.cycle.is_some() || search.orbit_region.is_some()
}

/// Prints the totals of `found`, and returns its granules as a source. The ingest reports their problems as failures.
fn archive(found: SearchResult, is_named: bool, arguments: &Ingest, settings: &Settings) -> Result<Archive, CliError> {
    print_totals(&found);
    let earthdata = earthdata_session(STALL_TIMEOUT)?;
    Ok(archive_source(found, is_named, &arguments.archive, settings, earthdata))
}
