//! `isdb remove`: takes granules out of the database and says how many segments went.

use isdb_ingest::{Removal, remove};

use crate::cli::Remove;
use crate::failure::{Failure, SUCCESS};
use crate::settings::Settings;

/// So many granules are told by name.
const GRANULES_TOLD: usize = 20;

pub(crate) async fn run(arguments: Remove, settings: Settings) -> Result<u8, Failure> {
    let names = names(&arguments.granules)?;
    let Removal { granules, segments } = remove(&settings.location, &names, arguments.dry_run).await?;
    for granule in granules.iter().take(GRANULES_TOLD) {
        eprintln!("{granule}");
    }
    if let Some(more) = granules.len().checked_sub(GRANULES_TOLD).filter(|more| *more > 0) {
        eprintln!("and {more} more");
    }
    let what = if arguments.dry_run { "would be removed" } else { "removed" };
    eprintln!("{what}: {} granules, {segments} segments", granules.len());
    Ok(SUCCESS)
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
