//! The budget for following a file's structure, and a record of failed reads, in the source that the HDF5 reader gets.
//!
//! hdf5-pure 0.47.0 was reviewed for attacks by crafted files. Its walks over version 1 B-trees, object header continuations
//! and heaps are limited in depth but not in visits (a node with two equal children at 60 levels is 2⁶⁰ visits), its walk over
//! version 2 B-trees recurses as deep as their header says, and its extensible arrays reserve as much memory as their header
//! says. Every step of a walk reads from the file, so a budget of reads and bytes ends every walk; headers that lead to
//! recursion or allocation without a further read are checked as they are read. What remains is the recursion over nested
//! datatypes, which a message of at most 65,535 bytes bounds, and for which [`stack`](super::stack) reserves enough. An
//! attribute that is an array of one-byte strings needs the most memory per byte read: 56 bytes.
//!
//! The HDF5 reader leaves out attributes that it cannot read, and absence is legal in a granule. [`Budget::take_read_failure`] shows
//! whether a failed read was the reason.

use std::cell::Cell;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hdf5::FormatError;

use crate::source::ByteSource;

/// Limit of the reads of structure for one granule. A granule of six beams with all variables takes 20,000.
const MAX_READS: u64 = 400_000;

/// Limit of the bytes of structure for one granule. A granule of six beams with all variables takes 2 MB.
const MAX_BYTES: u64 = 16 << 20;

/// Bytes of values that the HDF5 reader may read beyond the length of the file. It reads strings of variable length, and HDF5 chunks
/// with rare filters.
const MAX_VALUES: u64 = 64 << 20;

/// Limits of the bytes of names that one walk over a version 1 group, and all walks over one granule, may produce: each link of
/// a group may use the whole heap as its name. Groups of the product produce less than 1 MB.
const MAX_NAMES: u64 = 64 << 20;
const MAX_NAMES_IN_ALL: u64 = 8 << 30;

/// The maximum number of levels of a version 2 B-tree; 16 levels of two records each hold more links than fit into a file.
const MAX_LEVELS: u16 = 16;

/// Bytes of the shortest record of a version 2 B-tree, which is in a shared message index.
const MIN_RECORD: u16 = 8;

/// The cost so far of following the structure of one granule, and the first read that failed.
#[derive(Default)]
pub(crate) struct Budget {
    reads: AtomicU64,
    bytes: AtomicU64,
    values: AtomicU64,
    names: AtomicU64,
    read_failure: Mutex<Option<io::Error>>,
}

thread_local! {
    /// For the walk over a version 1 group that is under way in this thread: the bytes of the group's heap, and an upper bound of the
    /// bytes of names so far.
    static WALK: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

impl Budget {
    /// Resets the budget: opening a granule and decoding it each have a full one.
    pub(crate) fn reset(&self) {
        [&self.reads, &self.bytes, &self.values, &self.names]
            .into_iter()
            .for_each(|spent| spent.store(0, Ordering::Relaxed));
    }

    /// Returns the first failed read of the source that was not a read past its end, and forgets it.
    pub(crate) fn take_read_failure(&self) -> Option<io::Error> {
        self.read_failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn record_read_failure(&self, error: io::Error) -> FormatError {
        let message = error.to_string();
        self.read_failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        FormatError::Source(message)
    }
}

#[cfg(test)]
impl Budget {
    pub(crate) fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }
}

/// A source whose reads count against a budget.
pub(crate) struct BudgetedSource {
    source: Arc<dyn ByteSource>,
    budget: Arc<Budget>,
}

impl BudgetedSource {
    pub(crate) fn new(source: Arc<dyn ByteSource>, budget: Arc<Budget>) -> Self {
        Self { source, budget }
    }

    /// Counts bytes of values.
    fn spend_values(&self, len: usize) -> Result<(), FormatError> {
        spend(&self.budget.values, len as u64, self.source.len().saturating_add(MAX_VALUES))
    }

    fn fetch(&self, offset: u64, len: usize) -> Result<Vec<u8>, FormatError> {
        let end = offset.checked_add(len as u64);
        if end.is_none_or(|end| end > self.source.len()) {
            let available = usize::try_from(self.source.len()).unwrap_or(usize::MAX);
            return Err(FormatError::UnexpectedEof { expected: len, available });
        }
        let mut bytes = vec![0; len];
        self.read(offset, &mut bytes)?;
        Ok(bytes)
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), FormatError> {
        self.source.read_at(offset, buffer).map_err(|error| match error.kind() {
            // An address past the end is damage of the file; reading it again would not help.
            io::ErrorKind::UnexpectedEof => {
                let available = usize::try_from(self.source.len()).unwrap_or(usize::MAX);
                FormatError::UnexpectedEof { expected: buffer.len(), available }
            }
            _ => self.budget.record_read_failure(error),
        })
    }
}

impl hdf5::Source for BudgetedSource {
    fn len(&self) -> u64 {
        self.source.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), FormatError> {
        self.spend_values(buffer.len())?;
        self.read(offset, buffer)
    }

    fn read_exact_at(&self, offset: u64, len: usize) -> Result<Vec<u8>, FormatError> {
        spend(&self.budget.reads, 1, MAX_READS)?;
        self.spend_values(len)?;
        self.fetch(offset, len)
    }

    fn read_metadata_at(&self, offset: u64, len: usize) -> Result<Vec<u8>, FormatError> {
        spend(&self.budget.reads, 1, MAX_READS)?;
        spend(&self.budget.bytes, len as u64, MAX_BYTES)?;
        let bytes = self.fetch(offset, len)?;
        self.inspect(&bytes)?;
        Ok(bytes)
    }
}

/// Adds `amount` to `spent`; an error if that exceeds `most`.
fn spend(spent: &AtomicU64, amount: u64, most: u64) -> Result<(), FormatError> {
    let before = spent.fetch_add(amount, Ordering::Relaxed);
    match before.saturating_add(amount) <= most {
        true => Ok(()),
        false => Err(refused("it leads in circles, or is far larger than a granule's")),
    }
}

impl BudgetedSource {
    /// Refuses headers that would make the HDF5 reader recurse or allocate without a further read.
    fn inspect(&self, bytes: &[u8]) -> Result<(), FormatError> {
        match bytes.first_chunk::<4>() {
            // signature, version, type, node size (4), record size (2), depth (2)
            Some(b"BTHD") if word(bytes, 10).is_some_and(|size| size < MIN_RECORD) => {
                Err(refused("a B-tree has empty records"))
            }
            Some(b"BTHD") if word(bytes, 12).is_some_and(|depth| depth > MAX_LEVELS) => {
                Err(refused("a B-tree is too deep for any file"))
            }
            // signature, version, client, element size, bits of the count, elements of the index block, minimum elements of a
            // data block, minimum pointers of a super block, bits of a page; HDF5 writes 32, 4, 16, 4 and 10
            Some(b"EAHD") => match bytes.get(7..12) {
                Some([bits, _, _, pointers, page]) if *bits > 64 || *pointers > 16 || *page > 32 => {
                    Err(refused("an extensible array has impossible sizes"))
                }
                _ => Ok(()),
            },
            // A message shared in a heap may have any length, and so a datatype nested to any depth.
            Some(b"SMTB") => Err(refused("messages are shared between objects, which is not supported")),
            // signature, version, 3 reserved, bytes of the segment that holds the names
            Some(b"HEAP") => {
                let segment = bytes.get(8..16).and_then(|length| length.try_into().ok()).map_or(0, u64::from_le_bytes);
                WALK.set((segment, 0));
                Ok(())
            }
            // signature, version, reserved, number of links (2)
            Some(b"SNOD") => {
                let (segment, names) = WALK.get();
                let more = u64::from(word(bytes, 6).unwrap_or(0)).saturating_mul(segment);
                let names = names.saturating_add(more);
                WALK.set((segment, names));
                match names <= MAX_NAMES {
                    true => spend(&self.budget.names, more, MAX_NAMES_IN_ALL),
                    false => Err(refused("the names in a group are far longer than a granule's")),
                }
            }
            _ => Ok(()),
        }
    }
}

/// The little-endian 16-bit number at `at`.
fn word(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

fn refused(reason: &str) -> FormatError {
    FormatError::Source(format!("the structure is refused: {reason}"))
}
