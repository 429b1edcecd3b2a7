//! `isdb ingest`: runs the ingest, or looks what it would do, and tells how it goes and ends, on standard error.

use isdb_ingest::{IngestRequest, RegionRequest, SelectionRequest, Source, dry_run, ingest};
use isdb_schema::config::Config;
use isdb_schema::filters::choose;
use isdb_schema::period::Period;

use crate::cli::Ingest;
use crate::failure::{self, Failure, SOME_FAILED, SUCCESS};
use crate::progress::Telling;
use crate::report::{Record, tell, tell_preview};
use crate::settings::{self, Settings, region_and_period, region_of};

mod source;

pub(crate) async fn run(arguments: Ingest, settings: Settings) -> Result<u8, Failure> {
    let database = settings.location.uri();
    let (threads, memory) = arguments.means.in_force(&settings.config);
    let (region, period) = region_and_period(&arguments.place)?;
    let added = arguments.add_region.as_deref().map(region_of).transpose()?;
    let sought = region.clone().filter(|_| arguments.whole_granules);
    let area = match (added, region) {
        (Some(added), _) => RegionRequest::Added(added),
        _ if arguments.whole_granules => RegionRequest::Whole,
        (None, Some(region)) => RegionRequest::Only(region),
        (None, None) => RegionRequest::OfDatabase,
    };
    let source = source::of(&arguments, &settings, &area, sought, &period).await?;
    // A search has found them by their time, footprints and all.
    let period =
        if matches!(source, Source::Archive(_)) && arguments.paths.is_empty() { Period::default() } else { period };
    let request = IngestRequest {
        source,
        location: settings.location,
        selection: asked(&settings.config, arguments.filters.as_deref())?,
        region: area,
        period,
        window: settings.config.window,
        threads,
        memory,
        consolidate: settings.config.consolidate,
        retry: arguments.retry,
        force: arguments.force,
        replace_release: arguments.replace_release,
        refilter: arguments.refilter,
    };
    request.selection.bind()?.warnings().iter().for_each(failure::warn);
    if arguments.dry_run {
        tell_preview(&dry_run(&request).await?, &database);
        return Ok(SUCCESS);
    }
    let mut record = Record::new(arguments.report, &request)?;
    let mut telling = Telling::new();
    let ended = ingest(&request, &mut record.report, |progress| telling.tell(progress)).await.map_err(Failure::from);
    let elapsed = telling.end();
    let written = record.write(ended.as_ref().err());
    if ended.is_ok() || !record.report.windows.is_empty() {
        tell(&record.report, &database, elapsed);
    }
    // The ingest's own error is the one to tell.
    ended.and(written)?;
    Ok(if record.report.has_failures() { SOME_FAILED } else { SUCCESS })
}

/// What the config asks for; the flag's filters come before its own.
fn asked(config: &Config, filters: Option<&str>) -> Result<SelectionRequest, Failure> {
    let mut asked = settings::asked(config);
    if let Some(list) = filters {
        asked.filters = Some(choose(list)?);
    }
    Ok(asked)
}
