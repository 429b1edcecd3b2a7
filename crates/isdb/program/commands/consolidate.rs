//! `isdb consolidate`: writes fragments that lie over each other again.

use isdb_ingest::consolidate;

use crate::cli::Consolidate;
use crate::failure::{Failure, SUCCESS};
use crate::settings::Settings;

/// Fragments that are worth joining when somebody asks for it.
const LEAST: usize = 2;

pub(crate) async fn run(arguments: Consolidate, settings: Settings) -> Result<u8, Failure> {
    let policy = arguments.policy.unwrap_or(settings.config.consolidate.policy);
    let (threads, memory) = arguments.means.in_force(&settings.config);
    let told = |group, of| eprintln!("groups: {group} of {of}");
    let done = consolidate(&settings.location, policy, LEAST, threads, memory, told).await?;
    eprintln!("fragments: {} before, {} after", done.before, done.after);
    if done.groups > 0 {
        eprintln!("what was replaced stays on disk for running queries; `isdb vacuum` removes it later");
    }
    Ok(SUCCESS)
}
