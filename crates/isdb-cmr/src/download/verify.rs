//! Verification of a downloaded file: its length, its format, and its checksum.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::download::checksum::ChecksumAlgorithm;
use crate::download::format::FileFormat;
use crate::excerpt::excerpt;

/// A checksum from a server is quoted up to this length; SHA-512 has 128 digits.
const MAX_QUOTED_CHARACTERS: usize = 128;

/// Returns how the file at `path` differs from the announced one, as the predicate of a sentence; None if it does not differ. The
/// whole file is read only for a checksum.
pub(crate) fn find_defect(
    path: &Path,
    format: &FileFormat,
    length: Option<u64>,
    checksum: Option<&(ChecksumAlgorithm, String)>,
) -> std::io::Result<Option<String>> {
    let mut file = File::open(path)?;
    let actual = file.metadata()?.len();
    if let Some(expected) = length.filter(|expected| *expected != actual) {
        return Ok(Some(format!("has {actual} bytes instead of {expected}")));
    }
    let mut head = Vec::with_capacity(FileFormat::HEAD_BYTES);
    Read::by_ref(&mut file).take(FileFormat::HEAD_BYTES as u64).read_to_end(&mut head)?;
    let Some(end) = (format.end_of_file)(&head) else {
        let empty = (actual == 0).then(|| "is empty".to_owned());
        return Ok(Some(empty.unwrap_or_else(|| format!("is not in {} format", format.name))));
    };
    // Bytes after the end are legal. If the length was not announced, they are a sign of a doubled file.
    if end > actual || (length.is_none() && end != actual) {
        return Ok(Some(format!("has {actual} bytes, but its {} structure ends at {end}", format.name)));
    }
    let Some((algorithm, expected)) = checksum else { return Ok(None) };
    let computed = algorithm.compute(File::open(path)?)?;
    Ok((!computed.eq_ignore_ascii_case(expected.trim()))
        .then(|| format!("has the checksum {computed} instead of {}", excerpt(expected, MAX_QUOTED_CHARACTERS))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::download::test_format::{FORMAT, file_of};

    fn defect_of(content: &[u8], length: Option<u64>, checksum: Option<(ChecksumAlgorithm, &str)>) -> Option<String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let checksum = checksum.map(|(algorithm, text)| (algorithm, text.to_owned()));
        find_defect(file.path(), &FORMAT, length, checksum.as_ref()).unwrap()
    }

    #[test]
    fn a_truncated_or_doubled_file_is_defective() {
        let whole = file_of(500);
        assert_eq!(defect_of(&whole, None, None), None);
        assert_eq!(defect_of(&whole, Some(500), None), None);
        let message = defect_of(&whole[..499], None, None).unwrap();
        assert!(message.contains("499") && message.contains("500"), "{message}");
        assert!(defect_of(&whole, Some(501), None).unwrap().contains("500 bytes instead of 501"));
        assert!(defect_of(&[whole.clone(), whole].concat(), None, None).is_some(), "doubled");
    }

    #[test]
    fn a_file_of_another_format_is_defective() {
        for content in [&b"<!DOCTYPE html>"[..], FORMAT.signature] {
            assert_eq!(defect_of(content, None, None).unwrap(), "is not in TEST format");
        }
        assert_eq!(defect_of(b"", None, None).unwrap(), "is empty");
    }

    #[test]
    fn a_file_with_a_different_checksum_is_defective() {
        let whole = file_of(48);
        for (name, right) in [("MD5", "MD5"), ("SHA-256", "SHA-256"), ("sha512", "SHA-512")] {
            let algorithm = ChecksumAlgorithm::from_name(name).unwrap();
            let wrong = defect_of(&whole, Some(48), Some((algorithm, "00"))).unwrap();
            let own = wrong.split_whitespace().nth(3).unwrap().to_uppercase();
            assert_eq!(defect_of(&whole, Some(48), Some((algorithm, &own))), None, "{right}");
        }
    }
}
