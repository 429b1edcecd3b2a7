//! The checksum of a granule file's content, which distinguishes a changed file from a touched or copied one.

use std::fs::File;
use std::hash::Hasher as _;
use std::io::{self, Read};
use std::path::Path;

use twox_hash::XxHash64;

/// Bytes read at a time: they stay in a core's cache.
const BLOCK: usize = 256 << 10;

/// Returns the checksum of the file at `path` with the name of the algorithm: `xxh64:0123456789abcdef`, the digits that `xxhsum -H64`
/// prints. Reads the whole file.
///
/// # Errors
/// If the file cannot be opened or read.
pub fn checksum(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = XxHash64::with_seed(0);
    let mut block = vec![0; BLOCK];
    loop {
        match file.read(&mut block) {
            Ok(0) => return Ok(format!("xxh64:{:016x}", hasher.finish())),
            Ok(read) => hasher.write(block.get(..read).unwrap_or_default()),
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
        let long = vec![7; BLOCK + 3];
        let mut whole = XxHash64::with_seed(0);
        whole.write(&long);
        assert_eq!(of(&long), format!("xxh64:{:016x}", whole.finish()), "a file of several blocks");
    }
}
