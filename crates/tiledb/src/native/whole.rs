//! A fragment that is read whole: every tile of every file is decoded, also what no query reads, and so compared with its checksums.

use std::sync::Arc;

use tiledb_format::TileDecoder;

use super::array::NativeArray;
use super::decode::{ColumnBytes, Selection};
use super::fragment::{ColumnTiles, OpenFragment};
use super::requests::{FileTiles, Requests};
use super::storage::file_error;
use crate::error::Result;
use crate::schema::column::Column;

/// Bytes of files that are read at a time, and about as many of decoded cells.
const READ_BYTES: u64 = if cfg!(test) { 1 << 10 } else { 8 << 20 };

/// Consecutive tiles of a column that are read together with others.
struct Piece<'c> {
    column: &'c Column,
    tiles: Arc<ColumnTiles>,
    selected: Vec<usize>,
    cells: Vec<usize>,
}

impl NativeArray {
    /// As [`Array::check_fragment`](crate::Array::check_fragment).
    pub(crate) fn check_fragment(&self, position: usize) -> Result<()> {
        let fragment = self.fragment(position)?;
        fragment.rectangles()?;
        let (mut pieces, mut bytes) = (Vec::new(), 0);
        let mut requests = Requests::default();
        let mut decoder = TileDecoder::new();
        for column in &self.columns {
            // The fragment was written before the column was added.
            let Some(tiles) = fragment.column(column)? else { continue };
            let mut first = 0;
            while first < fragment.tiles() {
                let mut piece = Piece { column, tiles: Arc::clone(&tiles), selected: Vec::new(), cells: Vec::new() };
                while first < fragment.tiles() && (piece.selected.is_empty() || bytes < READ_BYTES) {
                    let cells = fragment.cells_of(first);
                    piece.selected.push(first);
                    piece.cells.push(cells);
                    bytes += stored_bytes(&tiles, first).max((cells * column.cell_bytes()) as u64);
                    first += 1;
                }
                pieces.push(piece);
                if bytes >= READ_BYTES {
                    self.decode_pieces(&fragment, &pieces, &mut requests, &mut decoder)?;
                    pieces.clear();
                    bytes = 0;
                }
            }
        }
        self.decode_pieces(&fragment, &pieces, &mut requests, &mut decoder)
    }

    /// Reads pieces together, and decodes one after the other.
    fn decode_pieces(
        &self,
        fragment: &OpenFragment,
        pieces: &[Piece<'_>],
        requests: &mut Requests,
        decoder: &mut TileDecoder,
    ) -> Result<()> {
        requests.clear();
        let selection = |piece: &'_ Piece<'_>| piece.cells.iter().sum::<usize>();
        let mut requested = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let selection = Selection { tiles: &piece.selected, cells: &piece.cells, rows: selection(piece) };
            requested.push((ColumnBytes::request_all(&piece.tiles, &selection, requests), selection));
        }
        let uri = self.uri();
        requests.read(self.storage()).map_err(|(path, source)| file_error(uri, &path, source))?;
        for (piece, (bytes, selection)) in pieces.iter().zip(requested) {
            let decoded = bytes.decode(piece.column, &selection, requests, decoder);
            decoded.map_err(|error| self.decode_error(fragment, &piece.column.name, error))?;
        }
        Ok(())
    }
}

/// Bytes of a tile in all files of its column.
fn stored_bytes(tiles: &ColumnTiles, tile: usize) -> u64 {
    let of = |file: &FileTiles| {
        let bounds = file.bounds.get(tile).zip(file.bounds.get(tile + 1));
        bounds.map_or(0, |(start, end)| end.saturating_sub(*start))
    };
    let text = tiles.text.as_ref().map_or(0, |text| of(&text.values));
    of(&tiles.values) + text + tiles.validity.as_ref().map_or(0, of)
}
