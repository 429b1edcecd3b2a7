//! The check that downloads fit on the disk, before the first byte is downloaded.

use isdb_cmr::{DownloadRequest, bytes_to_download, check_free_space, free_bytes};

use crate::archive::source::{Archive, Keep};
use crate::decide::attempt_plan::PlannedAttempt;
use crate::error::Result;
use crate::find::candidate::saturating_sum;
use crate::report::progress::Progress;

/// Checks that the files of `windows` fit on the disk, and returns what is to be downloaded. If files are kept, all of
/// them have to fit; otherwise the files of two windows have to fit: the window that is ingested and the next one.
///
/// # Errors
/// When they do not fit, or the folder cannot be created.
pub(super) fn check_space(archive: &Archive, windows: &[Vec<PlannedAttempt>]) -> Result<Progress> {
    let folder = &archive.options.folder;
    let requests = |window: &Vec<PlannedAttempt>| -> Vec<DownloadRequest> {
        window.iter().filter_map(|attempt| attempt.candidate.download.clone()).collect()
    };
    let missing: Vec<u64> = windows.iter().map(|window| bytes_to_download(folder, &requests(window))).collect();
    let bytes = saturating_sum(missing.iter().copied());
    let pairs =
        missing.iter().zip(missing.iter().skip(1).chain([&0])).map(|(first, second)| first.saturating_add(*second));
    let needed = if archive.keep == Keep::All { bytes } else { pairs.max().unwrap_or(0) };
    check_free_space(needed, folder)?;
    let granules = windows.iter().flatten().filter(|attempt| attempt.candidate.download.is_some()).count();
    Ok(Progress::ToDownload { granules, bytes, folder: folder.clone(), free: free_bytes(folder)? })
}
