//! The tiles of a column as one Arrow array: each chunk is inflated into the place where Arrow needs it.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanBufferBuilder};
use arrow::buffer::{BooleanBuffer, Buffer, MutableBuffer, NullBuffer};
use tiledb_format::TileDecoder;

use super::fragment::ColumnTiles;
use super::requests::{FileTiles, Requests, TileBytes};
use crate::cells;
use crate::elements;
use crate::schema::column::Column;

/// Bytes of a text offset.
const OFFSET: usize = size_of::<u64>();

/// The tiles of a column to decode, once they have been read.
#[derive(Debug)]
pub(super) enum ColumnBytes<'f> {
    /// All cells are NULL, because the fragment lacks the column or says so.
    Null,
    /// The bytes of each tile.
    Tiles {
        tiles: &'f ColumnTiles,
        values: Vec<TileBytes>,
        text: Option<Vec<TileBytes>>,
        /// `None` if no cell is NULL, or if the values say which are.
        validity: Option<Vec<TileBytes>>,
        has_nulls: bool,
    },
}

/// The tiles that are decoded together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Selection<'s> {
    /// Their positions in the fragment, ascending.
    pub(super) tiles: &'s [usize],
    /// The number of cells of each.
    pub(super) cells: &'s [usize],
    /// The number of all cells.
    pub(super) rows: usize,
}

/// Why tiles cannot be decoded.
#[derive(Debug)]
pub(super) enum DecodeError {
    /// The bytes of the file at this path are damaged.
    Format(Arc<str>, tiledb_format::Error),
    /// The values are not Arrow data, such as text that is not UTF-8.
    Arrow(arrow::error::ArrowError),
}

/// The error of a file.
fn damaged(file: &FileTiles) -> impl FnOnce(tiledb_format::Error) -> DecodeError {
    |error| DecodeError::Format(Arc::clone(&file.path), error)
}

impl<'f> ColumnBytes<'f> {
    /// Adds the ranges of the selected tiles to `requests`.
    pub(super) fn request(
        column: &Column,
        tiles: Option<&'f ColumnTiles>,
        selection: &Selection<'_>,
        requests: &mut Requests,
    ) -> Self {
        let Some(tiles) = tiles else { return Self::Null };
        let nulls: Option<u64> = selection.tiles.iter().map(|tile| tiles.nulls(*tile)).sum();
        if nulls.is_some_and(|nulls| nulls >= selection.rows as u64 && nulls > 0) {
            return Self::Null;
        }
        let values = requests.add(&tiles.values, selection.tiles);
        let text = tiles.text.as_ref().map(|text| requests.add(&text.values, selection.tiles));
        let has_nulls = (tiles.validity.is_some() || column.fill.is_some()) && nulls != Some(0);
        let validity = tiles.validity.as_ref().filter(|_| has_nulls && !column.null_is_nan);
        let validity = validity.map(|validity| requests.add(validity, selection.tiles));
        Self::Tiles { tiles, values, text, validity, has_nulls }
    }

    /// Adds the ranges of all files of the selected tiles to `requests`, also of those that no query reads.
    pub(super) fn request_all(tiles: &'f ColumnTiles, selection: &Selection<'_>, requests: &mut Requests) -> Self {
        let values = requests.add(&tiles.values, selection.tiles);
        let text = tiles.text.as_ref().map(|text| requests.add(&text.values, selection.tiles));
        let validity = tiles.validity.as_ref().map(|validity| requests.add(validity, selection.tiles));
        let has_nulls = validity.is_some();
        Self::Tiles { tiles, values, text, validity, has_nulls }
    }

    /// Decodes the cells from the bytes that `requests` has read.
    pub(super) fn decode(
        &self,
        column: &Column,
        selection: &Selection<'_>,
        requests: &Requests,
        decoder: &mut TileDecoder,
    ) -> Result<ArrayRef, DecodeError> {
        let Self::Tiles { tiles, values, text, validity, has_nulls } = self else {
            return cells::nulls(column, selection.rows).map_err(DecodeError::Arrow);
        };
        let nulls = match (validity, &tiles.validity) {
            (Some(places), Some(file)) => {
                let valid = bitmap(places, file, selection, requests, decoder)?;
                Some(NullBuffer::new(valid)).filter(|nulls| nulls.null_count() > 0)
            }
            _ => None,
        };
        let (data, offsets) = match (text, &tiles.text) {
            (Some(places), Some(text)) => {
                let sizes: Vec<usize> = selection.tiles.iter().map(|tile| text.size(*tile)).collect();
                // The sizes come from another file. Compared before memory is reserved for them.
                for (place, size) in places.iter().zip(&sizes) {
                    let found = tiledb_format::tile_length(requests.bytes(place)).map_err(damaged(&text.values))?;
                    if found != *size as u64 {
                        let (expected, found) = (format!("{size} bytes of text"), found.to_string());
                        let differs = tiledb_format::Error::Invalid { what: "tile", expected, found };
                        return Err(damaged(&text.values)(differs));
                    }
                }
                let data = fixed(places, &sizes, &text.values, 1, 1, requests, decoder)?;
                let offsets = offsets(values, &sizes, tiles, selection, requests, decoder)?;
                (data, Some(offsets))
            }
            _ => {
                let size = column.physical.size();
                let cell = size * usize::try_from(column.width).unwrap_or(1);
                let sizes: Vec<usize> = selection.cells.iter().map(|cells| cells * cell).collect();
                (fixed(values, &sizes, &tiles.values, size, cell, requests, decoder)?, None)
            }
        };
        let nulls = match &column.fill {
            _ if !has_nulls => nulls,
            Some(fill) => elements::not_fill(column.physical, fill, &data),
            None if column.null_is_nan => elements::not_nan(column.physical, &data),
            None => nulls,
        };
        cells::build(column, selection.rows, data, offsets, nulls).map_err(DecodeError::Arrow)
    }
}

/// Decodes tiles of these sizes one after the other.
fn fixed(
    places: &[TileBytes],
    sizes: &[usize],
    file: &FileTiles,
    value: usize,
    cell: usize,
    requests: &Requests,
    decoder: &mut TileDecoder,
) -> Result<Buffer, DecodeError> {
    let mut data = MutableBuffer::from_len_zeroed(sizes.iter().sum());
    let mut rest = data.as_slice_mut();
    for (place, size) in places.iter().zip(sizes) {
        let (tile, after) = rest.split_at_mut((*size).min(rest.len()));
        decoder.decode(requests.bytes(place), &file.pipeline, value, cell, tile).map_err(damaged(file))?;
        rest = after;
    }
    Ok(data.into())
}

/// Decodes the offsets of text, which start at 0 in each tile, as Arrow's, which go on, with the end of the last value.
fn offsets(
    places: &[TileBytes],
    sizes: &[usize],
    tiles: &ColumnTiles,
    selection: &Selection<'_>,
    requests: &Requests,
    decoder: &mut TileDecoder,
) -> Result<Buffer, DecodeError> {
    let lengths: Vec<usize> = selection.cells.iter().map(|cells| cells * OFFSET).collect();
    let stored = fixed(places, &lengths, &tiles.values, OFFSET, OFFSET, requests, decoder)?;
    let mut stored = stored.typed_data::<u64>();
    let mut offsets: Vec<i64> = Vec::with_capacity(selection.rows + 1);
    let mut start = 0_u64;
    for (cells, size) in selection.cells.iter().zip(sizes) {
        let (own, rest) = stored.split_at(*cells);
        // An offset beyond the type is beyond the data as well, which Arrow checks.
        offsets.extend(own.iter().map(|offset| start.saturating_add(*offset).cast_signed()));
        stored = rest;
        start += *size as u64;
    }
    offsets.push(start.cast_signed());
    Ok(Buffer::from_vec(offsets))
}

/// Decodes validity as a bitmap.
fn bitmap(
    places: &[TileBytes],
    file: &FileTiles,
    selection: &Selection<'_>,
    requests: &Requests,
    decoder: &mut TileDecoder,
) -> Result<BooleanBuffer, DecodeError> {
    let whole_bytes = selection.cells.iter().rev().skip(1).all(|cells| cells % 8 == 0);
    if whole_bytes {
        let mut bits = MutableBuffer::from_len_zeroed(selection.rows.div_ceil(8));
        let mut rest = bits.as_slice_mut();
        for (place, cells) in places.iter().zip(selection.cells) {
            let (tile, after) = rest.split_at_mut(cells.div_ceil(8).min(rest.len()));
            let decoded = decoder.decode_validity_bitmap(requests.bytes(place), &file.pipeline, *cells, tile);
            decoded.map_err(damaged(file))?;
            rest = after;
        }
        return Ok(BooleanBuffer::new(bits.into(), 0, selection.rows));
    }
    let mut bits = BooleanBufferBuilder::new(selection.rows);
    for (place, cells) in places.iter().zip(selection.cells) {
        let mut tile = vec![0; cells.div_ceil(8)];
        let decoded = decoder.decode_validity_bitmap(requests.bytes(place), &file.pipeline, *cells, &mut tile);
        decoded.map_err(damaged(file))?;
        bits.append_packed_range(0..*cells, &tile);
    }
    Ok(bits.finish())
}
