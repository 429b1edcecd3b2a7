//! One file from wanted to verified: nothing is asked for that is there, and attempts follow each other as long as they help.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder};

use crate::download::attempt::{Counting, Stopped, attempt};
use crate::download::part::{Finished, Part, blocking};
use crate::download::record::is_ours;
use crate::download::{Fetched, Options, Progress, Wanted, file_of, room_for};
use crate::earthdata::Earthdata;
use crate::error::{Error, Result};
use crate::hosts::told;
use crate::verify;

/// The longest pause that is not the server's own wish.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A whole file that is not the announced one is fetched once more, not for ever.
const WHOLE_FETCHES: u32 = 2;

/// Fetches `wanted` into its place, unless `end` says that nothing can be fetched any more.
pub(super) async fn fetch(
    earthdata: &Earthdata,
    wanted: &Wanted,
    options: &Options,
    progress: &(impl Fn(Progress<'_>) + Send + Sync),
    end: &OnceLock<Error>,
) -> Result<Fetched> {
    let target = file_of(&options.folder, &wanted.name)?;
    if let There::Whole(length) = there(&target, wanted).await? {
        progress(Progress::Begun { wanted, reused: length });
        return Ok(Fetched { path: target, fetched: 0, reused: length, attempts: 0 });
    }
    if let Some(error) = end.get().and_then(|error| error.same_for(told(&wanted.url))) {
        return Err(error);
    }
    if earthdata.closed.is_closed() {
        return Err(Error::Forbidden { url: told(&wanted.url) });
    }
    let place = target.clone();
    let opened = blocking(&target, move || Ok(Part::open(&place))).await?;
    let mut part = opened?;
    // Another process may have finished it while we came to open it.
    let replaces = match there(&target, wanted).await? {
        There::Nothing => false,
        There::Ours => true,
        There::Whole(length) => {
            part.discard_if_empty().await;
            progress(Progress::Begun { wanted, reused: length });
            return Ok(Fetched { path: target, fetched: 0, reused: length, attempts: 0 });
        }
        There::Foreign(problem) => {
            part.discard_if_empty().await;
            return Err(Error::Occupied { path: target, problem });
        }
    };
    if let Err(error) = room_for(wanted.about().unwrap_or(0).saturating_sub(part.length()), &options.folder) {
        part.discard_if_empty().await;
        return Err(error);
    }
    progress(Progress::Begun { wanted, reused: part.length() });
    let mut counting = Counting { progress, fetched: 0 };
    match bring(earthdata, wanted, options, &mut part, replaces, &mut counting).await {
        Ok(attempts) => Ok(Fetched { path: target, fetched: counting.fetched, reused: part.reused(), attempts }),
        Err(error) => {
            part.discard_if_empty().await;
            Err(error)
        }
    }
}

/// Makes attempts until `part` is whole and has its name. Gives their number.
async fn bring(
    earthdata: &Earthdata,
    wanted: &Wanted,
    options: &Options,
    part: &mut Part,
    replaces: bool,
    counting: &mut Counting<'_>,
) -> Result<u32> {
    let started = Instant::now();
    let backoff = ExponentialBuilder::new()
        .with_min_delay(options.pause)
        .with_max_delay(LONGEST_PAUSE.max(options.pause))
        .with_jitter()
        .without_max_times();
    let mut pauses = backoff.build();
    let (mut attempts, mut without_progress, mut whole_fetches) = (0, 0, 0);
    let mut furthest = part.length();
    loop {
        let stopped = match announced(wanted, part) == Some(part.length()) && part.length() > 0 {
            true => None,
            false => {
                attempts += 1;
                attempt(earthdata, wanted, part, counting).await.err()
            }
        };
        let (error, after) = match stopped {
            Some(Stopped::Final(error)) => return Err(error),
            Some(Stopped::Again { error, after }) => (error, after),
            None => match part.finish(announced(wanted, part), wanted.checksum.as_ref(), replaces).await? {
                Finished::Done => return Ok(attempts),
                Finished::Wrong(problem) if is_short(wanted, part) => {
                    (Error::Damaged { url: told(&wanted.url), problem }, None)
                }
                Finished::Wrong(problem) => {
                    (counting.progress)(Progress::Lost(part.length()));
                    part.restart(None).await?;
                    whole_fetches += 1;
                    let error = Error::Damaged { url: told(&wanted.url), problem };
                    if whole_fetches >= WHOLE_FETCHES {
                        return Err(error);
                    }
                    furthest = 0;
                    (error, None)
                }
            },
        };
        if part.length() > furthest {
            furthest = part.length();
            without_progress = 0;
            pauses = backoff.build();
        }
        without_progress += 1;
        let pause = pauses.next().unwrap_or(LONGEST_PAUSE).max(after.unwrap_or_default());
        if without_progress >= options.attempts.max(1) || started.elapsed().saturating_add(pause) > options.time {
            return Err(Error::GivenUp { attempts, source: Box::new(error) });
        }
        tracing::debug!(name = wanted.name, attempts, have = part.length(), %error, ?pause, "again");
        (counting.progress)(Progress::Again { wanted, error: &error, pause });
        tokio::time::sleep(pause).await;
    }
}

/// The length that the caller or the server has announced.
fn announced(wanted: &Wanted, part: &Part) -> Option<u64> {
    wanted.size.or_else(|| part.version().and_then(|version| version.length))
}

/// Whether bytes are missing at the end, which another attempt can bring.
fn is_short(wanted: &Wanted, part: &Part) -> bool {
    announced(wanted, part).is_some_and(|length| part.length() < length)
}

/// What is in the place of a wanted file.
enum There {
    Nothing,
    /// The wanted file, of this length.
    Whole(u64),
    /// Another version of it that this program has fetched, or a damaged one.
    Ours,
    /// A file that this program has not fetched, and what makes it another one than the wanted one.
    Foreign(String),
}

async fn there(target: &Path, wanted: &Wanted) -> Result<There> {
    let (path, size, checksum) = (target.to_path_buf(), wanted.size, wanted.checksum.clone());
    blocking(target, move || match std::fs::metadata(&path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(There::Nothing),
        Err(error) => Err(error),
        Ok(metadata) => {
            // Bytes behind the end of its HDF5 structure are legal, and the server may have sent them.
            let length = size.unwrap_or(metadata.len());
            Ok(match verify::problem(&path, Some(length), checksum.as_ref())? {
                None => There::Whole(metadata.len()),
                Some(_) if is_ours(&path) => There::Ours,
                Some(problem) => There::Foreign(problem),
            })
        }
    })
    .await
}
