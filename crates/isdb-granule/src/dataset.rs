//! Reading one dataset of a beam into one Arrow buffer: the chunk index comes from the HDF5 reader, the chunks are
//! fetched and unfiltered here. The buffer goes on to become a column.

use arrow::buffer::{Buffer, MutableBuffer};

use crate::element::Element;
use crate::error::Reason;
use crate::filters::{self, Unfilter};
use crate::scalar::Scalar;
use crate::source::ByteSource;
use crate::storage;

/// No chunk is taken for sound above this size; NASA's have at most 1.4 MB.
const MAX_CHUNK_BYTES: usize = 256 << 20;

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

    /// The attribute `_FillValue`, if it is a number.
    pub(crate) fn fill_attribute(&self) -> Result<Option<hdf5::AttrValue>, Reason> {
        Ok(self.dataset.attrs()?.remove("_FillValue"))
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
    pub(crate) fn read(&self, source: &dyn ByteSource, unfilter: &mut Unfilter) -> Result<Buffer, Reason> {
        let bytes = self.rows.checked_mul(self.width).and_then(|n| n.checked_mul(self.element.size()));
        let bytes = bytes.ok_or("its shape exceeds the address space")?;
        let layout = self.dataset.layout()?;
        storage::check(&layout, &self.dataset.filter_pipeline())?;
        let mut buffer = match layout {
            hdf5::Layout::Chunked { chunk_shape, .. } => match self.pieces(&chunk_shape)? {
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
    fn pieces(&self, chunk_shape: &[u64]) -> Result<Option<Pieces>, Reason> {
        let shape = chunk_shape.iter().map(|&edge| usize::try_from(edge)).collect::<Result<Vec<_>, _>>()?;
        let (rows, columns) = match shape[..] {
            [rows] => (rows, 1),
            [rows, columns] => (rows, columns),
            _ => return Err("its chunks have another number of dimensions".into()),
        };
        let chunk_bytes = rows.checked_mul(columns).and_then(|n| n.checked_mul(self.element.size()));
        if !chunk_bytes.is_some_and(|bytes| (1..=MAX_CHUNK_BYTES).contains(&bytes)) {
            return Err(format!("its chunks of {chunk_shape:?} numbers are no sound size").into());
        }
        if !filters::supported(&self.dataset.filter_pipeline()) {
            return Ok(None);
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
        let complete = pieces.len() == self.rows.div_ceil(rows) * self.width.div_ceil(columns);
        Ok(complete.then_some(Pieces { shape: (rows, columns), pieces }))
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
