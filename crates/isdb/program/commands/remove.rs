//! `isdb remove`: removes granules from the database, and ingests the files whose segments they had replaced.

use crate::{IngestReport, Removal, Source, ingest, ingest_request, remove};

use crate::program::cli::Remove;
use crate::program::error::CliError;
use crate::program::exit_code::{SOME_FAILED, SUCCESS};
use crate::program::messages::print_some;
use crate::program::progress::IngestReporter;
use crate::program::report::print_summary;
use crate::program::settings::Settings;

/// At most this many granules and files are listed.
const LISTED: usize = 20;

pub(crate) async fn run(arguments: Remove, settings: Settings) -> Result<u8, CliError> {
    let names = names(&arguments.granules)?;
    let Removal { granules, segments, reread: again, .. } =
        remove(&settings.location, &names, arguments.dry_run).await?;
    print_some(granules.iter(), LISTED, |granule| eprintln!("{granule}"), |more| eprintln!("and {more} more"));
    let what = if arguments.dry_run { "would be removed" } else { "removed" };
    eprintln!("{what}: {} granules, {segments} segments", granules.len());
    for file in again.iter().take(LISTED) {
        let what = if arguments.dry_run { "would be read again" } else { "to be read again" };
        eprintln!("{what}: {file}: it has segments that were removed");
    }
    if again.is_empty() || arguments.dry_run {
        return Ok(SUCCESS);
    }
    read_again(&arguments, settings).await
}

/// Ingests the files whose segments the removed granules had replaced.
async fn read_again(arguments: &Remove, settings: Settings) -> Result<u8, CliError> {
    let database = settings.location.uri();
    let resources = arguments.resources.resolve(&settings.config);
    let mut request = ingest_request(settings.location, Source::Files(Vec::new()), &settings.config);
    // The database, not the config, decides what is stored of these files.
    request.selection = crate::SelectionRequest::default();
    (request.threads, request.memory, request.spill) = (resources.threads, resources.memory, resources.spill);
    let (mut report, mut reporter) = (IngestReport::default(), IngestReporter::new());
    let result = ingest(&request, &mut report, |progress| reporter.report(progress)).await;
    print_summary(&report, &database, reporter.finish());
    result?;
    Ok(if report.has_failures() { SOME_FAILED } else { SUCCESS })
}

/// Returns the names on the command line, and the names in the files after `@`, one per line, without blank lines and lines that
/// begin with `#`.
fn names(arguments: &[String]) -> Result<Vec<String>, CliError> {
    let mut names = Vec::with_capacity(arguments.len());
    for name in arguments {
        let Some(path) = name.strip_prefix('@') else {
            names.push(name.clone());
            continue;
        };
        let text = std::fs::read_to_string(path).map_err(|source| crate::Error::Read { path: path.into(), source })?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        names.extend(lines.map(str::to_owned));
    }
    Ok(names)
}
