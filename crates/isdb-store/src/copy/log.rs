//! The copy of the commit log, which makes a copy a database: the first commit is copied after all others, since nothing can read the log
//! without it.

use futures::{StreamExt, TryStreamExt, stream};

use super::destination::Destination;
use crate::database::Database;
use crate::error::{Error, Result};
use crate::fault;
use crate::files::objects::{Objects, already_exists, numbered};
use crate::log::commit::Commit;
use crate::log::commit_log::{CHECKPOINTS, COMMITS};
use crate::log::state::LogState;

/// Commits that are copied at a time.
const CONCURRENT: usize = 16;

/// Copies the log up to `state`, and adds `last` to it. Returns the number of the newest commit.
pub(super) async fn copy_log(
    original: &Database,
    destination: &Destination,
    state: &LogState,
    last: Option<Commit>,
) -> Result<u64> {
    let (from, log) = (original.log().objects(), &destination.log);
    let copy = |number| copy_object(from, destination, COMMITS, number);
    let mut numbers = from.numbers(COMMITS, 0).await?;
    numbers.retain(|number| *number <= state.number);
    let Some((first, others)) = numbers.split_first() else { return Err(original.without_log().await) };
    let mut copies = stream::iter(others.to_vec()).map(copy).buffer_unordered(CONCURRENT);
    while copies.try_next().await?.is_some() {
        fault::reached("copy-each-commit");
    }
    let mut state = state.clone();
    if let Some(last) = last {
        log.create(&last).await?;
        state.apply(&last);
    }
    fault::reached("copy-before-first-commit");
    destination.check().await?;
    copy(*first).await?;
    fault::reached("copy-before-checkpoint");
    // Those that replace lost commits, and then one that has everything.
    for number in state.lost_commits.values() {
        copy_object(from, destination, CHECKPOINTS, *number).await?;
    }
    log.write_checkpoint(&state).await?;
    Ok(state.number)
}

/// Copies an object of the log, which an earlier copy may have copied.
async fn copy_object(from: &Objects, destination: &Destination, folder: &str, number: u64) -> Result<()> {
    let path = numbered(folder, number);
    let (content, to) = (from.get(&path).await?, destination.log.objects());
    match to.create(&path, &format!("copy-{folder}-{number}"), content.clone()).await {
        Ok(()) => Ok(()),
        // Also when the answer to an earlier request was lost.
        Err(error) => match to.get(&path).await {
            Ok(found) if found == content => to.sync_folder_of(&path),
            Ok(_) if already_exists(&error) => {
                let object = destination.location().child(path.as_ref());
                Err(Error::Damaged { object, problem: "expected the commit of the original, found another".to_owned() })
            }
            _ => Err(error),
        },
    }
}
