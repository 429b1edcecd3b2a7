//! Footers of several fragments in one file of `__fragment_meta`, which libtiledb reads in place of the fragments' own.

use crate::bytes::ByteReader;
use crate::error::Result;
use crate::generic_tile;

const WHAT: &str = "consolidated footers";

/// The footers in such a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsolidatedFooters {
    content: Vec<u8>,
    /// The name of each fragment, and where its footer begins.
    places: Vec<(String, u64)>,
}

impl ConsolidatedFooters {
    /// Parses the content of a file.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let content = generic_tile::read(bytes, 0)?;
        let mut reader = ByteReader::new(&content, WHAT);
        // The list grows with the bytes read: a count from the file reserves nothing.
        let mut places = Vec::new();
        for _ in 0..reader.u32()? {
            let length = reader.u64()?;
            let name = reader.text(length)?.to_owned();
            places.push((name, reader.u64()?));
        }
        Ok(Self { content, places })
    }

    /// The names of the fragments, and for each the bytes from the beginning of its footer on; none if they would be beyond the end.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.places.iter().map(|(name, start)| {
            let bytes = usize::try_from(*start).ok().and_then(|start| self.content.get(start..));
            (name.as_str(), bytes.unwrap_or_default())
        })
    }
}
