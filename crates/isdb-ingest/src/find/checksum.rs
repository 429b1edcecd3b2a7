//! Checksums that a decision needs before a file is decoded: for files that may be unchanged, and for files that are
//! not granules. All other files get their checksum while they are decoded.

use futures::StreamExt;

use crate::find::candidate::Candidate;

/// Adds the checksum to each of `candidates` that has none, `threads` at a time on blocking threads. A file that cannot
/// be read gets none; decoding it will report why.
pub(crate) async fn add_checksums<'a>(candidates: impl Iterator<Item = &'a mut Candidate>, threads: usize) {
    let without = candidates.filter(|candidate| candidate.checksum.is_none());
    let reads = without.map(|candidate| async move {
        let path = candidate.path.clone();
        let read = tokio::task::spawn_blocking(move || isdb_pipeline::checksum(&path)).await;
        candidate.checksum = read.ok().and_then(Result::ok);
    });
    futures::stream::iter(reads).buffer_unordered(threads.max(1)).collect::<Vec<()>>().await;
}
