//! Runs of equal cells: the cell, then its count as a big-endian 16-bit integer.

use crate::error::{Error, Result};

/// Bytes of a count.
const COUNT: usize = 2;

/// Fills `out`.
pub(crate) fn decompress(data: &[u8], cell_size: usize, out: &mut [u8]) -> Result<()> {
    let mut rest = out;
    for (cell, count) in runs(data, cell_size)? {
        let length = count * cell_size;
        let left = rest.len();
        let Some((run, after)) = rest.split_at_mut_checked(length) else {
            return Err(invalid(format!("{left} more bytes of cells"), format!("a run of {length}")));
        };
        match *cell {
            [byte] => run.fill(byte),
            _ => run.chunks_exact_mut(cell_size).for_each(|out| out.copy_from_slice(cell)),
        }
        rest = after;
    }
    if rest.is_empty() { Ok(()) } else { Err(invalid("more runs", format!("{} bytes without one", rest.len()))) }
}

/// The runs: cell and count.
pub(crate) fn runs(data: &[u8], cell_size: usize) -> Result<impl Iterator<Item = (&[u8], usize)>> {
    let size = cell_size + COUNT;
    if cell_size == 0 || !data.len().is_multiple_of(size) {
        return Err(invalid(format!("runs of {size} bytes"), format!("{} bytes", data.len())));
    }
    Ok(data.chunks_exact(size).filter_map(move |run| {
        let (cell, count) = run.split_last_chunk::<COUNT>()?;
        Some((cell, usize::from(u16::from_be_bytes(*count))))
    }))
}

/// Replaces the content of `out`.
pub(crate) fn compress(data: &[u8], cell_size: usize, out: &mut Vec<u8>) -> Result<()> {
    if cell_size == 0 || !data.len().is_multiple_of(cell_size) {
        return Err(invalid(format!("cells of {cell_size} bytes"), format!("{} bytes", data.len())));
    }
    out.clear();
    let mut cells = data.chunks_exact(cell_size);
    let Some(mut current) = cells.next() else { return Ok(()) };
    let mut count = 1_u16;
    for cell in cells {
        if cell == current && count < u16::MAX {
            count += 1;
            continue;
        }
        out.extend_from_slice(current);
        out.extend(count.to_be_bytes());
        (current, count) = (cell, 1);
    }
    out.extend_from_slice(current);
    out.extend(count.to_be_bytes());
    Ok(())
}

fn invalid(expected: impl Into<String>, found: String) -> Error {
    Error::Invalid { what: "runs of a tile", expected: expected.into(), found }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Cells of any size come back, also runs that are longer than a count can say.
        #[test]
        fn cells_come_back(
            runs in prop::collection::vec((any::<u8>(), prop_oneof![1..5_usize, 65_530..65_545_usize]), 0..4),
            cell_size in 1..9_usize,
        ) {
            let cells: Vec<u8> =
                runs.iter().flat_map(|&(byte, count)| std::iter::repeat_n([byte; 8], count)).flat_map(|c| c[..cell_size].to_vec()).collect();
            let mut compressed = Vec::new();
            compress(&cells, cell_size, &mut compressed).unwrap();
            let mut out = vec![9; cells.len()];
            decompress(&compressed, cell_size, &mut out).unwrap();
            prop_assert!(out == cells);
        }

        /// Damaged runs are an error or fill exactly what they are given.
        #[test]
        fn arbitrary_bytes_do_not_panic(data in prop::collection::vec(0..4_u8, 0..40), cell_size in 0..5_usize, length in 0..2000_usize) {
            let _ = decompress(&data, cell_size, &mut vec![0; length]);
        }
    }
}
