//! One dataset of a beam, read into one Arrow buffer, which becomes a column without a copy. The HDF5 reader supplies the index of HDF5
//! chunks; the chunks are fetched and unfiltered here.

use std::sync::atomic::{AtomicU64, Ordering};

use arrow::buffer::{Buffer, MutableBuffer};

use crate::container::access::Attributes;
use crate::decode::chosen_rows::ChosenRows;
use crate::decode::element::Element;
use crate::decode::filters::{Unfilter, can_undo};
use crate::decode::read_buffers::ReadBuffers;
use crate::decode::scalar::Scalar;
use crate::decode::unsupported::check_supported;
use crate::error::Reason;
use crate::source::ByteSource;

/// The largest HDF5 chunk that is read; NASA's have at most 1.4 MB.
const MAX_CHUNK_BYTES: usize = 64 << 20;

/// The largest dataset, with whole HDF5 chunks, that the HDF5 reader unpacks at once.
const MAX_AT_ONCE: u64 = 64 << 20;

/// The cost so far of unpacking the HDF5 chunks of one granule.
#[derive(Default)]
pub(crate) struct UnpackBudget(AtomicU64);

impl UnpackBudget {
    /// Limit of the bytes unpacked for one granule. A whole granule with all variables has 30 MB, one with few rows in large HDF5 chunks
    /// (100,000 rows) 340 MB.
    const MOST: u64 = 1 << 30;

    /// The fixed cost of an HDF5 chunk, in addition to its size, in bytes unpacked.
    const CHUNK: u64 = 256;

    fn spend(&self, chunks: u64, chunk_bytes: u64) -> Result<(), Reason> {
        let cost = chunks.saturating_mul(chunk_bytes.saturating_add(Self::CHUNK));
        let before = self.0.fetch_add(cost.min(Self::MOST + 1), Ordering::Relaxed);
        match before.saturating_add(cost) <= Self::MOST {
            true => Ok(()),
            false => Err(CHUNKS_TOO_LARGE.into()),
        }
    }
}

/// The error for HDF5 chunks that would cost far more than their values are worth.
const CHUNKS_TOO_LARGE: &str = "its HDF5 chunks are far larger than the values in them";

/// A dataset of `rows` × `width` numbers that has not been read yet.
pub(crate) struct StoredDataset {
    dataset: hdf5::Dataset,
    pub(crate) element: Element,
    pub(crate) rows: usize,
    pub(crate) width: usize,
}

/// Where the numbers of a dataset are.
enum StoredValues {
    /// All of them at this address.
    Whole(u64),
    Chunks(StoredChunks),
}

/// The HDF5 chunks that cover a dataset.
struct StoredChunks {
    /// Rows and columns of each.
    shape: (usize, usize),
    chunks: Vec<StoredChunk>,
}

/// A rectangle of a dataset that is stored in one place.
struct StoredChunk {
    first_row: usize,
    first_column: usize,
    address: u64,
    stored_bytes: usize,
    filter_mask: u32,
}

impl StoredDataset {
    /// Reads the type and shape of `dataset`, which has one dimension, or two: rows and the elements of a profile.
    pub(crate) fn new(dataset: hdf5::Dataset) -> Result<Self, Reason> {
        let element = Element::from_datatype(&dataset.datatype()?)?;
        let shape = dataset.shape()?.into_iter().map(usize::try_from).collect::<Result<Vec<_>, _>>()?;
        let (rows, width) = match shape[..] {
            [rows] => (rows, 1),
            [rows, width] => (rows, width),
            _ => return Err(format!("it has {} dimensions", shape.len()).into()),
        };
        Ok(Self { dataset, element, rows, width })
    }

    /// The attributes. A dataset of packed numbers (`scale_factor`, `add_offset`) is refused: the product has none, and storing the packed
    /// numbers as values would be a silent error.
    pub(crate) fn attributes(&self) -> Result<Attributes, Reason> {
        let attributes = self.dataset.attrs()?;
        for (name, neutral) in [("scale_factor", 1.0), ("add_offset", 0.0)] {
            let Some(value) = attributes.get(name) else { continue };
            if value.as_f64().or_else(|| value.as_i64().map(|int| int as f64)) != Some(neutral) {
                return Err(format!("its numbers are packed (attribute {name}); expected plain values").into());
            }
        }
        Ok(attributes)
    }

    /// The fill value in the dataset's creation properties. Clip tools keep it even where they drop the attribute `_FillValue`.
    pub(crate) fn fill_property(&self) -> Result<Option<Scalar>, Reason> {
        Ok(match self.element.is_integer() {
            true => self.dataset.fill_value::<i64>()?.map(Scalar::Int),
            false => self.dataset.fill_value::<f64>()?.map(Scalar::Float),
        })
    }

    /// The numbers of the `chosen` rows, or of all, row by row, in native byte order. The shape limits the allocation; the caller has
    /// compared it with the rows of the beam. HDF5 chunks without a chosen row are neither fetched nor inflated.
    pub(crate) fn read(
        &self,
        source: &dyn ByteSource,
        budget: &UnpackBudget,
        buffers: &mut ReadBuffers,
        chosen: Option<&ChosenRows>,
    ) -> Result<Buffer, Reason> {
        let row_bytes = self.width.checked_mul(self.element.size());
        let bytes =
            row_bytes.and_then(|row| row.checked_mul(self.rows)).ok_or("its shape exceeds the address space")?;
        let layout = self.dataset.layout()?;
        check_supported(&layout, &self.dataset.filter_pipeline())?;
        let stored = match &layout {
            hdf5::Layout::Chunked { chunk_shape, .. } => {
                self.stored_chunks(chunk_shape, budget)?.map(StoredValues::Chunks)
            }
            hdf5::Layout::Contiguous { address: Some(address), size } if usize::try_from(*size)? == bytes => {
                Some(StoredValues::Whole(*address))
            }
            _ => None,
        };
        let mut buffer = match (stored, chosen) {
            (Some(stored), None) => {
                let mut buffer = MutableBuffer::from_len_zeroed(bytes);
                self.fill(source, &mut buffers.unfilter, &stored, None, buffer.as_slice_mut())?;
                buffer
            }
            (Some(stored), Some(rows)) => {
                // The whole dataset stays in a processor's cache; only the chosen rows go to new memory.
                if buffers.dataset.len() < bytes {
                    buffers.dataset.resize(bytes, 0);
                }
                let whole = buffers.dataset.get_mut(..bytes).unwrap_or_default();
                self.fill(source, &mut buffers.unfilter, &stored, chosen, whole)?;
                self.choose(rows, whole)
            }
            (None, None) => {
                let mut buffer = MutableBuffer::with_capacity(bytes);
                buffer.extend_from_slice(&self.read_by_hdf5(bytes)?);
                buffer
            }
            (None, Some(rows)) => self.choose(rows, &self.read_by_hdf5(bytes)?),
        };
        self.element.make_native(buffer.as_slice_mut());
        Ok(buffer.into())
    }

    /// The rows `rows` of `whole`, which has all of them.
    fn choose(&self, rows: &ChosenRows, whole: &[u8]) -> MutableBuffer {
        let row_bytes = self.width * self.element.size();
        let mut buffer = MutableBuffer::from_len_zeroed(rows.len() * row_bytes);
        rows.copy(row_bytes, whole, buffer.as_slice_mut());
        buffer
    }

    /// Fills `target`, which holds the whole dataset, at least where there are `chosen` rows.
    fn fill(
        &self,
        source: &dyn ByteSource,
        unfilter: &mut Unfilter,
        stored: &StoredValues,
        chosen: Option<&ChosenRows>,
        target: &mut [u8],
    ) -> Result<(), Reason> {
        match stored {
            StoredValues::Whole(address) => Ok(source.read_at(*address, target)?),
            StoredValues::Chunks(chunks) => self.unfilter_chunks(source, unfilter, chunks, chosen, target),
        }
    }

    /// The bytes as the HDF5 reader reads them: compact storage, HDF5 chunks never written (they read as the fill value), rare filters.
    fn read_by_hdf5(&self, bytes: usize) -> Result<Vec<u8>, Reason> {
        let raw = self.dataset.read_raw()?;
        if raw.len() != bytes {
            return Err(format!("it holds {} bytes instead of {bytes}", raw.len()).into());
        }
        Ok(raw)
    }

    /// The HDF5 chunks that cover the shape. `None` if not all are stored, or if only the HDF5 reader knows their filters.
    fn stored_chunks(&self, chunk_shape: &[u64], budget: &UnpackBudget) -> Result<Option<StoredChunks>, Reason> {
        let shape = chunk_shape.iter().map(|&edge| usize::try_from(edge)).collect::<Result<Vec<_>, _>>()?;
        let (rows, columns) = match shape[..] {
            [rows] => (rows, 1),
            [rows, columns] => (rows, columns),
            _ => return Err("its HDF5 chunks have another number of dimensions".into()),
        };
        let chunk_bytes = rows.checked_mul(columns).and_then(|n| n.checked_mul(self.element.size()));
        let Some(chunk_bytes) = chunk_bytes.filter(|bytes| (1..=MAX_CHUNK_BYTES).contains(bytes)) else {
            return Err(format!("its HDF5 chunks of {chunk_shape:?} numbers have an invalid size").into());
        };
        let count = self.rows.div_ceil(rows) * self.width.div_ceil(columns);
        budget.spend(count as u64, chunk_bytes as u64)?;
        if !can_undo(&self.dataset.filter_pipeline()) {
            return match (count as u64).saturating_mul(chunk_bytes as u64) <= MAX_AT_ONCE {
                true => Ok(None),
                false => Err(CHUNKS_TOO_LARGE.into()),
            };
        }
        let mut chunks = Vec::new();
        for chunk in self.dataset.chunks()? {
            let first_row = usize::try_from(chunk.offset.first().copied().unwrap_or(0))?;
            let first_column = usize::try_from(chunk.offset.get(1).copied().unwrap_or(0))?;
            if first_row % rows != 0 || first_column % columns != 0 {
                return Err("its index of HDF5 chunks is damaged".into());
            }
            // HDF5 chunks outside the shape are left over from a time when it was larger.
            if first_row < self.rows && first_column < self.width {
                let (address, stored_bytes) = (chunk.address, usize::try_from(chunk.storage_size)?);
                chunks.push(StoredChunk {
                    first_row,
                    first_column,
                    address,
                    stored_bytes,
                    filter_mask: chunk.filter_mask,
                });
            }
        }
        chunks.sort_unstable_by_key(|chunk| (chunk.first_row, chunk.first_column));
        chunks.dedup_by_key(|chunk| (chunk.first_row, chunk.first_column));
        // Incompressible data grow slightly each time they are deflated.
        if chunks.iter().any(|chunk| chunk.stored_bytes > 2 * chunk_bytes + 1024) || overlap(&chunks) {
            return Err("its index of HDF5 chunks is damaged: chunks overlap or are longer than their content".into());
        }
        Ok((chunks.len() == count).then_some(StoredChunks { shape: (rows, columns), chunks }))
    }

    /// Fetches and unfilters `chunks` that have `chosen` rows into `target`, which holds the whole dataset.
    fn unfilter_chunks(
        &self,
        source: &dyn ByteSource,
        unfilter: &mut Unfilter,
        StoredChunks { shape: (rows, columns), chunks }: &StoredChunks,
        chosen: Option<&ChosenRows>,
        target: &mut [u8],
    ) -> Result<(), Reason> {
        let (rows, columns) = (*rows, *columns);
        let filters = self.dataset.filter_pipeline();
        let element = self.element.size();
        let (row_bytes, chunk_row_bytes) = (self.width * element, columns * element);
        let mut whole = Vec::new();
        for chunk in chunks {
            let end = chunk.address.checked_add(chunk.stored_bytes as u64);
            if end.is_none_or(|end| end > source.len()) {
                return Err("an HDF5 chunk is past the end of the file".into());
            }
            if chosen.is_some_and(|chosen| !chosen.any_within(chunk.first_row..chunk.first_row + rows)) {
                continue;
            }
            source.read_at(chunk.address, unfilter.stored_buffer(chunk.stored_bytes))?;

            let first = chunk.first_row * row_bytes;
            let chunk_bytes = rows * chunk_row_bytes;
            // The last HDF5 chunk is stored whole and extends past the shape; only the rows inside are kept.
            let inside = rows.min(self.rows - chunk.first_row) * row_bytes;
            if columns == self.width
                && let Some(place) = target.get_mut(first..first + inside)
            {
                unfilter.undo(&filters, chunk.filter_mask, element, chunk_bytes, place)?;
                continue;
            }
            whole.resize(chunk_bytes, 0);
            unfilter.undo(&filters, chunk.filter_mask, element, chunk_bytes, &mut whole)?;
            let kept = (columns.min(self.width - chunk.first_column)) * element;
            let places = target.get_mut(first..).unwrap_or_default().chunks_exact_mut(row_bytes);
            for (place, row) in places.zip(whole.chunks_exact(chunk_row_bytes)) {
                let from = chunk.first_column * element;
                if let (Some(place), Some(row)) = (place.get_mut(from..from + kept), row.get(..kept)) {
                    place.copy_from_slice(row);
                }
            }
        }
        Ok(())
    }
}

/// Whether two HDF5 chunks share bytes of the file. No writer produces such chunks, and with them a small file could claim any
/// number of values.
fn overlap(chunks: &[StoredChunk]) -> bool {
    let mut ranges: Vec<_> = chunks.iter().map(|chunk| (chunk.address, chunk.stored_bytes as u64)).collect();
    ranges.sort_unstable();
    ranges.windows(2).any(|pair| matches!(pair, [(first, bytes), (next, _)] if first.saturating_add(*bytes) > *next))
}
