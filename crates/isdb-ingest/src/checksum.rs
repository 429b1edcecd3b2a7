//! Checksums of files whose rows no plan reads now: where one decides whether a file is to be ingested at all, or the file is no
//! granule. The others get theirs while they are decoded.

use futures::StreamExt;

use crate::identify::Candidate;

/// Gives a checksum to those of `candidates` that have none, `threads` at a time, each on a thread that may block. A file that
/// cannot be read stays without; reading it as a granule will tell why.
pub(crate) async fn add_checksums<'a>(candidates: impl Iterator<Item = &'a mut Candidate>, threads: usize) {
    let without = candidates.filter(|candidate| candidate.checksum.is_none());
    let reads = without.map(|candidate| async move {
        let path = candidate.path.clone();
        let read = tokio::task::spawn_blocking(move || isdb_pipeline::checksum(&path)).await;
        candidate.checksum = read.ok().and_then(Result::ok);
    });
    futures::stream::iter(reads).buffer_unordered(threads.max(1)).collect::<Vec<()>>().await;
}
