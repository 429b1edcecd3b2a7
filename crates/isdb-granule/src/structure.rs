//! The bytes of a granule as the HDF5 reader gets them: with limits on what following the structure of a file may cost.
//!
//! Read of hdf5-pure 0.47.0 for what a crafted file could do to it: its walks over version 1 B-trees, object header continuations and
//! heaps are limited in depth but not in visits (a node with two equal children at 60 levels is 2⁶⁰ visits), its walk over version 2
//! B-trees recurses as deep as their header says, and its extensible arrays reserve what their header says. Every step of a walk reads,
//! so a budget of reads and bytes ends them all; the headers that lead to recursion or memory without a read are looked at as they
//! pass. What is left is the recursion over nested datatypes, which a message of at most 65,535 bytes bounds, and for which
//! [`with_stack`] has room. The most memory for a byte read, 56 times, is in an attribute that is an array of strings of one byte.

use std::cell::Cell;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hdf5::FormatError;

use crate::source::ByteSource;

/// Reads of structure that one granule may cost. A granule of six beams with all variables takes 20,000.
const MOST_READS: u64 = 400_000;

/// Bytes of structure that one granule may cost. A granule of six beams with all variables takes 2 MB.
const MOST_BYTES: u64 = 16 << 20;

/// Bytes of values, which are those of variable strings and of chunks with rare filters, that the HDF5 reader may read beyond the
/// length of the file.
const MOST_VALUES: u64 = 64 << 20;

/// Bytes of names that one walk over a version 1 group may make, and all walks over one granule: each of its links may name all of the
/// group's heap. Groups of the product make less than 1 MB.
const MOST_NAMES: u64 = 64 << 20;
const MOST_NAMES_IN_ALL: u64 = 8 << 30;

/// Levels of a version 2 B-tree; 16 levels of two records each hold more links than fit a file.
const MOST_LEVELS: u16 = 16;

/// Bytes of the shortest record of a version 2 B-tree, that of a shared message index.
const LEAST_RECORD: u16 = 8;

/// Stack for the deepest datatype. Only what is used takes memory.
const STACK: usize = 64 << 20;

/// What following the structure of one granule has cost.
#[derive(Default)]
pub(crate) struct Spent {
    reads: AtomicU64,
    bytes: AtomicU64,
    values: AtomicU64,
    names: AtomicU64,
}

thread_local! {
    /// Of the walk over a version 1 group that is under way in this thread: the bytes of its heap, and of the names so far at most.
    static WALK: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

impl Spent {
    /// Begins again: opening a granule and decoding it each have the whole budget.
    pub(crate) fn reset(&self) {
        [&self.reads, &self.bytes, &self.values, &self.names]
            .into_iter()
            .for_each(|spent| spent.store(0, Ordering::Relaxed));
    }
}

#[cfg(test)]
impl Spent {
    pub(crate) fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }
}

/// A source with a budget.
pub(crate) struct Structure {
    source: Arc<dyn ByteSource>,
    spent: Arc<Spent>,
}

impl Structure {
    pub(crate) fn new(source: Arc<dyn ByteSource>, spent: Arc<Spent>) -> Self {
        Self { source, spent }
    }

    /// Counts bytes of values.
    fn spend_values(&self, len: usize) -> Result<(), FormatError> {
        spend(&self.spent.values, len as u64, self.source.len().saturating_add(MOST_VALUES))
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
            // An address beyond the end is damage of the file, and no failure of where it lies.
            io::ErrorKind::UnexpectedEof => {
                let available = usize::try_from(self.source.len()).unwrap_or(usize::MAX);
                FormatError::UnexpectedEof { expected: buffer.len(), available }
            }
            _ => FormatError::Source(error.to_string()),
        })
    }
}

impl hdf5::Source for Structure {
    fn len(&self) -> u64 {
        self.source.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), FormatError> {
        self.spend_values(buffer.len())?;
        self.read(offset, buffer)
    }

    fn read_exact_at(&self, offset: u64, len: usize) -> Result<Vec<u8>, FormatError> {
        spend(&self.spent.reads, 1, MOST_READS)?;
        self.spend_values(len)?;
        self.fetch(offset, len)
    }

    fn read_metadata_at(&self, offset: u64, len: usize) -> Result<Vec<u8>, FormatError> {
        spend(&self.spent.reads, 1, MOST_READS)?;
        spend(&self.spent.bytes, len as u64, MOST_BYTES)?;
        let bytes = self.fetch(offset, len)?;
        self.inspect(&bytes)?;
        Ok(bytes)
    }
}

fn spend(spent: &AtomicU64, amount: u64, most: u64) -> Result<(), FormatError> {
    let before = spent.fetch_add(amount, Ordering::Relaxed);
    match before.saturating_add(amount) <= most {
        true => Ok(()),
        false => Err(refused("its structure leads in circles, or is far larger than that of a granule")),
    }
}

impl Structure {
    /// Refuses the headers that the HDF5 reader would follow into recursion or memory without reading on.
    fn inspect(&self, bytes: &[u8]) -> Result<(), FormatError> {
        match bytes.first_chunk::<4>() {
            // signature, version, type, node size (4), record size (2), depth (2)
            Some(b"BTHD") if word(bytes, 10).is_some_and(|size| size < LEAST_RECORD) => {
                Err(refused("a B-tree has empty records"))
            }
            Some(b"BTHD") if word(bytes, 12).is_some_and(|depth| depth > MOST_LEVELS) => {
                Err(refused("a B-tree is too deep for any file"))
            }
            // signature, version, client, element size, bits of the count, elements of the index block, least elements of a data
            // block, least pointers of a super block, bits of a page; HDF5 writes 32, 4, 16, 4 and 10
            Some(b"EAHD") => match bytes.get(7..12) {
                Some([bits, _, _, pointers, page]) if *bits > 64 || *pointers > 16 || *page > 32 => {
                    Err(refused("an extensible array has impossible sizes"))
                }
                _ => Ok(()),
            },
            // A message shared in a heap may be of any length, so that its datatype may be nested to any depth.
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
                match names <= MOST_NAMES {
                    true => spend(&self.spent.names, more, MOST_NAMES_IN_ALL),
                    false => Err(refused("the names in a group are far longer than those of a granule")),
                }
            }
            _ => Ok(()),
        }
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

/// How a refusal begins, which is the file's own fault; every other `FormatError::Source` is a failed read.
pub(crate) const REFUSED: &str = "the structure is refused: ";

fn refused(reason: &str) -> FormatError {
    FormatError::Source(format!("{REFUSED}{reason}"))
}

/// Runs `work` on a thread whose stack is large enough for every datatype. `Ok(None)` if the HDF5 reader panicked.
///
/// # Errors
/// If there is no thread to be had.
pub(crate) fn with_stack<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<Option<T>> {
    std::thread::scope(|scope| Ok(builder().spawn_scoped(scope, work)?.join().ok()))
}

/// A thread with a stack for [`with_stack`]'s kind of work.
pub(crate) fn builder() -> std::thread::Builder {
    std::thread::Builder::new().name("granule".to_owned()).stack_size(STACK)
}
