//! The download of one window's files, in a task of its own.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use futures::StreamExt;
use isdb_cmr::{DownloadOutcome, DownloadProgress, DownloadRequest, download};
use isdb_schema::printable::error_chain;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;

use crate::archive::progress_relay::DownloadEvent;
use crate::archive::source::{Archive, Keep};
use crate::decide::attempt_plan::PlannedAttempt;
use crate::error::{Error, Result};
use crate::find::candidate::Candidate;
use crate::find::identify::identify_file;
use crate::find::stage::DOWNLOAD;
use crate::report::progress::Progress;

/// The running download of one window's files. Dropping it stops the download, which can be resumed later.
pub(super) struct WindowDownload {
    task: JoinSet<Result<DownloadedWindow>>,
}

/// A window whose files are downloaded or have failed.
#[derive(Default)]
pub(super) struct DownloadedWindow {
    pub(super) candidates: Vec<Candidate>,
    /// Files to delete when the window is committed.
    pub(super) disposable: Vec<PathBuf>,
}

impl WindowDownload {
    /// Starts to download the files of `window`, and sends progress to `events`.
    pub(super) fn start(
        archive: &Archive,
        window: Vec<PlannedAttempt>,
        events: &UnboundedSender<DownloadEvent>,
    ) -> WindowDownload {
        let mut task = JoinSet::new();
        task.spawn(download_window(archive.clone_without_granules(), window, events.clone()));
        WindowDownload { task }
    }

    /// Returns the files once all are downloaded or have failed.
    ///
    /// # Errors
    /// When the archive rejects the login.
    pub(super) async fn finish(&mut self) -> Result<DownloadedWindow> {
        match self.task.join_next().await {
            Some(Ok(downloaded)) => downloaded,
            Some(Err(source)) => Err(Error::Stopped { source }),
            None => Ok(DownloadedWindow::default()),
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

async fn download_window(
    archive: Archive,
    window: Vec<PlannedAttempt>,
    events: UnboundedSender<DownloadEvent>,
) -> Result<DownloadedWindow> {
    let mut downloaded = DownloadedWindow::default();
    let mut described: HashMap<String, Candidate> = HashMap::new();
    let mut requests: Vec<DownloadRequest> = Vec::new();
    for PlannedAttempt { mut candidate, .. } in window {
        match candidate.download.take() {
            Some(request) => {
                described.insert(request.name.clone(), candidate);
                requests.push(request);
            }
            // The description has no usable URL, so the candidate has failed.
            None => downloaded.candidates.push(candidate),
        }
    }
    let sender = events.clone();
    // The receiver is dropped when the run ends; then the progress no longer matters.
    let send = move |event: DownloadEvent| sender.send(event).unwrap_or_default();
    let on_progress = move |progress: DownloadProgress<'_>| match progress {
        DownloadProgress::Received(bytes) => send(DownloadEvent::Received(bytes)),
        DownloadProgress::Retrying { request, error, pause } => {
            let (name, error) = (request.name.clone(), error_chain(error));
            send(DownloadEvent::Other(Progress::DownloadRetried { name, error, pause }));
        }
        _ => {}
    };
    let requests = futures::stream::iter(requests);
    let mut outcomes = std::pin::pin!(download(archive.earthdata, requests, archive.options, on_progress));
    while let Some(DownloadOutcome { request, result }) = outcomes.next().await {
        let Some(described) = described.remove(&request.name) else { continue };
        let candidate = match result {
            Ok(file) => {
                let is_new = file.attempts > 0;
                if archive.keep == Keep::Nothing || (archive.keep == Keep::Earlier && is_new) {
                    downloaded.disposable.push(file.path.clone());
                }
                let path = file.path.clone();
                let identified = tokio::task::spawn_blocking(move || identify_file(path)).await;
                let identified = identified.unwrap_or_else(|error| Candidate::new(file.path, Err(error.to_string())));
                check_identity(identified, &described)
            }
            // The archive would reject the login for the next file as well.
            Err(error) if error.is_login_error() => return Err(error.into()),
            // Its size is 0, because nothing will be read.
            Err(error) => Candidate {
                stage: DOWNLOAD,
                shared_cause: error.shared_cause(),
                ..Candidate::new(described.path, Err(error_chain(&error)))
            },
        };
        downloaded.candidates.push(Candidate { is_named: described.is_named, origin: described.origin, ..candidate });
        let _ = events.send(DownloadEvent::FileDone);
    }
    Ok(downloaded)
}

/// Returns the downloaded file, marked as failed if it is not the granule `described`.
fn check_identity(file: Candidate, described: &Candidate) -> Candidate {
    match (&file.identity, &described.identity) {
        (Ok(found), Ok(expected)) if found.id != expected.id => {
            let error = format!(
                "{}: it is not what the catalogue describes: expected {}, found {}",
                file.path.display(),
                expected.id,
                found.id
            );
            Candidate { identity: Err(error), ..file }
        }
        _ => file,
    }
}
