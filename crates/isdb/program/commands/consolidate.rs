//! `isdb consolidate`: joins overlapping fragments.

use crate::consolidate;

use crate::program::cli::{Consolidate, Resources};
use crate::program::error::CliError;
use crate::program::exit_code::SUCCESS;
use crate::program::settings::Settings;

pub(crate) async fn run(arguments: Consolidate, settings: Settings) -> Result<u8, CliError> {
    let policy = arguments.policy.unwrap_or(settings.config.consolidate.policy);
    let Resources { threads, memory, spill } = arguments.resources.resolve(&settings.config);
    let print = |group, of| eprintln!("groups: {group} of {of}");
    let done = consolidate(&settings.location, policy, threads, memory, spill.as_deref(), print).await?;
    eprintln!("fragments: {} before, {} after", done.before, done.after);
    if done.groups > 0 {
        eprintln!("replaced fragments stay on disk for running queries; `isdb vacuum` deletes them later");
    }
    Ok(SUCCESS)
}
