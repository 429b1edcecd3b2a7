//! The rows of a beam to decode, when not all of them are needed.

use std::ops::Range;

use arrow::buffer::BooleanBuffer;

/// Some rows of a beam, in their order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ChosenRows(Vec<u32>);

impl ChosenRows {
    /// The rows that are set in `valid`, which has all rows of the beam, and of these the ones that are set in `chosen`. `None` of either
    /// chooses all. Returns `None` for the whole beam, which needs no list.
    pub(crate) fn new(rows: usize, valid: Option<&BooleanBuffer>, chosen: Option<&BooleanBuffer>) -> Option<Self> {
        let indices = |set: &BooleanBuffer| -> Vec<u32> { set.set_indices_u32().collect() };
        let listed = match (valid, chosen) {
            (None, None) => return None,
            (Some(set), None) | (None, Some(set)) => indices(set),
            (Some(valid), Some(chosen)) => {
                let valid = indices(valid);
                chosen.set_indices().filter_map(|at| valid.get(at).copied()).collect()
            }
        };
        (listed.len() < rows).then_some(Self(listed))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is a chosen row in `rows`.
    pub(crate) fn any_within(&self, rows: Range<usize>) -> bool {
        let at = self.0.partition_point(|row| (*row as usize) < rows.start);
        self.0.get(at).is_some_and(|row| (*row as usize) < rows.end)
    }

    /// Copies the chosen rows of `from`, of `bytes` bytes each, to `to`.
    pub(crate) fn copy(&self, bytes: usize, from: &[u8], to: &mut [u8]) {
        match bytes {
            0 => {}
            1 => self.copy_rows::<1>(from, to),
            2 => self.copy_rows::<2>(from, to),
            4 => self.copy_rows::<4>(from, to),
            8 => self.copy_rows::<8>(from, to),
            // The product's profiles: five floats.
            20 => self.copy_rows::<20>(from, to),
            _ => {
                for (to, row) in to.chunks_exact_mut(bytes).zip(&self.0) {
                    let start = *row as usize * bytes;
                    if let Some(row) = from.get(start..start + bytes) {
                        to.copy_from_slice(row);
                    }
                }
            }
        }
    }

    fn copy_rows<const N: usize>(&self, from: &[u8], to: &mut [u8]) {
        let (from, _) = from.as_chunks::<N>();
        let (to, _) = to.as_chunks_mut::<N>();
        for (to, row) in to.iter_mut().zip(&self.0) {
            if let Some(row) = from.get(*row as usize) {
                *to = *row;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_chosen_among_the_valid_ones() {
        let bits = |bits: &[u8]| BooleanBuffer::from_iter(bits.iter().map(|bit| *bit == 1));
        let (valid, chosen) = (bits(&[1, 0, 1, 1, 0, 1]), bits(&[0, 1, 0, 1]));
        let rows = |valid: Option<&BooleanBuffer>, chosen: Option<&BooleanBuffer>| {
            ChosenRows::new(6, valid, chosen).map(|rows| rows.0)
        };
        assert_eq!(rows(Some(&valid), Some(&chosen)), Some(vec![2, 5]));
        assert_eq!(rows(Some(&valid), None), Some(vec![0, 2, 3, 5]));
        assert_eq!(rows(None, None), None);
        let (all, none) = (bits(&[1; 6]), bits(&[0; 6]));
        assert_eq!(rows(None, Some(&all)), None, "all rows need no list");
        assert_eq!(rows(None, Some(&none)), Some(Vec::new()));
    }

    #[test]
    fn rows_of_any_size_are_copied() {
        let rows = ChosenRows(vec![1, 4]);
        for bytes in [1, 2, 3, 4, 8, 20, 24] {
            let from: Vec<u8> = (0..5).flat_map(|row| vec![row; bytes]).collect();
            let mut to = vec![9; 2 * bytes];
            rows.copy(bytes, &from, &mut to);
            assert_eq!(to, [vec![1; bytes], vec![4; bytes]].concat());
        }
        assert!(rows.any_within(4..9) && rows.any_within(0..2) && !rows.any_within(2..4) && !rows.any_within(5..9));
    }
}
