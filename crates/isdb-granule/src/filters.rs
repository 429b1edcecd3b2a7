//! Undoing a chunk's filter pipeline: inflate and unshuffle, as often and in whichever order the file asks for it.

use libdeflater::Decompressor;

use crate::error::Reason;

/// HDF5 filter id of deflate (zlib).
const DEFLATE: u16 = 1;
/// HDF5 filter id of byte shuffle.
const SHUFFLE: u16 = 2;

/// Whether [`Unfilter`] can undo the filters; otherwise the dataset is left to the HDF5 reader.
pub(crate) fn supported(filters: &[hdf5::Filter]) -> bool {
    filters.iter().all(|filter| filter.id == DEFLATE || filter.id == SHUFFLE)
}

/// A thread's buffers for undoing pipelines, reused from chunk to chunk.
pub(crate) struct Unfilter {
    inflater: Decompressor,
    /// The chunk's bytes between two steps; holds the stored bytes at first.
    current: Scratch,
    next: Scratch,
}

/// Bytes that are only ever written over: the buffer grows and is not cleared again.
#[derive(Default)]
struct Scratch {
    buffer: Vec<u8>,
    len: usize,
}

impl Scratch {
    /// A place for `len` bytes, with whatever was there before.
    fn room(&mut self, len: usize) -> &mut [u8] {
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

    /// The place for the stored bytes of the next chunk, `len` of them.
    pub(crate) fn stored(&mut self, len: usize) -> &mut [u8] {
        self.current.room(len)
    }

    /// Undoes `filters`, last first, on what was put in [`stored`](Self::stored): a chunk of `chunk_bytes`, whose
    /// beginning fills `target`. Bit i of `mask` says that filter i was not applied. `element` is the size of a number
    /// in bytes.
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
                // The whole chunk inflates straight into its place.
                DEFLATE if last && target.len() == chunk_bytes => {
                    return inflate(&mut self.inflater, self.current.bytes(), target)
                        .and_then(|len| full(len, chunk_bytes));
                }
                // A further deflate lies below: what it made of a chunk is at worst slightly longer than the chunk.
                DEFLATE => {
                    let room = self.next.room(chunk_bytes + chunk_bytes / 1000 + 64);
                    self.next.len = inflate(&mut self.inflater, self.current.bytes(), room)?;
                }
                _ if last => {
                    full(self.current.len, chunk_bytes)?;
                    return unshuffle(self.current.bytes(), element, target);
                }
                _ => unshuffle(self.current.bytes(), element, self.next.room(self.current.len))?,
            }
            std::mem::swap(&mut self.current, &mut self.next);
        }
        full(self.current.len, chunk_bytes)?;
        copy_beginning(self.current.bytes(), target)
    }
}

/// Fills `to` with the beginning of `from`.
fn copy_beginning(from: &[u8], to: &mut [u8]) -> Result<(), Reason> {
    to.copy_from_slice(from.get(..to.len()).ok_or("a chunk is too short")?);
    Ok(())
}

fn full(len: usize, expected: usize) -> Result<(), Reason> {
    if len == expected { Ok(()) } else { Err(format!("a chunk holds {len} bytes instead of {expected}").into()) }
}

fn inflate(inflater: &mut Decompressor, from: &[u8], to: &mut [u8]) -> Result<usize, Reason> {
    inflater.zlib_decompress(from, to).map_err(|error| format!("a chunk cannot be inflated: {error}").into())
}

/// Brings the bytes of each number together again: the shuffled form holds all first bytes, then all second ones, and so
/// on; bytes that fill no whole number stay at the end. Only the beginning that fills `to` is made.
fn unshuffle(from: &[u8], element: usize, to: &mut [u8]) -> Result<(), Reason> {
    match element {
        0 | 1 => copy_beginning(from, to),
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
    copy_beginning(rest, tail)
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

    /// Filters as a file describes them: the type can only be had from one.
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
        unfilter.stored(stored.len()).copy_from_slice(stored);
        let mut target = vec![0; len];
        unfilter.undo(filters, mask, element, len, &mut target)?;
        // The beginning alone, as of a chunk that reaches over the edge, is the same.
        unfilter.stored(stored.len()).copy_from_slice(stored);
        let mut beginning = vec![0; len / 2 / element * element];
        unfilter.undo(filters, mask, element, len, &mut beginning)?;
        assert_eq!(beginning, target[..beginning.len()]);
        Ok(target)
    }

    #[test]
    fn quirk_10_a_filter_that_a_chunk_skipped_is_not_undone() {
        let numbers: Vec<u8> = (0..64).collect();
        let [shuffled, deflated] = [shuffle(&numbers, 4), deflate(&numbers)];
        assert_eq!(undo(&pipeline(true), 0b10, 4, &shuffled, 64).unwrap(), numbers);
        assert_eq!(undo(&pipeline(true), 0b01, 4, &deflated, 64).unwrap(), numbers);
        assert_eq!(undo(&pipeline(true), 0b11, 4, &numbers, 64).unwrap(), numbers);
        assert!(undo(&pipeline(true), 0b11, 4, &numbers[..60], 64).is_err(), "a chunk that is too short");
    }

    proptest! {
        #[test]
        fn what_was_shuffled_and_deflated_comes_back(
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
        fn damaged_chunks_are_errors(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(undo(&pipeline(true), 0, 4, &bytes, 4096).is_err());
        }
    }
}
