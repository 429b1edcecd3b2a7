//! Downloads from NASA's archive: from a stream of requests to a stream of verified files, several at a time.
//!
//! For each [`DownloadRequest`], `file` first looks for a file that is already complete. Otherwise it opens the `.part` file
//! (`partial`), and makes requests (`http_attempt`) until the file is complete: each requests the missing bytes of the version on the
//! server (`version`) that the sidecar names. Then `publish` verifies the file (`verify`), writes a record that isdb
//! downloaded it (`record`), and renames it.

mod checksum;
mod file;
mod filesystem;
mod format;
mod http_attempt;
mod options;
mod outcome;
mod partial;
mod paths;
mod progress;
mod publish;
mod record;
mod request;
mod sidecar;
mod space;
#[cfg(test)]
mod test_format;
mod verify;
mod version;

use std::sync::{Arc, OnceLock};

use futures::{Stream, StreamExt};

use crate::http::url::redacted;
use crate::login::Earthdata;

pub use checksum::ChecksumAlgorithm;
pub use format::FileFormat;
pub use options::DownloadOptions;
pub use outcome::{DownloadOutcome, DownloadedFile};
pub use paths::download_path;
pub use progress::DownloadProgress;
pub use record::{delete_downloaded, rename_unreadable};
pub use request::DownloadRequest;
pub use space::{bytes_to_download, check_free_space, free_bytes, has_partial_download};

/// Downloads the files of `requests`; outcomes come in the order of completion. After a [login error](crate::Error::is_login_error)
/// nothing more is requested: files that do not exist yet end with the same error. Dropping the stream leaves `.part` files, from
/// which the next download resumes.
pub fn download(
    earthdata: Arc<Earthdata>,
    requests: impl Stream<Item = DownloadRequest> + Send,
    options: DownloadOptions,
    progress: impl Fn(DownloadProgress<'_>) + Send + Sync,
) -> impl Stream<Item = DownloadOutcome> + Send {
    let connections = options.connections.max(1);
    let shared = Arc::new((options, progress, OnceLock::new()));
    requests
        .map(move |request| {
            let (earthdata, shared) = (Arc::clone(&earthdata), Arc::clone(&shared));
            async move {
                let (options, progress, login_error) = &*shared;
                let result = file::download_file(&earthdata, &request, options, progress, login_error).await;
                if !matches!(&result, Ok(file) if file.attempts == 0) {
                    earthdata.refusals.count(&result);
                }
                if let Some(error) = result.as_ref().err().and_then(|error| error.for_other_url(redacted(&request.url)))
                {
                    let _ = login_error.set(error);
                }
                DownloadOutcome { request, result }
            }
        })
        .buffer_unordered(connections)
}
