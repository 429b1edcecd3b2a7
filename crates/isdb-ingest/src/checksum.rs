//! The checksum of a file's content, by which a changed file is told from one that was merely touched or copied.

use std::fs::File;
use std::hash::Hasher as _;
use std::io::{self, Read};
use std::path::Path;

use futures::StreamExt;
use twox_hash::XxHash64;

use crate::identify::Candidate;

/// Bytes read at a time.
const PIECE: usize = 1 << 20;

/// The checksum of the file at `path` as the ledger keeps it, with the name of the algorithm: `xxh64:0123456789abcdef`.
fn checksum(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = XxHash64::with_seed(0);
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(format!("xxh64:{:016x}", hasher.finish())),
            Ok(read) => hasher.write(piece.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Gives a checksum to those of `candidates` that have none, `threads` at a time, each on a thread that may block. A file that
/// cannot be read stays without; reading it as a granule will tell why.
pub(crate) async fn add_checksums<'a>(candidates: impl Iterator<Item = &'a mut Candidate>, threads: usize) {
    let without = candidates.filter(|candidate| candidate.checksum.is_none());
    let reads = without.map(|candidate| async move {
        let path = candidate.path.clone();
        let read = tokio::task::spawn_blocking(move || checksum(&path)).await;
        candidate.checksum = read.ok().and_then(Result::ok);
    });
    futures::stream::iter(reads).buffer_unordered(threads.max(1)).collect::<Vec<()>>().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_that_xxhsum_prints() {
        let folder = tempfile::tempdir().unwrap();
        let of = |content: &[u8]| {
            std::fs::write(folder.path().join("a"), content).unwrap();
            checksum(&folder.path().join("a")).unwrap()
        };
        assert_eq!(of(b""), "xxh64:ef46db3751d8e999");
        assert_eq!(of(b"abc"), "xxh64:44bc2cf5ad770999");
        let long = vec![7; PIECE + 3];
        let mut whole = XxHash64::with_seed(0);
        whole.write(&long);
        assert_eq!(of(&long), format!("xxh64:{:016x}", whole.finish()), "a file of several pieces");
    }
}
