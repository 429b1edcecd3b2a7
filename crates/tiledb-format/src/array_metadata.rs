//! Key-value metadata of arrays: files of `__meta`, each a generic tile with the entries of one write.

use crate::bytes::ByteReader;
use crate::datatype::Datatype;
use crate::error::Result;
use crate::text::read_text;

/// An entry of one file. Later files replace the entries of earlier ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataEntry {
    /// The key.
    pub key: String,
    /// The code of the value's type, and its bytes; `None` if the entry was deleted.
    pub value: Option<(u8, Vec<u8>)>,
}

impl MetadataEntry {
    /// Parses the decoded generic tile.
    pub fn parse(content: &[u8]) -> Result<Vec<Self>> {
        let mut reader = ByteReader::new(content, "metadata of an array");
        let mut entries = Vec::new();
        while !reader.rest().is_empty() {
            let key = read_text(&mut reader)?;
            let value = if reader.flag()? {
                None
            } else {
                let (code, count) = (reader.u8()?, reader.u32()?);
                Some((code, reader.bytes_u64(u64::from(count) * value_size(code)?)?.to_vec()))
            };
            entries.push(Self { key, value });
        }
        Ok(entries)
    }
}

/// Bytes of a value of any type that libtiledb accepts in metadata; schemas have fewer.
fn value_size(code: u8) -> Result<u64> {
    Ok(match code {
        // CHAR, ANY, and geometries.
        4 | 17 | 42 | 43 => 1,
        // UTF-16 and UCS-2.
        13 | 15 => 2,
        // UTF-32 and UCS-4.
        14 | 16 => 4,
        _ => Datatype::from_code(code)?.size() as u64,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What libtiledb writes, field by field.
    fn write(entries: &[MetadataEntry]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for entry in entries {
            bytes.extend(u32::try_from(entry.key.len()).unwrap().to_le_bytes());
            bytes.extend(entry.key.as_bytes());
            bytes.push(entry.value.is_none().into());
            if let Some((code, value)) = &entry.value {
                let count = value.len() / usize::try_from(value_size(*code).unwrap()).unwrap();
                bytes.push(*code);
                bytes.extend(u32::try_from(count).unwrap().to_le_bytes());
                bytes.extend(value);
            }
        }
        bytes
    }

    fn entry() -> impl Strategy<Value = MetadataEntry> {
        let text = ".{0,9}".prop_map(|text: String| Some((12, text.into_bytes())));
        let number = any::<u64>().prop_map(|bits| Some((1, bits.to_le_bytes().to_vec())));
        ("[a-z._]{1,9}", prop_oneof![Just(None), text, number]).prop_map(|(key, value)| MetadataEntry { key, value })
    }

    proptest! {
        /// Markers of NULL elements are among these entries: one read wrongly would turn values into NULL.
        #[test]
        fn entries_are_read_and_a_short_file_is_an_error(entries in prop::collection::vec(entry(), 0..5)) {
            let bytes = write(&entries);
            prop_assert_eq!(MetadataEntry::parse(&bytes).unwrap(), entries.clone());
            for length in 0..bytes.len() {
                // Cut between entries, the rest of them is read.
                if let Ok(found) = MetadataEntry::parse(&bytes[..length]) {
                    prop_assert!(found.len() < entries.len() && entries.starts_with(&found));
                }
            }
        }
    }
}
