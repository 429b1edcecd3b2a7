//! `isdb ingest`: runs an ingest, or shows what it would do, with progress and summary on standard error.

use crate::{RegionRequest, Source, dry_run, ingest, ingest_request};
use isdb_schema::period::Period;

use crate::program::cli::{DatabaseArgs, Ingest};
use crate::program::error::{CliError, print_warning};
use crate::program::exit_code::{SOME_FAILED, SUCCESS};
use crate::program::progress::IngestReporter;
use crate::program::report::{ReportFile, print_dry_run, print_summary};
use crate::program::settings::{Settings, filters, region_and_period};

mod source;

pub(crate) async fn run(arguments: Ingest, settings: Settings, flags: &DatabaseArgs) -> Result<u8, CliError> {
    let database = settings.location.uri();
    let resources = arguments.resources.resolve(&settings.config);
    let (region, period) = region_and_period(&arguments.region)?;
    let added = arguments.add_region.as_deref().map(crate::read_region).transpose()?;
    let search_region = region.clone().filter(|_| arguments.whole_granules);
    let area = match (added, region) {
        (Some(added), _) => RegionRequest::Added(added),
        _ if arguments.whole_granules => RegionRequest::Whole,
        (None, Some(region)) => RegionRequest::Only(region),
        (None, None) => RegionRequest::OfDatabase,
    };
    let source = source::resolve(&arguments, &settings, flags, &area, search_region, &period).await?;
    // A search has already selected granules by period, from the times in CMR.
    let is_search = matches!(source, Source::Archive(_)) && arguments.paths.is_empty();
    let mut request = ingest_request(settings.location, source, &settings.config);
    if let Some(list) = arguments.filters.as_deref() {
        request.selection.filters = Some(filters(list)?);
    }
    if arguments.refilter && request.selection.filters.is_none() {
        let hint = "add --filters, or `filters:` to the config; --filters none keeps every segment";
        return Err(CliError::Empty { expected: "the new filters", flag: "--filters and the config", hint });
    }
    request.region = area;
    request.period = if is_search { Period::default() } else { period };
    (request.threads, request.memory, request.spill) = (resources.threads, resources.memory, resources.spill);
    (request.retry, request.force) = (arguments.retry, arguments.force);
    (request.replace_release, request.refilter) = (arguments.replace_release, arguments.refilter);
    request.selection.bind()?.warnings().iter().for_each(print_warning);
    if arguments.dry_run {
        print_dry_run(&dry_run(&request).await?, &database);
        return Ok(SUCCESS);
    }
    let mut file = ReportFile::new(arguments.report, &request)?;
    let mut reporter = IngestReporter::new();
    let result = ingest(&request, &mut file.report, |progress| reporter.report(progress)).await;
    let result = result.map_err(CliError::from);
    let elapsed = reporter.finish();
    let written = file.write(result.as_ref().err());
    if result.is_ok() || !file.report.windows.is_empty() {
        print_summary(&file.report, &database, elapsed);
    }
    // The error of the ingest is more important than an error of its report.
    result.and(written)?;
    Ok(if file.report.has_failures() { SOME_FAILED } else { SUCCESS })
}
