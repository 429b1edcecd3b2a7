//! Decoding of some rows only.

use super::*;
use crate::testing::{R004, R005, R006, R007, all, named, open_real};

#[test]
fn chosen_rows_have_the_values_that_they_have_among_all_rows() {
    for name in [R004, R005, R006, R007] {
        let Some(granule) = open_real(name) else { continue };
        let whole = granule.decode(&all(), 1).unwrap();
        // None, every third, all, and one of the rows of each beam.
        let choices: [fn(usize) -> bool; 4] = [|_| false, |row| row % 3 == 1, |_| true, |row| row == 0];
        // Variables that are decoded before rows are chosen; without any, these are the leading columns alone.
        let first: [&[&str]; 3] = [&["h_canopy"], &[], &["segment_id_end", "h_canopy"]];
        for (choice, first) in choices.into_iter().flat_map(|choice| first.map(|first| (choice, first))) {
            let mut seen = Vec::new();
            let choose = |batch: &RecordBatch| {
                seen.push(batch.num_rows());
                assert!(first.iter().all(|name| batch.column_by_name(name).is_some()));
                assert!(batch.column_by_name("dem_h").is_none());
                Some(BooleanBuffer::collect_bool(batch.num_rows(), choice))
            };
            let decoded = granule.decode_chosen(&all(), 2, &named(first), choose).unwrap();
            let chosen = whole.batches.iter().map(|batch| {
                let rows = BooleanBuffer::collect_bool(batch.num_rows(), choice);
                filter_record_batch(batch, &BooleanArray::new(rows, None)).unwrap()
            });
            let batches: Vec<_> = chosen.filter(|batch| batch.num_rows() > 0).collect();
            assert_eq!(seen, whole.batches.iter().map(RecordBatch::num_rows).collect::<Vec<_>>());
            assert_eq!(decoded, Decoded { batches, ..whole.clone() }, "{name}");
        }
    }
}
