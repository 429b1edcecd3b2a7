//! Whether a file is the one that was announced: its length, its HDF5 signature and end-of-file address, its checksum.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use md5::Md5;
use sha2::digest::Digest;
use sha2::{Sha256, Sha512};

/// A checksum's algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// MD5, 128 bits.
    Md5,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// The algorithm that CMR's metadata names so, such as `MD5`, `SHA-256` or `SHA256`; None for others,
    /// of which each is warned of once: files are not compared by them.
    #[must_use]
    pub fn named(name: &str) -> Option<Algorithm> {
        match name.to_ascii_uppercase().replace(['-', '_'], "").as_str() {
            "MD5" => Some(Algorithm::Md5),
            "SHA256" => Some(Algorithm::Sha256),
            "SHA512" => Some(Algorithm::Sha512),
            _ => {
                let mut warned = WARNED.lock().unwrap_or_else(PoisonError::into_inner);
                if warned.insert(name.to_owned()) {
                    tracing::warn!("checksums by {name:?} are not compared; lengths and the HDF5 structure are");
                }
                None
            }
        }
    }
}

/// Algorithms that were warned of.
static WARNED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// The first eight bytes of every HDF5 file without a user block.
pub(crate) const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";
/// The longest superblock up to and with its end-of-file address.
pub(crate) const SUPERBLOCK: usize = 64;
const CHUNK: usize = 1 << 18;

/// What is wrong with the file at `path`; None when it is the announced one. Reads the whole file only for a checksum.
pub(crate) fn problem(
    path: &Path,
    length: Option<u64>,
    checksum: Option<&(Algorithm, String)>,
) -> std::io::Result<Option<String>> {
    let mut file = File::open(path)?;
    let found = file.metadata()?.len();
    if let Some(length) = length.filter(|length| *length != found) {
        return Ok(Some(format!("has {found} bytes instead of {length}")));
    }
    let mut head = Vec::with_capacity(SUPERBLOCK);
    Read::by_ref(&mut file).take(SUPERBLOCK as u64).read_to_end(&mut head)?;
    let Some(end) = end_of_file(&head) else {
        let problem = if found == 0 { "is empty: the server sent no bytes" } else { "is not an HDF5 file" };
        return Ok(Some(problem.to_owned()));
    };
    // Bytes behind the end are legal; where nobody announced the length they are what a doubled file looks like.
    if end > found || (length.is_none() && end != found) {
        return Ok(Some(format!("has {found} bytes, but its HDF5 structure ends at {end}")));
    }
    let Some((algorithm, announced)) = checksum else { return Ok(None) };
    let file = File::open(path)?;
    let own = match algorithm {
        Algorithm::Md5 => digest::<Md5>(file)?,
        Algorithm::Sha256 => digest::<Sha256>(file)?,
        Algorithm::Sha512 => digest::<Sha512>(file)?,
    };
    Ok((!own.eq_ignore_ascii_case(announced.trim())).then(|| format!("has the checksum {own} instead of {announced}")))
}

fn digest<D: Digest>(mut file: File) -> std::io::Result<String> {
    let (mut digest, mut chunk) = (D::new(), vec![0; CHUNK]);
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(hexadecimal(&digest.finalize())),
            read => digest.update(chunk.get(..read).unwrap_or_default()),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Where a superblock at the start of a file says that the file ends; None when that is no superblock of version 0 to 3.
pub(crate) fn end_of_file(head: &[u8]) -> Option<u64> {
    let version = *head.strip_prefix(&SIGNATURE)?.first()?;
    // Where the size of addresses stands, where the first address (the base) does, and how many lie between it and the end's.
    let (size_at, base_at, between) = match version {
        0 => (13, 24, 2),
        1 => (13, 28, 2),
        2 | 3 => (9, 12, 2),
        _ => return None,
    };
    let size = usize::from(*head.get(size_at)?);
    let base = address(head, base_at, size)?;
    base.checked_add(address(head, base_at + between * size, size)?)
}

/// The little-endian number of `size` bytes at `at`.
fn address(head: &[u8], at: usize, size: usize) -> Option<u64> {
    let bytes = head.get(at..at.checked_add(size)?).filter(|bytes| matches!(bytes.len(), 2 | 4 | 8))?;
    Some(bytes.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte)))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A superblock of `version` whose file ends at `end`.
    pub(crate) fn superblock(version: u8, end: u64) -> Vec<u8> {
        let mut head = SIGNATURE.to_vec();
        head.push(version);
        match version {
            0 | 1 => head.extend([0, 0, 0, 0, 8, 8, 0, 4, 0, 16, 0, 0, 0, 0, 0]),
            _ => head.extend([8, 8, 0]),
        }
        if version == 1 {
            head.extend([32, 0, 0, 0]);
        }
        for address in [0, u64::MAX, end] {
            head.extend(address.to_le_bytes());
        }
        head
    }

    fn told(content: &[u8], length: Option<u64>, checksum: Option<(Algorithm, &str)>) -> Option<String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        problem(file.path(), length, checksum.map(|(algorithm, text)| (algorithm, text.to_owned())).as_ref()).unwrap()
    }

    #[test]
    fn a_file_that_was_cut_or_doubled_is_not_accepted() {
        for version in 0..4 {
            let mut whole = superblock(version, 500);
            whole.resize(500, 7);
            assert_eq!(told(&whole, None, None), None, "version {version}");
            assert_eq!(told(&whole, Some(500), None), None, "version {version}");
            let cut = told(&whole[..499], None, None).unwrap();
            assert!(cut.contains("499") && cut.contains("500"), "{cut}");
            assert!(told(&whole, Some(501), None).unwrap().contains("500 bytes instead of 501"));
            assert!(told(&[whole.clone(), whole].concat(), None, None).is_some(), "doubled, version {version}");
        }
    }

    #[test]
    fn what_is_no_hdf5_is_not_accepted() {
        for content in [b"<!DOCTYPE html>", &SIGNATURE[..], &superblock(9, 21)] {
            assert_eq!(told(content, None, None).unwrap(), "is not an HDF5 file");
        }
        assert_eq!(told(b"", None, None).unwrap(), "is empty: the server sent no bytes");
    }

    #[test]
    fn a_file_with_another_checksum_is_not_accepted() {
        let whole = superblock(0, 48);
        for (name, right) in [("MD5", "MD5"), ("SHA-256", "SHA-256"), ("sha512", "SHA-512")] {
            let algorithm = Algorithm::named(name).unwrap();
            let wrong = told(&whole, Some(48), Some((algorithm, "00"))).unwrap();
            let own = wrong.split_whitespace().nth(3).unwrap().to_uppercase();
            assert_eq!(told(&whole, Some(48), Some((algorithm, &own))), None, "{right}");
        }
        // The published sums of the empty text.
        assert_eq!(digest::<Md5>(tempfile::tempfile().unwrap()).unwrap(), "d41d8cd98f00b204e9800998ecf8427e");
        assert!(digest::<Sha256>(tempfile::tempfile().unwrap()).unwrap().starts_with("e3b0c44298fc1c14"));
        assert!(digest::<Sha512>(tempfile::tempfile().unwrap()).unwrap().starts_with("cf83e1357eefb8bd"));
        assert_eq!(Algorithm::named("Adler-32"), None);
    }
}
