//! Divides the rows of a window into fragments: adjacent chunks share a fragment until it is full, and a fragment ends between two
//! chunks if possible.

use std::ops::Range;

/// Consecutive rows of a batch in one chunk, or without a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) chunk: Option<i32>,
    /// The index of the batch.
    pub(super) batch: usize,
    pub(super) rows: Range<usize>,
}

/// Divides `runs` of together `rows` rows into as few fragments as possible of at most `most` rows, of about the same size. The runs of a
/// fragment are in the order of their batches.
pub(super) fn pack(mut runs: Vec<Run>, rows: usize, most: usize) -> Vec<Vec<Run>> {
    // Stable, so that the runs of a chunk stay in the order of their batches.
    runs.sort_by_key(|run| run.chunk);
    let full = rows.div_ceil(rows.div_ceil(most).max(1));
    let mut fragments: Vec<Vec<Run>> = Vec::new();
    let (mut current, mut count, mut last_chunk) = (Vec::new(), 0, None);
    for mut run in runs {
        if count >= full && last_chunk != Some(run.chunk) {
            fragments.push(std::mem::take(&mut current));
            count = 0;
        }
        last_chunk = Some(run.chunk);
        // A chunk larger than a fragment may be divided at any row.
        while count + run.rows.len() > most {
            let end = run.rows.start + (most - count);
            current.push(Run { rows: run.rows.start..end, ..run });
            run.rows.start = end;
            fragments.push(std::mem::take(&mut current));
            count = 0;
        }
        count += run.rows.len();
        if !run.rows.is_empty() {
            current.push(run);
        }
    }
    fragments.push(current);
    fragments.retain(|fragment| !fragment.is_empty());
    for fragment in &mut fragments {
        fragment.sort_by_key(|run| (run.batch, run.rows.start));
        fragment.retain(|run| !run.rows.is_empty());
    }
    fragments
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn runs(chunks: &[(Option<i32>, usize)]) -> (Vec<Run>, usize) {
        let run = |(batch, (chunk, rows)): (usize, &(Option<i32>, usize))| Run { chunk: *chunk, batch, rows: 0..*rows };
        (chunks.iter().enumerate().map(run).collect(), chunks.iter().map(|(_, rows)| rows).sum())
    }

    /// The chunks and rows of each fragment.
    fn packed(chunks: &[(Option<i32>, usize)], most: usize) -> Vec<Vec<(Option<i32>, usize)>> {
        let (runs, rows) = runs(chunks);
        let mut fragments = pack(runs, rows, most);
        fragments.iter_mut().for_each(|fragment| fragment.sort_by_key(|run| run.chunk));
        fragments.iter().map(|runs| runs.iter().map(|run| (run.chunk, run.rows.len())).collect()).collect()
    }

    #[test]
    fn a_fragment_ends_between_chunks_unless_a_chunk_fills_it() {
        let [none, one, two, three] = [None, Some(1), Some(2), Some(3)];
        assert_eq!(packed(&[(two, 4), (one, 4), (none, 1)], 9), [[(none, 1), (one, 4), (two, 4)]]);
        // Two fragments of six rows; a run of a chunk is not divided where it need not be.
        let crossing = [(three, 3), (one, 4), (two, 3), (one, 2)];
        assert_eq!(packed(&crossing, 8), [vec![(one, 4), (one, 2)], vec![(two, 3), (three, 3)]]);
        assert_eq!(packed(&[(one, 25)], 10), [[(one, 10)], [(one, 10)], [(one, 5)]]);
        assert!(packed(&[], 10).is_empty());
    }

    proptest! {
        #[test]
        fn every_row_is_in_one_fragment_of_at_most_the_maximum_size(
            chunks in prop::collection::vec((prop::option::of(0..6), 1_usize..9), 0..30),
            most in 1_usize..40,
        ) {
            let (runs, rows) = runs(&chunks);
            let fragments = pack(runs, rows, most);
            let mut found: Vec<(usize, usize)> = Vec::new();
            for fragment in &fragments {
                prop_assert!((1..=most).contains(&fragment.iter().map(|run| run.rows.len()).sum()));
                prop_assert!(fragment.is_sorted_by_key(|run| (run.batch, run.rows.start)));
                found.extend(fragment.iter().flat_map(|run| run.rows.clone().map(|row| (run.batch, row))));
            }
            found.sort_unstable();
            let expected = chunks.iter().enumerate().flat_map(|(batch, (_, rows))| (0..*rows).map(move |row| (batch, row)));
            prop_assert!(found.into_iter().eq(expected));
        }
    }
}
