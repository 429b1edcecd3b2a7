//! Commits and checkpoints of a database's log.

use std::fs;

use isdb_store::{Database, Location};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::memory::within;

/// Memory for each byte of an object: its text, the parsed changes, the state they add up to, and a snapshot of that.
const GROWTH: usize = 200;
/// Paths, handles and the arrays of a snapshot.
const FIXED: usize = 1 << 20;

/// A database whose log has one commit and one checkpoint.
struct Place {
    folder: TempDir,
    location: Location,
    runtime: Runtime,
}

thread_local! {
    static PLACE: Place = Place::new();
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a temporary folder");
        for part in ["segments", "commits", "checkpoints", "ledger"] {
            fs::create_dir(folder.path().join(part)).unwrap();
        }
        let location = Location::parse(folder.path().to_str().unwrap()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        Place { folder, location, runtime }
    }

    /// Opens the database with `object` as the only commit and checkpoint `number`. Returns whether it opens.
    fn open(&self, number: u64, object: &[u8]) -> bool {
        for log in ["commits", "checkpoints"] {
            let log = self.folder.path().join(log);
            fs::remove_dir_all(&log).unwrap();
            fs::create_dir(&log).unwrap();
            fs::write(log.join(format!("{number:020}")), object).unwrap();
        }
        let opened = self.runtime.block_on(async {
            let database = match Database::open(&self.location).await {
                Ok(database) => database,
                Err(error) => {
                    let (text, uri) = (error.to_string(), self.location.uri());
                    let is_named = text.contains("commits/") || text.contains("checkpoints/") || text.contains(&uri);
                    assert!(is_named, "an error that does not name the object: {text}");
                    return None;
                }
            };
            let snapshot = database.snapshot().await.ok()?;
            assert_eq!(snapshot.fragments().count(), snapshot.fragment_count());
            let _ = snapshot.ledger().await;
            let _ = snapshot.check().await;
            Some(snapshot)
        });
        let Some(snapshot) = opened else { return false };
        let _entered = self.runtime.enter();
        if let Ok(segments) = snapshot.segments() {
            assert_eq!(segments.array().schema(), *snapshot.schema());
        }
        true
    }
}

/// A database opens with any log, or the error names its object. An input is the content of a commit or of a checkpoint, which becomes an
/// object with its checksum; it is also tried as the whole object, which has none.
pub(crate) fn commit_log(input: &[u8]) {
    PLACE.with(|place| {
        within(FIXED + GROWTH * input.len(), || {
            place.open(number(input), input);
            place.open(number(input), &sealed(input));
        });
    });
}

/// An object with this content and its checksum.
fn sealed(content: &[u8]) -> Vec<u8> {
    let mut object = format!("{{\"format\":4,\"crc32c\":\"{:08x}\"}}\n", crc32c::crc32c(content)).into_bytes();
    object.extend_from_slice(content);
    object
}

/// The number that a commit or a checkpoint says it has, and must have; 1 if it is not read.
fn number(content: &[u8]) -> u64 {
    let rest = parts_around(content, b"\"number\":").map_or(&[] as &[u8], |(_, rest)| rest);
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0_u64, |number, digit| number.saturating_mul(10).saturating_add(u64::from(digit - b'0'))).max(1)
}

fn parts_around<'a>(text: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = text.windows(separator.len()).position(|part| part == separator)?;
    Some((&text[..at], &text[at + separator.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Other commits need those before them. If one of these does not open, the format has changed, and the corpus tests nothing:
    /// `storage_seeds.py` makes a new one.
    #[test]
    fn the_creation_and_the_checkpoints_of_the_corpus_open() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/commit_log");
        for name in ["commit_create", "checkpoint_0", "checkpoint_1"] {
            let object = fs::read(folder.join(name)).unwrap();
            assert!(PLACE.with(|place| place.open(number(&object), &sealed(&object))), "{name}");
        }
    }
}
