//! The form of commits and checkpoints: a line with the format and the checksum, then the content that the checksum belongs to.

use object_store::path::Path;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The format that this version writes and reads.
pub(crate) const FORMAT: u32 = 4;

/// The first line.
#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    /// The CRC32C of everything after the line, as 8 hexadecimal digits.
    #[serde(default)]
    crc32c: String,
}

/// Puts `content` in its envelope.
pub(super) fn seal(content: &[u8]) -> Vec<u8> {
    let header = Header { format: FORMAT, crc32c: checksum(content) };
    // A number and a string of digits always have a JSON form.
    let mut object = serde_json::to_vec(&header).unwrap_or_default();
    object.reserve(content.len() + 1);
    object.push(b'\n');
    object.extend_from_slice(content);
    object
}

/// Returns the content of the object at `path`, after a check of format and checksum.
///
/// # Errors
/// [`Error::OtherFormat`]; [`Error::Damaged`] for a content that does not match its checksum.
pub(super) fn open<'a>(path: &Path, object: &'a [u8]) -> Result<&'a [u8]> {
    let damaged = |problem: String| Error::Damaged { object: path.to_string(), problem };
    let end = object.iter().position(|byte| *byte == b'\n').unwrap_or(object.len());
    let (line, content) = object.split_at(end);
    let header: Header = serde_json::from_slice(line).map_err(|error| damaged(error.to_string()))?;
    if header.format != FORMAT {
        return Err(Error::OtherFormat { object: path.to_string(), expected: FORMAT, found: header.format });
    }
    let content = content.get(1..).unwrap_or_default();
    let found = checksum(content);
    if found != header.crc32c {
        return Err(damaged(format!("expected CRC32C {}, found {found}", header.crc32c)));
    }
    Ok(content)
}

fn checksum(content: &[u8]) -> String {
    format!("{:08x}", crc32c::crc32c(content))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path() -> Path {
        Path::from("commits/1")
    }

    #[test]
    fn every_changed_or_missing_byte_is_noticed() {
        let sealed = seal(b"{\"number\":1}");
        assert_eq!(open(&path(), &sealed).unwrap(), b"{\"number\":1}");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(open(&path(), &changed).is_err(), "byte {at}");
            assert!(open(&path(), &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn an_object_of_another_version_is_refused_because_of_its_format() {
        let error = open(&path(), br#"{"format":2,"number":1}"#).unwrap_err().to_string();
        assert!(error == "expected format 4 of commits/1, found 2", "{error}");
    }
}
