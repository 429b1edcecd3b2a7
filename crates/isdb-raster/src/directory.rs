//! The first directory of a TIFF, in which each tag has a type, a count and the place of its values. Arrays are read when they are
//! needed: that of the chunks' places can have millions of values.
//!
//! Classic files have offsets of 4 bytes, BigTIFF files of 8: [TIFF 6.0](https://www.loc.gov/preservation/digital/formats/fdd/fdd000022.shtml),
//! [BigTIFF](https://libtiff.gitlab.io/libtiff/specification/bigtiff.html).

use std::collections::BTreeMap;

use crate::error::RasterError;
use crate::input::Input;

/// More values of a tag than this are not read at once: names, keys and sizes of pixels are far shorter.
const MOST_VALUES: u64 = 1 << 20;
/// A directory of GDAL has about 20 tags.
const MOST_TAGS: u64 = 4096;

/// A tag's values in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    kind: u16,
    pub(crate) count: u64,
    offset: u64,
}

/// The tags of an image, by number.
#[derive(Debug)]
pub(crate) struct Directory {
    pub(crate) is_big_endian: bool,
    entries: BTreeMap<u16, Entry>,
}

impl Directory {
    /// Reads the first directory.
    pub(crate) fn read(input: &Input) -> Result<Directory, RasterError> {
        let not_tiff = || RasterError::NotTiff { path: input.path().to_owned() };
        let mut head = [0; 4];
        if input.length() < 8 {
            return Err(not_tiff());
        }
        input.read(0, &mut head)?;
        let (is_big_endian, is_big) = match head {
            [b'I', b'I', 42, 0] => (false, false),
            [b'M', b'M', 0, 42] => (true, false),
            [b'I', b'I', 43, 0] => (false, true),
            [b'M', b'M', 0, 43] => (true, true),
            _ => return Err(not_tiff()),
        };
        let number = |offset: u64, bytes: usize| read_number(input, is_big_endian, offset, bytes);
        let (width, at) = if is_big { (8, number(8, 8)?) } else { (4, number(4, 4)?) };
        let count_bytes = if is_big { 8 } else { 2 };
        let count = number(at, count_bytes)?;
        if count > MOST_TAGS {
            return Err(input.malformed(format!("its directory has {count} tags")));
        }
        let entry_bytes = 4 + 2 * width as u64;
        let mut entries = BTreeMap::new();
        for entry in 0..count {
            let at = at.saturating_add(count_bytes as u64 + entry * entry_bytes);
            let (tag, kind) = (number(at, 2)?, number(at + 2, 2)?);
            let (tag, kind) = (u16::try_from(tag).unwrap_or(0), u16::try_from(kind).unwrap_or(0));
            let values = number(at + 4, width)?;
            let place = at + 4 + width as u64;
            // Values that are not longer than an offset are in its place.
            let is_inline = values.checked_mul(type_bytes(kind)).is_some_and(|bytes| bytes <= width as u64);
            let offset = if is_inline { place } else { number(place, width)? };
            entries.insert(tag, Entry { kind, count: values, offset });
        }
        Ok(Directory { is_big_endian, entries })
    }

    pub(crate) fn entry(&self, tag: u16) -> Option<Entry> {
        self.entries.get(&tag).copied()
    }

    /// Returns one of the whole numbers of `entry`.
    pub(crate) fn unsigned(&self, input: &Input, entry: Entry, index: u64) -> Result<u64, RasterError> {
        let bytes = match entry.kind {
            1 | 3 | 4 | 13 | 16 | 18 if index < entry.count => type_bytes(entry.kind),
            _ => return Err(input.malformed("a tag has another type or fewer values than expected")),
        };
        let offset = entry.offset.saturating_add(index.saturating_mul(bytes));
        read_number(input, self.is_big_endian, offset, usize::try_from(bytes).unwrap_or(0))
    }

    /// Returns the first whole number of `tag`; None without the tag.
    pub(crate) fn first(&self, input: &Input, tag: u16) -> Result<Option<u64>, RasterError> {
        self.entry(tag).map(|entry| self.unsigned(input, entry, 0)).transpose()
    }

    /// Returns the whole numbers of `tag`; none without the tag.
    pub(crate) fn all_unsigned(&self, input: &Input, tag: u16) -> Result<Vec<u64>, RasterError> {
        let Some(entry) = self.short(input, tag)? else { return Ok(Vec::new()) };
        (0..entry.count).map(|index| self.unsigned(input, entry, index)).collect()
    }

    /// Returns the numbers of `tag`, which are doubles; none without the tag.
    pub(crate) fn doubles(&self, input: &Input, tag: u16) -> Result<Vec<f64>, RasterError> {
        let Some(entry) = self.short(input, tag)? else { return Ok(Vec::new()) };
        if entry.kind != 12 {
            return Err(input.malformed(format!("expected doubles in tag {tag}")));
        }
        let numbers = (0..entry.count)
            .map(|index| read_number(input, self.is_big_endian, entry.offset.saturating_add(8 * index), 8));
        numbers.map(|number| number.map(f64::from_bits)).collect()
    }

    /// Returns the text of `tag` without the byte 0 at its end; empty without the tag.
    pub(crate) fn text(&self, input: &Input, tag: u16) -> Result<String, RasterError> {
        let Some(entry) = self.short(input, tag)? else { return Ok(String::new()) };
        if entry.kind != 2 {
            return Err(input.malformed(format!("expected a text in tag {tag}")));
        }
        let mut bytes = vec![0; usize::try_from(entry.count).unwrap_or(0)];
        input.read(entry.offset, &mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        Ok(text.trim_end_matches('\0').to_owned())
    }

    /// Returns the entry of `tag` if its values can be read at once.
    fn short(&self, input: &Input, tag: u16) -> Result<Option<Entry>, RasterError> {
        match self.entry(tag) {
            Some(entry) if entry.count > MOST_VALUES => {
                Err(input.malformed(format!("tag {tag} has {} values", entry.count)))
            }
            entry => Ok(entry),
        }
    }
}

/// The bytes of a value of a type; 1 for unknown ones.
fn type_bytes(kind: u16) -> u64 {
    match kind {
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 | 16 | 17 | 18 => 8,
        _ => 1,
    }
}

fn read_number(input: &Input, is_big_endian: bool, offset: u64, bytes: usize) -> Result<u64, RasterError> {
    let mut buffer = [0; 8];
    let value = buffer.get_mut(..bytes).unwrap_or_default();
    input.read(offset, value)?;
    Ok(if is_big_endian { u64::from_be_bytes(buffer) >> (64 - 8 * bytes.max(1)) } else { u64::from_le_bytes(buffer) })
}
