//! Whether what is fetched fits on the disk, before the first byte comes.

use isdb_cmr::{DownloadRequest, bytes_to_download, check_free_space, free_bytes};

use crate::archive::{Archive, Keep};
use crate::error::Result;
use crate::identify::sum;
use crate::progress::Progress;
use crate::select::Attempt;

/// What is to be told of the files of `windows`, for which there is room: for all that are kept, else for two windows, the one
/// that is ingested and the one that is fetched meanwhile.
///
/// # Errors
/// When they do not fit, or the folder cannot be made.
pub(super) fn make_room(archive: &Archive, windows: &[Vec<Attempt>]) -> Result<Progress> {
    let folder = &archive.options.folder;
    let wanted = |window: &Vec<Attempt>| -> Vec<DownloadRequest> {
        window.iter().filter_map(|attempt| attempt.candidate.wanted.clone()).collect()
    };
    let missing: Vec<u64> = windows.iter().map(|window| bytes_to_download(folder, &wanted(window))).collect();
    let bytes = sum(missing.iter().copied());
    let pairs =
        missing.iter().zip(missing.iter().skip(1).chain([&0])).map(|(first, second)| first.saturating_add(*second));
    let needed = if archive.keep == Keep::All { bytes } else { pairs.max().unwrap_or(0) };
    check_free_space(needed, folder)?;
    let granules = windows.iter().flatten().filter(|attempt| attempt.candidate.wanted.is_some()).count();
    Ok(Progress::ToFetch { granules, bytes, folder: folder.clone(), free: free_bytes(folder)? })
}
