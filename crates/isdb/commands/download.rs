//! `isdb download`: fetches files from NASA's archive. Paths of whole files go to standard output, everything else to standard
//! error.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use isdb_cmr::{
    DownloadOptions, DownloadOutcome, Error, bytes_to_download, check_free_space, download, has_partial_download,
};
use isdb_ingest::granule_format;

use crate::cli::Download;
use crate::earthdata::session;
use crate::failure::{self, FAILED, Failure, SOME_FAILED, SUCCESS};
use crate::output;
use crate::report::{Failed, tell_failed};

mod list;
mod telling;

use telling::Telling;

/// What all files came to.
#[derive(Default)]
struct Sum {
    fetched: usize,
    there: usize,
    failed: usize,
    bytes_fetched: u64,
    bytes_reused: u64,
}

pub(crate) async fn run(arguments: Download) -> Result<u8, Failure> {
    let list::Listed { wanted, failed } = list::read(&arguments.what)?;
    let earthdata = Arc::new(session(Duration::from_secs(arguments.stall.into()))?);
    let count = wanted.len();
    let missing = bytes_to_download(&arguments.to, &wanted);
    check_free_space(missing, &arguments.to)?;
    let telling = Arc::new(Mutex::new(Telling::new(wanted.len(), missing)));
    let options = DownloadOptions {
        connections: arguments.connections.into(),
        ..DownloadOptions::new(&arguments.to, granule_format())
    };
    let told = Arc::clone(&telling);
    let progress = move |progress: isdb_cmr::DownloadProgress<'_>| {
        told.lock().unwrap_or_else(PoisonError::into_inner).tell(&progress);
    };
    let mut left = wanted.len();
    let mut sum = Sum { failed: failed.len(), ..Sum::default() };
    let mut failures = failed;
    let mut outcomes = std::pin::pin!(download(earthdata, futures::stream::iter(wanted), options, progress));
    while let Some(DownloadOutcome { request, result }) = outcomes.next().await {
        telling.lock().unwrap_or_else(PoisonError::into_inner).ended(result.is_ok());
        match result {
            Ok(file) => {
                if file.bytes_downloaded > 0 {
                    sum.fetched += 1
                } else {
                    sum.there += 1
                }
                sum.bytes_fetched += file.bytes_downloaded;
                sum.bytes_reused += file.bytes_reused;
                left = left.saturating_sub(1);
                match output::print(&format!("{}\n", file.path.display())) {
                    // Whoever reads the paths has seen enough, as in `isdb download LIST | head -1`.
                    Err(failure) if failure.is_broken_pipe() => {
                        telling.lock().unwrap_or_else(PoisonError::into_inner).end();
                        if left == 0 && sum.failed == 0 {
                            return Ok(SUCCESS);
                        }
                        eprintln!("stopped: standard output was closed; {left} of {count} files were not fetched");
                        return Ok(FAILED);
                    }
                    printed => printed?,
                }
            }
            // Who we are will not be accepted for the next file either.
            Err(error) if error.is_login_error() => {
                telling.lock().unwrap_or_else(PoisonError::into_inner).end();
                tell(&sum, &failures, &arguments.to);
                return Err(error.into());
            }
            Err(error) => {
                left = left.saturating_sub(1);
                sum.failed += 1;
                failures.push((request.name, error));
            }
        }
    }
    telling.lock().unwrap_or_else(PoisonError::into_inner).end();
    tell(&sum, &failures, &arguments.to);
    Ok(if failures.is_empty() { SUCCESS } else { SOME_FAILED })
}

fn tell(sum: &Sum, failures: &[(String, Error)], folder: &Path) {
    let failed: Vec<Failed> = failures
        .iter()
        .map(|(name, error)| Failed {
            name: name.clone(),
            text: format!("{name}: {}", isdb_schema::printable::error_chain(error)),
            refusal: error.shared_cause(),
            hint: failure::nasa_hint(error),
        })
        .collect();
    tell_failed(&failed);
    let parts = [(sum.fetched, "fetched"), (sum.there, "there already"), (sum.failed, "failed")];
    let told: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    eprintln!("files: {}", if told.is_empty() { "none".to_owned() } else { told.join(", ") });
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    eprintln!("MB: {:.1} fetched, {:.1} there already", megabytes(sum.bytes_fetched), megabytes(sum.bytes_reused));
    if failures.iter().any(|(name, _)| has_partial_download(folder, name)) {
        eprintln!("unfinished files stay as .part; run the same command again to go on");
    }
    eprintln!("folder: {}", folder.display());
}
