//! Pages of a file that are kept because many small reads fall into them: a granule's structure takes some 3,000 reads of a few bytes,
//! which are in 350 pages of 4 KiB.

use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, PoisonError};

/// Bytes of a page.
const PAGE: usize = 16 << 10;

/// The largest read that goes through pages. HDF5 chunks, which are read once, are larger.
const SMALL: usize = 4 << 10;

/// The most pages that are kept, 8 MiB; a granule's structure has 2 MB.
const MOST: usize = 512;

/// The pages of one file, by their number.
#[derive(Debug, Default)]
pub(crate) struct Pages(Mutex<HashMap<u64, Vec<u8>>>);

impl Pages {
    /// Fills `buffer` with the bytes from `offset` on of a file of `len` bytes, which `read` reads.
    pub(crate) fn read_at(
        &self,
        len: u64,
        offset: u64,
        buffer: &mut [u8],
        read: impl Fn(u64, &mut [u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let end = offset.saturating_add(buffer.len() as u64);
        if buffer.len() > SMALL || end > len {
            return read(offset, buffer);
        }
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut offset, mut buffer) = (offset, buffer);
        while !buffer.is_empty() {
            let number = offset / PAGE as u64;
            let start = number * PAGE as u64;
            let page = match pages.get(&number) {
                Some(page) => page,
                None => {
                    if pages.len() >= MOST {
                        pages.clear();
                    }
                    let mut page = vec![0; usize::try_from(len - start).unwrap_or(PAGE).min(PAGE)];
                    read(start, &mut page)?;
                    pages.entry(number).or_insert(page)
                }
            };
            let from = usize::try_from(offset - start).ok().and_then(|at| page.get(at..)).unwrap_or_default();
            let copied = from.len().min(buffer.len());
            let (now, later) = buffer.split_at_mut(copied);
            now.copy_from_slice(from.get(..copied).unwrap_or_default());
            (offset, buffer) = (offset + copied as u64, later);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn small_reads_share_pages_and_have_the_bytes_of_the_file() {
        let file: Vec<u8> = (0..MOST * PAGE + 3 * PAGE + 5).map(|at| ((at * 31) >> 7).to_le_bytes()[0]).collect();
        let (pages, reads) = (Pages::default(), Cell::new(0));
        let read = |offset: u64, buffer: &mut [u8]| {
            reads.set(reads.get() + 1);
            let start = usize::try_from(offset).unwrap();
            let bytes = file.get(start..start + buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
            buffer.copy_from_slice(bytes);
            Ok(())
        };
        let fetch = |offset: usize, len: usize| {
            let mut buffer = vec![0; len];
            pages.read_at(file.len() as u64, offset as u64, &mut buffer, read).map(|()| buffer)
        };
        for (offset, len) in [(0, 8), (100, 4000), (PAGE - 3, 6), (PAGE + 9, 8), (5, 0)] {
            assert_eq!(fetch(offset, len).unwrap(), file[offset..offset + len]);
        }
        assert_eq!(reads.get(), 2, "all in two pages");
        assert_eq!(fetch(file.len() - 5, 5).unwrap(), file[file.len() - 5..]);
        assert_eq!(fetch(file.len() - 5, 6).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(fetch(7, SMALL + 1).unwrap(), file[7..SMALL + 8]);
        // A file with small reads everywhere does not stay in memory.
        for page in 0..MOST + 3 {
            assert_eq!(fetch(page * PAGE + 1, 2).unwrap(), file[page * PAGE + 1..page * PAGE + 3]);
        }
        assert!(pages.0.lock().unwrap().len() <= MOST);
    }
}
