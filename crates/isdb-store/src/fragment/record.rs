//! What the log records of a fragment. It is enough to decide whether a read needs the fragment, without opening it.

use serde::{Deserialize, Serialize};

use crate::id::Id;

/// A fragment as a commit records it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FragmentRecord {
    /// The value of `fragment_id` in each of its rows.
    pub id: Id,
    /// The fragment's folder below `__fragments`.
    pub name: String,
    /// Its number of rows.
    pub rows: u64,
    /// The smallest and largest coordinates of its rows.
    pub bounds: Bounds,
    /// The chunks of [`isdb_schema::grid::chunk`] that it has rows in, ascending, with the number of rows.
    pub chunks: Vec<(u32, u64)>,
    /// The size and checksum of its `__fragment_metadata.tdb`, without which no file of the fragment can be read.
    pub footer: FileChecksum,
}

/// A box in space and time. Both ends are included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    /// South and north, in degrees.
    #[serde(with = "exact_degrees")]
    pub latitude: (f64, f64),
    /// West and east, in degrees.
    #[serde(with = "exact_degrees")]
    pub longitude: (f64, f64),
    /// First and last, in nanoseconds since 1970.
    pub time: (i64, i64),
}

impl Bounds {
    /// The box around all of `bounds`; None without any.
    pub fn around(bounds: impl IntoIterator<Item = Bounds>) -> Option<Bounds> {
        bounds.into_iter().reduce(|a, b| Bounds {
            latitude: (a.latitude.0.min(b.latitude.0), a.latitude.1.max(b.latitude.1)),
            longitude: (a.longitude.0.min(b.longitude.0), a.longitude.1.max(b.longitude.1)),
            time: (a.time.0.min(b.time.0), a.time.1.max(b.time.1)),
        })
    }
}

/// The size and the CRC32C of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChecksum {
    /// The size in bytes.
    pub bytes: u64,
    /// The CRC32C of the content.
    pub crc32c: u32,
}

impl FileChecksum {
    /// The size and checksum of a file with this content.
    pub(crate) fn new(content: &[u8]) -> FileChecksum {
        FileChecksum { bytes: content.len() as u64, crc32c: crc32c::crc32c(content) }
    }

    /// Describes how `content` differs from the recorded file; None if it does not.
    pub(crate) fn difference(&self, content: &[u8]) -> Option<String> {
        let found = FileChecksum::new(content);
        if found.bytes != self.bytes {
            return Some(format!("expected {} bytes, found {}", self.bytes, found.bytes));
        }
        (found != *self).then(|| format!("expected CRC32C {:08x}, found {:08x}", self.crc32c, found.crc32c))
    }
}

/// Degrees as text: JSON numbers may be rounded when they are parsed, and a bound that moves inwards would hide rows.
mod exact_degrees {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(range: &(f64, f64), serializer: S) -> Result<S::Ok, S::Error> {
        (range.0.to_string(), range.1.to_string()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(f64, f64), D::Error> {
        let (low, high) = <(String, String)>::deserialize(deserializer)?;
        match (low.parse(), high.parse()) {
            (Ok(low), Ok(high)) => Ok((low, high)),
            _ => Err(D::Error::custom(format!("expected two numbers, found {low:?} and {high:?}"))),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn record(id: Id, rows: u64) -> FragmentRecord {
        let bounds = Bounds { latitude: (0.1, 1.0), longitude: (-0.3, 2.0), time: (1, 2) };
        let name = format!("__1_1_{:032x}_22", id.0);
        FragmentRecord { id, name, rows, bounds, chunks: vec![(7, rows)], footer: FileChecksum { bytes: 9, crc32c: 1 } }
    }

    #[test]
    fn bounds_are_exact_after_their_json() {
        for degrees in [(-0.1 - 0.2, 0.1 + 0.2), (f64::MIN_POSITIVE, 179.999_999_999_999_97), (-0.0, 1e-7)] {
            let mut fragment = record(Id(5), 3);
            fragment.bounds.longitude = degrees;
            let json = serde_json::to_string(&fragment).unwrap();
            assert_eq!(serde_json::from_str::<FragmentRecord>(&json).unwrap(), fragment);
        }
    }

    #[test]
    fn a_changed_file_is_described() {
        let sum = FileChecksum::new(b"footer");
        assert_eq!(sum.difference(b"footer"), None);
        assert!(sum.difference(b"foote").unwrap().contains("expected 6 bytes, found 5"));
        assert!(sum.difference(b"Footer").unwrap().contains("CRC32C"));
    }
}
