//! `isdb download`: downloads files from NASA's archive. Paths of complete files go to standard output, everything else to standard
//! error.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use isdb_cmr::{
    DownloadOptions, DownloadOutcome, DownloadedFile, Error as ArchiveError, bytes_to_download, check_free_space,
    download, has_partial_download,
};

use crate::program::archive::earthdata_session;
use crate::program::cli::Download;
use crate::program::error::{CliError, archive_hint};
use crate::program::exit_code::{FAILED, SOME_FAILED, SUCCESS};
use crate::program::output;
use crate::program::progress::DownloadReporter;
use crate::program::report::{FailedFile, print_failures};
use crate::program::units::megabytes;

mod requests;

/// Totals over all files.
#[derive(Default)]
struct Totals {
    downloaded: usize,
    existing: usize,
    bytes_downloaded: u64,
    bytes_reused: u64,
    failures: Vec<(String, ArchiveError)>,
}

impl Totals {
    fn add(&mut self, file: &DownloadedFile) {
        if file.bytes_downloaded > 0 {
            self.downloaded += 1;
        } else {
            self.existing += 1;
        }
        self.bytes_downloaded += file.bytes_downloaded;
        self.bytes_reused += file.bytes_reused;
    }
}

pub(crate) async fn run(arguments: Download) -> Result<u8, CliError> {
    let requests::Requests { requests, failed } = requests::read(&arguments.sources)?;
    let earthdata = Arc::new(earthdata_session(Duration::from_secs(arguments.stall.into()))?);
    let count = requests.len();
    let missing = bytes_to_download(&arguments.to, &requests);
    check_free_space(missing, &arguments.to)?;
    let reporter = Arc::new(DownloadReporter::new(count, missing));
    let options = DownloadOptions {
        connections: arguments.connections.into(),
        ..DownloadOptions::new(&arguments.to, crate::granule_format())
    };
    let listener = Arc::clone(&reporter);
    let progress = move |progress: isdb_cmr::DownloadProgress<'_>| listener.report(&progress);
    let mut left = count;
    let mut totals = Totals { failures: failed, ..Totals::default() };
    let mut outcomes = std::pin::pin!(download(earthdata, futures::stream::iter(requests), options, progress));
    while let Some(DownloadOutcome { request, result }) = outcomes.next().await {
        reporter.count(result.is_ok());
        match result {
            Ok(file) => {
                totals.add(&file);
                left = left.saturating_sub(1);
                match output::print(&format!("{}\n", file.path.display())) {
                    // The reader of the paths has closed the pipe, as in `isdb download LIST | head -1`.
                    Err(error) if error.is_broken_pipe() => {
                        reporter.finish();
                        if left == 0 && totals.failures.is_empty() {
                            return Ok(SUCCESS);
                        }
                        eprintln!("stopped: standard output was closed; {left} of {count} files were not downloaded");
                        return Ok(FAILED);
                    }
                    printed => printed?,
                }
            }
            // The archive would reject the login for the next file as well.
            Err(error) if error.is_login_error() => {
                reporter.finish();
                print_totals(&totals, &arguments.to);
                return Err(error.into());
            }
            Err(error) => {
                left = left.saturating_sub(1);
                totals.failures.push((request.name, error));
            }
        }
    }
    reporter.finish();
    print_totals(&totals, &arguments.to);
    Ok(if totals.failures.is_empty() { SUCCESS } else { SOME_FAILED })
}

fn print_totals(totals: &Totals, folder: &Path) {
    let failed = totals.failures.iter().map(|(name, error)| FailedFile {
        name: name.clone(),
        text: format!("{name}: {}", isdb_schema::printable::error_chain(error)),
        shared_cause: error.shared_cause(),
        hint: archive_hint(error),
    });
    print_failures(&failed.collect::<Vec<_>>());
    let counts =
        [(totals.downloaded, "downloaded"), (totals.existing, "already complete"), (totals.failures.len(), "failed")];
    let counts: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    eprintln!("files: {}", if counts.is_empty() { "none".to_owned() } else { counts.join(", ") });
    let (downloaded, reused) = (megabytes(totals.bytes_downloaded), megabytes(totals.bytes_reused));
    eprintln!("MB: {downloaded:.1} downloaded, {reused:.1} already complete");
    if totals.failures.iter().any(|(name, _)| has_partial_download(folder, name)) {
        eprintln!("partial downloads stay as .part; run the same command again to continue");
    }
    eprintln!("folder: {}", folder.display());
}
