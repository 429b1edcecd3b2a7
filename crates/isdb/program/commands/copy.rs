//! `isdb copy`: a database at another place.

use std::time::{Duration, Instant};

use crate::{Copied, CopyProgress, copy};

use crate::program::cli::{Copy, DatabaseArgs};
use crate::program::error::CliError;
use crate::program::exit_code::SUCCESS;
use crate::program::settings::named_location;
use crate::program::units::megabytes;

/// The time between two lines of progress.
const INTERVAL: Duration = Duration::from_secs(5);

pub(crate) async fn run(arguments: Copy, database: &DatabaseArgs) -> Result<u8, CliError> {
    let from = named_location(database, &arguments.from)?;
    let to = named_location(database, &arguments.to)?;
    let Copied { commit, fragments, files, bytes, present, .. } = copy(&from, &to, progress()).await?;
    eprintln!("copied: {files} files, {:.1} MB", megabytes(bytes));
    if present > 0 {
        eprintln!("already there: {present} files of an earlier copy");
    }
    eprintln!("{}: {fragments} fragments, commit {commit}", to.uri());
    Ok(SUCCESS)
}

/// Returns a function that prints progress on standard error from time to time.
fn progress() -> impl FnMut(CopyProgress) {
    let mut printed = Instant::now();
    move |at| {
        if printed.elapsed() >= INTERVAL {
            printed = Instant::now();
            eprintln!("fragments: {} of {}, {:.1} MB", at.fragments, at.of_fragments, megabytes(at.bytes));
        }
    }
}
