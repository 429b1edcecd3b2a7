//! The checksum of a granule file's content, by which a changed file is told from one that was merely touched or copied.

use std::fs::File;
use std::hash::Hasher as _;
use std::io::{self, Read};
use std::path::Path;

use twox_hash::XxHash64;

/// Bytes read at a time: few enough to stay in a core's cache.
const PIECE: usize = 256 << 10;

/// The checksum of the file at `path`, with the name of the algorithm: `xxh64:0123456789abcdef`, which is what `xxhsum -H64`
/// prints. Reads the whole file.
///
/// # Errors
/// If the file cannot be opened or read.
pub fn checksum(path: &Path) -> io::Result<String> {
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
