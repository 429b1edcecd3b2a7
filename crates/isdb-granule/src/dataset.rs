//! Reading one dataset of a beam into one Arrow buffer: the chunk index comes from the HDF5 reader, the chunks are
//! fetched and unfiltered here. The buffer goes on to become a column.

use std::sync::atomic::{AtomicU64, Ordering};

use arrow::buffer::{Buffer, MutableBuffer};

use crate::element::Element;
use crate::error::Reason;
use crate::filters::{self, Unfilter};
use crate::metadata::Attributes;
use crate::scalar::Scalar;
use crate::source::ByteSource;
use crate::storage;

/// No chunk is larger; NASA's have at most 1.4 MB.
const MAX_CHUNK_BYTES: usize = 64 << 20;

/// What the HDF5 reader may unpack of one dataset at a time.
const MOST_AT_ONCE: u64 = 64 << 20;

/// What unpacking the chunks of one granule has cost.
#[derive(Default)]
pub(crate) struct Effort(AtomicU64);

impl Effort {
    /// Bytes unpacked of one granule. A whole one with all variables has 30 MB, one of few rows in large chunks (100,000 rows) 340 MB.
    const MOST: u64 = 1 << 30;

    /// What a chunk costs however small it is, in bytes unpacked.
    const CHUNK: u64 = 256;

    fn spend(&self, chunks: u64, chunk_bytes: u64) -> Result<(), Reason> {
        let cost = chunks.saturating_mul(chunk_bytes.saturating_add(Self::CHUNK));
        let before = self.0.fetch_add(cost.min(Self::MOST + 1), Ordering::Relaxed);
        match before.saturating_add(cost) <= Self::MOST {
            true => Ok(()),
            false => Err("its chunks are far larger than the values in them".into()),
        }
    }
}

/// A dataset of `rows` × `width` numbers, not read yet.
pub(crate) struct Stored {
    dataset: hdf5::Dataset,
    pub(crate) element: Element,
    pub(crate) rows: usize,
    pub(crate) width: usize,
}

/// The stored pieces that cover a dataset.
struct Pieces {
    /// Rows and columns of each.
    shape: (usize, usize),
    pieces: Vec<Piece>,
}

/// A rectangle of a dataset that is stored in one piece.
struct Piece {
    first_row: usize,
    first_column: usize,
    address: u64,
    stored_bytes: usize,
    filter_mask: u32,
}

impl Stored {
    /// Looks at type and shape of `dataset`, which has one dimension, or two of which the second is the profile.
    pub(crate) fn new(dataset: hdf5::Dataset) -> Result<Self, Reason> {
        let element = Element::of(&dataset.datatype()?)?;
        let shape = dataset.shape()?.into_iter().map(usize::try_from).collect::<Result<Vec<_>, _>>()?;
        let (rows, width) = match shape[..] {
            [rows] => (rows, 1),
            [rows, width] => (rows, width),
            _ => return Err(format!("it has {} dimensions", shape.len()).into()),
        };
        Ok(Self { dataset, element, rows, width })
    }

    /// The attributes. A dataset of packed numbers, which stand for others by `scale_factor` and `add_offset`, is refused: the
    /// product has none, and to take them for the values would be silent.
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

    /// The fill value of the dataset's creation, which clip tools keep where they drop the attribute.
    pub(crate) fn fill_property(&self) -> Result<Option<Scalar>, Reason> {
        Ok(match self.element.is_integer() {
            true => self.dataset.fill_value::<i64>()?.map(Scalar::Int),
            false => self.dataset.fill_value::<f64>()?.map(Scalar::Float),
        })
    }

    /// All numbers, row by row, in native byte order. What is allocated is bounded by the shape, which the caller has
    /// compared with the rows of the beam.
    pub(crate) fn read(
        &self,
        source: &dyn ByteSource,
        effort: &Effort,
        unfilter: &mut Unfilter,
    ) -> Result<Buffer, Reason> {
        let bytes = self.rows.checked_mul(self.width).and_then(|n| n.checked_mul(self.element.size()));
        let bytes = bytes.ok_or("its shape exceeds the address space")?;
        let layout = self.dataset.layout()?;
        storage::check(&layout, &self.dataset.filter_pipeline())?;
        let mut buffer = match layout {
            hdf5::Layout::Chunked { chunk_shape, .. } => match self.pieces(&chunk_shape, effort)? {
                Some(pieces) => {
                    let mut buffer = MutableBuffer::from_len_zeroed(bytes);
                    self.assemble(source, unfilter, &pieces, buffer.as_slice_mut())?;
                    buffer
                }
                None => self.read_by_hdf5(bytes)?,
            },
            hdf5::Layout::Contiguous { address: Some(address), size } if usize::try_from(size)? == bytes => {
                let mut buffer = MutableBuffer::from_len_zeroed(bytes);
                source.read_at(address, buffer.as_slice_mut())?;
                buffer
            }
            _ => self.read_by_hdf5(bytes)?,
        };
        self.element.make_native(buffer.as_slice_mut());
        Ok(buffer.into())
    }

    /// Compact storage, chunks never written (they read as the fill value) and rare filters are the HDF5 reader's.
    fn read_by_hdf5(&self, bytes: usize) -> Result<MutableBuffer, Reason> {
        let raw = self.dataset.read_raw()?;
        if raw.len() != bytes {
            return Err(format!("it holds {} bytes instead of {bytes}", raw.len()).into());
        }
        let mut buffer = MutableBuffer::with_capacity(bytes);
        buffer.extend_from_slice(&raw);
        Ok(buffer)
    }

    /// The chunks that cover the shape. `None` if not all are stored, or by filters not
    /// known here.
    fn pieces(&self, chunk_shape: &[u64], effort: &Effort) -> Result<Option<Pieces>, Reason> {
        let shape = chunk_shape.iter().map(|&edge| usize::try_from(edge)).collect::<Result<Vec<_>, _>>()?;
        let (rows, columns) = match shape[..] {
            [rows] => (rows, 1),
            [rows, columns] => (rows, columns),
            _ => return Err("its chunks have another number of dimensions".into()),
        };
        let chunk_bytes = rows.checked_mul(columns).and_then(|n| n.checked_mul(self.element.size()));
        let Some(chunk_bytes) = chunk_bytes.filter(|bytes| (1..=MAX_CHUNK_BYTES).contains(bytes)) else {
            return Err(format!("its chunks of {chunk_shape:?} numbers are no sound size").into());
        };
        let count = self.rows.div_ceil(rows) * self.width.div_ceil(columns);
        effort.spend(count as u64, chunk_bytes as u64)?;
        if !filters::supported(&self.dataset.filter_pipeline()) {
            return match (count as u64).saturating_mul(chunk_bytes as u64) <= MOST_AT_ONCE {
                true => Ok(None),
                false => Err("its chunks are far larger than the values in them".into()),
            };
        }
        let mut pieces = Vec::new();
        for chunk in self.dataset.chunks()? {
            let first_row = usize::try_from(chunk.offset.first().copied().unwrap_or(0))?;
            let first_column = usize::try_from(chunk.offset.get(1).copied().unwrap_or(0))?;
            if first_row % rows != 0 || first_column % columns != 0 {
                return Err("its chunk index is damaged".into());
            }
            // Chunks beyond the shape are left over from when it was larger.
            if first_row < self.rows && first_column < self.width {
                let (address, stored_bytes) = (chunk.address, usize::try_from(chunk.storage_size)?);
                pieces.push(Piece { first_row, first_column, address, stored_bytes, filter_mask: chunk.filter_mask });
            }
        }
        pieces.sort_unstable_by_key(|piece| (piece.first_row, piece.first_column));
        pieces.dedup_by_key(|piece| (piece.first_row, piece.first_column));
        // What deflate makes of a chunk that it cannot compress is slightly longer, once for each time.
        if pieces.iter().any(|piece| piece.stored_bytes > 2 * chunk_bytes + 1024) || overlap(&pieces) {
            return Err("its chunk index is damaged: chunks overlap or are longer than what is in them".into());
        }
        Ok((pieces.len() == count).then_some(Pieces { shape: (rows, columns), pieces }))
    }

    fn assemble(
        &self,
        source: &dyn ByteSource,
        unfilter: &mut Unfilter,
        Pieces { shape: (rows, columns), pieces }: &Pieces,
        target: &mut [u8],
    ) -> Result<(), Reason> {
        let (rows, columns) = (*rows, *columns);
        let filters = self.dataset.filter_pipeline();
        let element = self.element.size();
        let (row_bytes, chunk_row_bytes) = (self.width * element, columns * element);
        let mut whole = Vec::new();
        for piece in pieces {
            let end = piece.address.checked_add(piece.stored_bytes as u64);
            if end.is_none_or(|end| end > source.len()) {
                return Err("a chunk lies beyond the end of the file".into());
            }
            source.read_at(piece.address, unfilter.stored(piece.stored_bytes))?;

            let first = piece.first_row * row_bytes;
            let chunk_bytes = rows * chunk_row_bytes;
            // The last chunk is stored whole and reaches over the shape; only what lies inside is kept.
            let inside = rows.min(self.rows - piece.first_row) * row_bytes;
            if columns == self.width
                && let Some(place) = target.get_mut(first..first + inside)
            {
                unfilter.undo(&filters, piece.filter_mask, element, chunk_bytes, place)?;
                continue;
            }
            whole.resize(chunk_bytes, 0);
            unfilter.undo(&filters, piece.filter_mask, element, chunk_bytes, &mut whole)?;
            let kept = (columns.min(self.width - piece.first_column)) * element;
            let places = target.get_mut(first..).unwrap_or_default().chunks_exact_mut(row_bytes);
            for (place, row) in places.zip(whole.chunks_exact(chunk_row_bytes)) {
                let from = piece.first_column * element;
                if let (Some(place), Some(row)) = (place.get_mut(from..from + kept), row.get(..kept)) {
                    place.copy_from_slice(row);
                }
            }
        }
        Ok(())
    }
}

/// Whether two chunks share bytes of the file, which no writer makes: a small file of many such chunks holds any number of values.
fn overlap(pieces: &[Piece]) -> bool {
    let mut places: Vec<_> = pieces.iter().map(|piece| (piece.address, piece.stored_bytes as u64)).collect();
    places.sort_unstable();
    places.windows(2).any(|pair| matches!(pair, [(first, bytes), (next, _)] if first.saturating_add(*bytes) > *next))
}
