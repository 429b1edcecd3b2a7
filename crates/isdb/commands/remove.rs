//! `isdb remove`: takes granules out of the database and says how many segments went.

use isdb_ingest::{IngestReport, IngestRequest, RegionRequest, Removal, SelectionRequest, Source, ingest, remove};
use isdb_schema::period::Period;

use crate::cli::Remove;
use crate::failure::{Failure, SOME_FAILED, SUCCESS};
use crate::progress::Telling;
use crate::report::tell;
use crate::settings::Settings;

/// So many granules are told by name.
const GRANULES_TOLD: usize = 20;

pub(crate) async fn run(arguments: Remove, settings: Settings) -> Result<u8, Failure> {
    let names = names(&arguments.granules)?;
    let Removal { granules, segments, reread: again } = remove(&settings.location, &names, arguments.dry_run).await?;
    for granule in granules.iter().take(GRANULES_TOLD) {
        eprintln!("{granule}");
    }
    if let Some(more) = granules.len().checked_sub(GRANULES_TOLD).filter(|more| *more > 0) {
        eprintln!("and {more} more");
    }
    let what = if arguments.dry_run { "would be removed" } else { "removed" };
    eprintln!("{what}: {} granules, {segments} segments", granules.len());
    for file in again.iter().take(GRANULES_TOLD) {
        let what = if arguments.dry_run { "would be read again" } else { "to be read again" };
        eprintln!("{what}: {file}: what was removed had segments that this file has, too");
    }
    if again.is_empty() || arguments.dry_run {
        return Ok(SUCCESS);
    }
    read_again(&arguments, settings).await
}

/// Ingests the files that had left segments to what was removed.
async fn read_again(arguments: &Remove, settings: Settings) -> Result<u8, Failure> {
    let database = settings.location.uri();
    let (threads, memory) = arguments.means.in_force(&settings.config);
    let request = IngestRequest {
        source: Source::Files(Vec::new()),
        location: settings.location,
        selection: SelectionRequest::default(),
        region: RegionRequest::OfDatabase,
        period: Period::default(),
        window: settings.config.window,
        threads,
        memory,
        consolidate: settings.config.consolidate,
        retry: false,
        force: false,
        replace_release: false,
        refilter: false,
    };
    let (mut report, mut telling) = (IngestReport::default(), Telling::new());
    let ended = ingest(&request, &mut report, |progress| telling.tell(progress)).await;
    tell(&report, &database, telling.end());
    ended?;
    Ok(if report.has_failures() { SOME_FAILED } else { SUCCESS })
}

/// The names as typed, and those in the files named by `@`: one a line, blank lines and those that begin with `#` left out.
fn names(typed: &[String]) -> Result<Vec<String>, Failure> {
    let mut names = Vec::with_capacity(typed.len());
    for name in typed {
        let Some(path) = name.strip_prefix('@') else {
            names.push(name.clone());
            continue;
        };
        let text = std::fs::read_to_string(path).map_err(|source| Failure::Read { path: path.into(), source })?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        names.extend(lines.map(str::to_owned));
    }
    Ok(names)
}
