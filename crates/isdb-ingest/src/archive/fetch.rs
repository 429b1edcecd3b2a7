//! The files of one window, fetched in a task of their own.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use futures::StreamExt;
use isdb_cmr::{DownloadOutcome, DownloadProgress as Coming, DownloadRequest, download};
use isdb_schema::printable::error_chain;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;

use crate::archive::telling::Event;
use crate::archive::{Archive, Keep};
use crate::error::{Error, Result};
use crate::identify::{Candidate, look};
use crate::progress::Progress;
use crate::select::Attempt;
use crate::verdict::DOWNLOAD;

/// The files of one window on their way; dropped, it ends them where they are, to be gone on with later.
pub(super) struct Fetching {
    task: JoinSet<Result<Fetched>>,
}

/// A window whose files are here, or have failed.
#[derive(Default)]
pub(super) struct Fetched {
    pub(super) candidates: Vec<Candidate>,
    /// Files to delete when the window is committed.
    pub(super) disposable: Vec<PathBuf>,
}

impl Fetching {
    /// Begins to fetch the files of `window`, and tells `events` how it goes.
    pub(super) fn begin(archive: &Archive, window: Vec<Attempt>, events: &UnboundedSender<Event>) -> Fetching {
        let mut task = JoinSet::new();
        task.spawn(fetch(archive.clone_without_granules(), window, events.clone()));
        Fetching { task }
    }

    /// The files, when all have come or failed.
    ///
    /// # Errors
    /// When the archive does not accept who we are.
    pub(super) async fn end(&mut self) -> Result<Fetched> {
        match self.task.join_next().await {
            Some(Ok(fetched)) => fetched,
            Some(Err(source)) => Err(Error::Stopped { source }),
            None => Ok(Fetched::default()),
        }
    }
}

impl Archive {
    fn clone_without_granules(&self) -> Archive {
        Archive {
            granules: Vec::new(),
            unusable: Vec::new(),
            is_named: self.is_named,
            earthdata: Arc::clone(&self.earthdata),
            options: self.options.clone(),
            keep: self.keep,
            direct: self.direct,
            s3: self.s3.clone(),
        }
    }
}

async fn fetch(archive: Archive, window: Vec<Attempt>, events: UnboundedSender<Event>) -> Result<Fetched> {
    let mut fetched = Fetched::default();
    let mut described: HashMap<String, Candidate> = HashMap::new();
    let mut wanted: Vec<DownloadRequest> = Vec::new();
    for Attempt { mut candidate, .. } in window {
        match candidate.wanted.take() {
            Some(file) => {
                described.insert(file.name.clone(), candidate);
                wanted.push(file);
            }
            // The search has found no place of it.
            None => fetched.candidates.push(candidate),
        }
    }
    let telling = events.clone();
    // Nobody listens any more when the run has ended.
    let tell = move |event: Event| telling.send(event).unwrap_or_default();
    let coming = move |coming: Coming<'_>| match coming {
        Coming::Received(bytes) => tell(Event::Received(bytes)),
        Coming::Retrying { request, error, pause } => {
            let (name, error) = (request.name.clone(), error_chain(error));
            tell(Event::Told(Progress::FetchAgain { name, error, pause }));
        }
        _ => {}
    };
    let files = futures::stream::iter(wanted);
    let mut outcomes = std::pin::pin!(download(archive.earthdata, files, archive.options, coming));
    while let Some(DownloadOutcome { request, result }) = outcomes.next().await {
        let Some(described) = described.remove(&request.name) else { continue };
        let candidate = match result {
            Ok(file) => {
                let came_now = file.attempts > 0;
                if archive.keep == Keep::Nothing || (archive.keep == Keep::Earlier && came_now) {
                    fetched.disposable.push(file.path.clone());
                }
                let place = file.path.clone();
                let looked = tokio::task::spawn_blocking(move || look(place)).await;
                let looked = looked.unwrap_or_else(|stopped| Candidate::new(file.path, Err(stopped.to_string())));
                as_described(looked, &described)
            }
            // Who we are will not be accepted for the next file either.
            Err(error) if error.is_login_error() => return Err(error.into()),
            // Of no size: nothing will be read.
            Err(error) => Candidate {
                stage: DOWNLOAD,
                refusal: error.shared_cause(),
                ..Candidate::new(described.path, Err(error_chain(&error)))
            },
        };
        fetched.candidates.push(Candidate { is_named: described.is_named, origin: described.origin, ..candidate });
        let _ = events.send(Event::Ended);
    }
    Ok(fetched)
}

/// The file `looked` at, which has failed if it is another granule than the catalogue describes.
fn as_described(looked: Candidate, described: &Candidate) -> Candidate {
    match (&looked.identity, &described.identity) {
        (Ok(found), Ok(expected)) if found.id != expected.id => {
            let error = format!(
                "{}: it is not what the catalogue describes: expected {}, found {}",
                looked.path.display(),
                expected.id,
                found.id
            );
            Candidate { identity: Err(error), ..looked }
        }
        _ => looked,
    }
}
