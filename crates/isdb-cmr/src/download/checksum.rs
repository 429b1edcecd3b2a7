//! Checksums of files.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::sync::{Mutex, PoisonError};

use md5::Md5;
use sha2::digest::Digest;
use sha2::{Sha256, Sha512};

/// A checksum algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChecksumAlgorithm {
    /// MD5, 128 bits.
    Md5,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// Names of unsupported algorithms that were logged.
static LOGGED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

const BUFFER_BYTES: usize = 1 << 18;

impl ChecksumAlgorithm {
    /// Returns the algorithm with this name in CMR, such as `MD5`, `SHA-256` or `SHA256`. None for an unsupported one, which is
    /// logged once per name: its checksums are not verified.
    #[must_use]
    pub fn from_name(name: &str) -> Option<ChecksumAlgorithm> {
        match name.to_ascii_uppercase().replace(['-', '_'], "").as_str() {
            "MD5" => Some(ChecksumAlgorithm::Md5),
            "SHA256" => Some(ChecksumAlgorithm::Sha256),
            "SHA512" => Some(ChecksumAlgorithm::Sha512),
            _ => {
                let mut logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
                if logged.insert(name.to_owned()) {
                    tracing::warn!("unsupported checksum algorithm {name:?}: only length and structure are verified");
                }
                None
            }
        }
    }

    /// Returns the checksum of `file` in hexadecimal digits.
    pub(crate) fn compute(self, file: File) -> std::io::Result<String> {
        match self {
            ChecksumAlgorithm::Md5 => digest::<Md5>(file),
            ChecksumAlgorithm::Sha256 => digest::<Sha256>(file),
            ChecksumAlgorithm::Sha512 => digest::<Sha512>(file),
        }
    }
}

fn digest<D: Digest>(mut file: File) -> std::io::Result<String> {
    let (mut digest, mut buffer) = (D::new(), vec![0; BUFFER_BYTES]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex::encode(digest.finalize())),
            read => digest.update(buffer.get(..read).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_of_the_empty_file_are_the_published_ones() {
        for (name, start) in [
            ("MD5", "d41d8cd98f00b204e9800998ecf8427e"),
            ("SHA-256", "e3b0c44298fc1c14"),
            ("sha512", "cf83e1357eefb8bd"),
        ] {
            let algorithm = ChecksumAlgorithm::from_name(name).unwrap();
            assert!(algorithm.compute(tempfile::tempfile().unwrap()).unwrap().starts_with(start), "{name}");
        }
        assert_eq!(ChecksumAlgorithm::from_name("Adler-32"), None);
    }
}
