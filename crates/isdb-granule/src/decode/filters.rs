//! Filters of HDF5 chunks, undone: inflate and unshuffle, any number of times and in any order.

use libdeflater::Decompressor;

use crate::error::Reason;

/// HDF5 filter id of deflate (zlib).
const DEFLATE: u16 = 1;
/// HDF5 filter id of byte shuffle.
const SHUFFLE: u16 = 2;

/// Whether [`Unfilter`] can undo the filters; otherwise the HDF5 reader reads the dataset.
pub(crate) fn can_undo(filters: &[hdf5::Filter]) -> bool {
    filters.iter().all(|filter| filter.id == DEFLATE || filter.id == SHUFFLE)
}

/// A thread's buffers for undoing filter pipelines, reused for every HDF5 chunk.
pub(crate) struct Unfilter {
    inflater: Decompressor,
    /// The HDF5 chunk's bytes between two filters; at first the stored bytes.
    current: Scratch,
    next: Scratch,
}

/// A buffer that only grows and is never cleared, because its bytes are always overwritten.
#[derive(Default)]
struct Scratch {
    buffer: Vec<u8>,
    len: usize,
}

impl Scratch {
    /// A slice of `len` bytes with their old content.
    fn resize(&mut self, len: usize) -> &mut [u8] {
        if self.buffer.len() < len {
            self.buffer.resize(len, 0);
        }
        self.len = len;
        self.buffer.get_mut(..len).unwrap_or_default()
    }

    fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.len).unwrap_or_default()
    }
}

impl Unfilter {
    pub(crate) fn new() -> Self {
        Self { inflater: Decompressor::new(), current: Scratch::default(), next: Scratch::default() }
    }

    /// The bytes of its buffers.
    pub(crate) fn bytes(&self) -> usize {
        self.current.buffer.len() + self.next.buffer.len()
    }

    /// The buffer for the `len` stored bytes of the next HDF5 chunk.
    pub(crate) fn stored_buffer(&mut self, len: usize) -> &mut [u8] {
        self.current.resize(len)
    }

    /// Undoes `filters`, last first, on the bytes in [`stored_buffer`](Self::stored_buffer): an HDF5 chunk of `chunk_bytes`, whose
    /// start fills `target`. Bit i of `mask` says that filter i was not applied. `element` is the size of a number in bytes.
    pub(crate) fn undo(
        &mut self,
        filters: &[hdf5::Filter],
        mask: u32,
        element: usize,
        chunk_bytes: usize,
        target: &mut [u8],
    ) -> Result<(), Reason> {
        let applied = |at: usize| u32::try_from(at).ok().and_then(|at| mask.checked_shr(at)).is_none_or(|m| m & 1 == 0);
        let mut steps = filters.iter().enumerate().rev().filter(|(at, _)| applied(*at)).map(|(_, f)| f.id).peekable();
        while let Some(step) = steps.next() {
            let last = steps.peek().is_none();
            match step {
                // The whole HDF5 chunk inflates straight into the target.
                DEFLATE if last && target.len() == chunk_bytes => {
                    return inflate(&mut self.inflater, self.current.bytes(), target)
                        .and_then(|len| check_length(len, chunk_bytes));
                }
                // Another filter follows, or only the start is needed. Deflating makes incompressible data slightly longer, so that the
                // result may be longer than the HDF5 chunk.
                DEFLATE => {
                    let inflated = self.next.resize(chunk_bytes + chunk_bytes / 1000 + 64);
                    self.next.len = inflate(&mut self.inflater, self.current.bytes(), inflated)?;
                }
                _ if last => {
                    check_length(self.current.len, chunk_bytes)?;
                    return unshuffle(self.current.bytes(), element, target);
                }
                _ => unshuffle(self.current.bytes(), element, self.next.resize(self.current.len))?,
            }
            std::mem::swap(&mut self.current, &mut self.next);
        }
        check_length(self.current.len, chunk_bytes)?;
        copy_start(self.current.bytes(), target)
    }
}

/// Fills `to` with the start of `from`.
fn copy_start(from: &[u8], to: &mut [u8]) -> Result<(), Reason> {
    to.copy_from_slice(from.get(..to.len()).ok_or("an HDF5 chunk is too short")?);
    Ok(())
}

fn check_length(len: usize, expected: usize) -> Result<(), Reason> {
    if len == expected { Ok(()) } else { Err(format!("an HDF5 chunk holds {len} bytes instead of {expected}").into()) }
}

fn inflate(inflater: &mut Decompressor, from: &[u8], to: &mut [u8]) -> Result<usize, Reason> {
    inflater.zlib_decompress(from, to).map_err(|error| format!("an HDF5 chunk cannot be inflated: {error}").into())
}

/// Undoes the byte shuffle: the shuffled form holds the first bytes of all numbers, then their second bytes, and so on; bytes after
/// the last whole number stay at the end. Only the start that fills `to` is made.
fn unshuffle(from: &[u8], element: usize, to: &mut [u8]) -> Result<(), Reason> {
    match element {
        0 | 1 => copy_start(from, to),
        2 => unshuffle_elements::<2>(from, to),
        4 => unshuffle_elements::<4>(from, to),
        8 => unshuffle_elements::<8>(from, to),
        _ => Err(format!("shuffled numbers of {element} bytes").into()),
    }
}

fn unshuffle_elements<const N: usize>(from: &[u8], to: &mut [u8]) -> Result<(), Reason> {
    let count = from.len() / N;
    let (planes, rest) = from.split_at(count * N);
    let (elements, tail) = to.as_chunks_mut::<N>();
    if count > 0 {
        for (byte, plane) in planes.chunks_exact(count).enumerate() {
            for (element, &value) in elements.iter_mut().zip(plane) {
                element[byte] = value;
            }
        }
    }
    copy_start(rest, tail)
}

#[cfg(test)]
mod tests {
    use libdeflater::{CompressionLvl, Compressor};
    use proptest::prelude::*;

    use super::*;

    fn shuffle(from: &[u8], element: usize) -> Vec<u8> {
        let count = from.len() / element;
        let mut to: Vec<u8> = (0..element).flat_map(|b| (0..count).map(move |i| from[i * element + b])).collect();
        to.extend(&from[count * element..]);
        to
    }

    fn deflate(from: &[u8]) -> Vec<u8> {
        let mut compressor = Compressor::new(CompressionLvl::fastest());
        let mut to = vec![0; compressor.zlib_compress_bound(from.len())];
        let len = compressor.zlib_compress(from, &mut to).unwrap();
        to.truncate(len);
        to
    }

    /// Filters as a file describes them: `hdf5::Filter` has no constructor.
    fn pipeline(shuffled: bool) -> Vec<hdf5::Filter> {
        let mut builder = hdf5::FileBuilder::new();
        let dataset = builder.create_dataset("d").with_f32_data(&[0.0]).with_shape(&[1]).with_chunks(&[1]);
        if shuffled {
            dataset.with_shuffle();
        }
        dataset.with_deflate(6);
        let file = hdf5::File::from_bytes(builder.finish().unwrap()).unwrap();
        file.dataset("d").unwrap().filter_pipeline()
    }

    fn undo(filters: &[hdf5::Filter], mask: u32, element: usize, stored: &[u8], len: usize) -> Result<Vec<u8>, Reason> {
        let mut unfilter = Unfilter::new();
        unfilter.stored_buffer(stored.len()).copy_from_slice(stored);
        let mut target = vec![0; len];
        unfilter.undo(filters, mask, element, len, &mut target)?;
        // The start alone, as of an HDF5 chunk that extends past the last row, is the same.
        unfilter.stored_buffer(stored.len()).copy_from_slice(stored);
        let mut start = vec![0; len / 2 / element * element];
        unfilter.undo(filters, mask, element, len, &mut start)?;
        assert_eq!(start, target[..start.len()]);
        Ok(target)
    }

    #[test]
    fn quirk_10_a_filter_that_was_skipped_for_an_hdf5_chunk_is_not_undone() {
        let numbers: Vec<u8> = (0..64).collect();
        let [shuffled, deflated] = [shuffle(&numbers, 4), deflate(&numbers)];
        assert_eq!(undo(&pipeline(true), 0b10, 4, &shuffled, 64).unwrap(), numbers);
        assert_eq!(undo(&pipeline(true), 0b01, 4, &deflated, 64).unwrap(), numbers);
        assert_eq!(undo(&pipeline(true), 0b11, 4, &numbers, 64).unwrap(), numbers);
        assert!(undo(&pipeline(true), 0b11, 4, &numbers[..60], 64).is_err(), "an HDF5 chunk that is too short");
    }

    proptest! {
        #[test]
        fn shuffled_and_deflated_bytes_are_restored(
            bytes in prop::collection::vec(any::<u8>(), 0..300), element in prop::sample::select(vec![1_usize, 2, 4, 8]),
        ) {
            let [shuffle_and_deflate, deflate_only] = [pipeline(true), pipeline(false)];
            let twice: Vec<_> = shuffle_and_deflate.iter().chain(&deflate_only).cloned().collect();
            let shuffled = shuffle(&bytes, element);
            let undo = |filters, mask, stored: &[u8]| undo(filters, mask, element, stored, bytes.len()).unwrap();
            prop_assert_eq!(&undo(&deflate_only, 0, &deflate(&bytes)), &bytes);
            prop_assert_eq!(&undo(&shuffle_and_deflate, 0, &deflate(&shuffled)), &bytes);
            prop_assert_eq!(&undo(&twice, 0, &deflate(&deflate(&shuffled))), &bytes);
            prop_assert_eq!(&undo(&twice, 0b010, &deflate(&shuffled)), &bytes);
            prop_assert_eq!(&undo(&twice, 0b001, &deflate(&deflate(&bytes))), &bytes);
            prop_assert_eq!(&undo(&twice, 0b111, &bytes), &bytes);
        }

        #[test]
        fn damaged_hdf5_chunks_are_errors(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(undo(&pipeline(true), 0, 4, &bytes, 4096).is_err());
        }
    }
}
