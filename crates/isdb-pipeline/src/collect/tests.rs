//! The rows of a window, collected with and without enough memory for them.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, DictionaryArray, FixedSizeListArray, Float32Array, Int32Array, RecordBatch,
    StringArray, UInt8Array,
};
use arrow::compute::concat;
use arrow::datatypes::{Float32Type, Int32Type};
use datafusion::common::Result;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, SpillMetrics};
use datafusion::prelude::{SessionConfig, SessionContext};
use isdb_schema::segments::FRAGMENT_ID;
use isdb_store::{Id, Rows as _};
use proptest::prelude::*;

use crate::collect::collector::Collector;
use crate::collect::fragment_rows::FragmentRows;
use crate::memory::slice_bytes;

/// Returns `rows` rows of every type of column, beginning with row `first`, sliced from longer arrays.
fn rows(first: i32, rows: usize) -> RecordBatch {
    let all = first - 3..first + i32::try_from(rows).unwrap() + 5;
    let is_valid = |row: &i32| row % 5 != 0;
    let list = |row: i32| is_valid(&row).then_some([Some(row as f32), None, Some(0.5)]);
    let keys: UInt8Array = all.clone().map(|row| is_valid(&row).then_some(u8::from(row % 2 == 0))).collect();
    let beams = DictionaryArray::new(keys, Arc::new(StringArray::from(vec!["gt1l", "gt1r"])));
    let columns: [(&str, ArrayRef); 6] = [
        ("row", Arc::new(Int32Array::from_iter_values(all.clone()))),
        ("height", Arc::new(all.clone().map(|row| is_valid(&row).then_some(row as f32)).collect::<Float32Array>())),
        (
            "text",
            Arc::new(all.clone().map(|row| is_valid(&row).then(|| format!("row {row}"))).collect::<StringArray>()),
        ),
        ("flag", Arc::new(all.clone().map(|row| is_valid(&row).then_some(row % 2 == 0)).collect::<BooleanArray>())),
        ("beam", Arc::new(beams)),
        ("list", Arc::new(FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(all.map(list), 3))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap().slice(3, rows)
}

/// Collects a batch for each list of chunks with a memory limit, and returns the fragments, the number of files, and what is reserved.
async fn collected(
    chunks: &[Vec<Option<i32>>],
    memory: usize,
    fragment_bytes: usize,
) -> Result<(Vec<FragmentRows>, usize)> {
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::new(FairSpillPool::new(memory))).build_arc()?;
    let context = SessionContext::new_with_config_rt(SessionConfig::new(), Arc::clone(&runtime));
    let metrics = SpillMetrics::new(&ExecutionPlanMetricsSet::new(), 0);
    let schema = rows(3, 0).schema().as_ref().clone();
    let mut collector = Collector::new(context.task_ctx(), schema, 0, metrics.clone());
    let mut first = 3;
    for chunks in chunks {
        let batch = rows(first, chunks.len());
        first += i32::try_from(chunks.len()).unwrap();
        collector = collector.push(batch, &(Arc::new(Int32Array::from(chunks.clone())) as ArrayRef)).await?;
    }
    let fragments = collector.finish(fragment_bytes);
    assert!(runtime.memory_pool.reserved() <= memory);
    Ok((fragments, metrics.spill_file_count.value()))
}

/// Checks that all columns of a fragment's rows belong together, and returns the number of each row.
fn checked_rows(fragment: &FragmentRows) -> Vec<i32> {
    let column = |name: &str| {
        let parts = fragment.column(name).unwrap();
        let batches = fragment.batches();
        assert!(parts.iter().map(|part| part.len()).eq(batches.iter().map(|(_, rows)| *rows)));
        concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<_>>()).unwrap()
    };
    let numbers = column("row");
    let numbers = numbers.as_primitive::<Int32Type>().values().to_vec();
    let batches: Vec<RecordBatch> = numbers.iter().map(|number| rows(*number, 1)).collect();
    for name in ["height", "text", "flag", "beam", "list"] {
        let expected: Vec<&dyn Array> =
            batches.iter().map(|batch| batch.column_by_name(name).unwrap().as_ref()).collect();
        assert_eq!(&column(name), &concat(&expected).unwrap(), "{name}");
    }
    assert_eq!(column(FRAGMENT_ID).null_count(), 0);
    numbers
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_row_is_in_one_fragment_for_any_memory_limit(
        chunks in prop::collection::vec(prop::collection::vec(prop::option::of(0..5), 0..40), 1..12),
        memory in prop_oneof![Just(usize::MAX), 0_usize..20_000],
        fragment_bytes in 500_usize..40_000,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (fragments, files) = runtime.block_on(collected(&chunks, memory, fragment_bytes)).unwrap();
        prop_assert!(memory < usize::MAX || files == 0);
        let mut found: Vec<i32> = fragments.iter().flat_map(checked_rows).collect();
        found.sort_unstable();
        let all: usize = chunks.iter().map(Vec::len).sum();
        prop_assert!(found.into_iter().eq(3..3 + i32::try_from(all).unwrap()));
    }
}

#[tokio::test]
async fn a_fragment_has_adjacent_chunks_and_its_id() {
    let chunks = [vec![Some(4), Some(4), Some(1), None], vec![Some(1), Some(1), Some(4)]];
    let half = slice_bytes(&rows(3, 5)).unwrap();
    let (fragments, files) = collected(&chunks, usize::MAX, half).await.unwrap();
    let found: Vec<Vec<i32>> = fragments.iter().map(checked_rows).collect();
    assert_eq!((found, files), (vec![vec![5, 6, 7, 8], vec![3, 4, 9]], 0));
    let fragment = fragments.into_iter().next().unwrap().with_id(Id::new(7, 9));
    let ids = fragment.column(FRAGMENT_ID).unwrap();
    assert!(
        ids.iter().all(|ids| ids
            .as_primitive::<arrow::datatypes::Int64Type>()
            .values()
            .iter()
            .all(|id| *id == Id::new(7, 9).0))
    );
}

#[tokio::test]
async fn a_file_that_was_cut_is_an_error_that_names_it() {
    let chunks = vec![vec![Some(1); 40]; 8];
    let (fragments, files) = collected(&chunks, 0, usize::MAX).await.unwrap();
    assert_eq!((fragments.len(), files), (1, 1));
    let path = fragments[0].file().unwrap();
    std::fs::File::options().write(true).open(&path).unwrap().set_len(1000).unwrap();
    let error = fragments[0].column("list").unwrap_err().to_string();
    assert!(error.contains(&path.display().to_string()), "{error}");
    drop(fragments);
    assert!(!path.exists(), "the file is deleted with its last fragment");
}
