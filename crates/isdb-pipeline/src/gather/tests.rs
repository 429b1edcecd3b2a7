//! The gather operator over batches in memory, with and without enough memory for them.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, FixedSizeListArray, Float32Array, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{Float32Type, Int32Type};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_plan::common::collect;
use datafusion::prelude::{SessionConfig, SessionContext};
use proptest::prelude::*;

use crate::gather::exec::GatherExec;
use crate::gather::run::split_into_runs;
use datafusion::common::Result;
use datafusion::physical_plan::ExecutionPlan;
use isdb_query::CHUNK;

type Chunks = Vec<Vec<Option<i32>>>;

/// Returns a batch for each list of chunks: the number of the row, a text and a list derived from it, and its chunk.
fn batches(chunks: &Chunks) -> Vec<RecordBatch> {
    let mut first = 0;
    let batch = |chunks: &Vec<Option<i32>>| {
        let rows = first..first + i32::try_from(chunks.len()).unwrap();
        first = rows.end;
        let texts: ArrayRef = Arc::new(rows.clone().map(text).collect::<StringArray>());
        let list = |row: i32| (row % 5 > 0).then_some([Some(row as f32), None, Some(0.5)]);
        let lists = FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(rows.clone().map(list), 3);
        let chunks: ArrayRef = Arc::new(chunks.iter().copied().collect::<Int32Array>());
        let rows: ArrayRef = Arc::new(Int32Array::from_iter_values(rows));
        let columns = [("row", rows), ("text", texts), ("list", Arc::new(lists)), (CHUNK, chunks)];
        RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap()
    };
    chunks.iter().map(batch).collect()
}

fn text(row: i32) -> Option<String> {
    (row % 7 > 0).then(|| format!("row {row}"))
}

/// Returns the output of the operator with a memory limit, and the number of files it spilled.
async fn gathered(batches: &[RecordBatch], memory: usize) -> Result<(Vec<RecordBatch>, usize)> {
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::new(FairSpillPool::new(memory))).build_arc()?;
    let context = SessionContext::new_with_config_rt(SessionConfig::new().with_batch_size(8), runtime);
    let input = MemorySourceConfig::try_new_exec(&[batches.to_vec()], batches[0].schema(), None)?;
    let gather = GatherExec::try_new(input, 1)?;
    let rows = collect(gather.execute(0, context.task_ctx())?).await?;
    assert_eq!(context.runtime_env().memory_pool.reserved(), 0, "memory that is not used is still reserved");
    Ok((rows, gather.metrics().unwrap().spill_count().unwrap_or_default()))
}

/// Checks that all columns of a row belong together, and returns chunk and number of each row.
fn checked_rows(batches: &[RecordBatch]) -> Vec<(Option<i32>, i32)> {
    let mut found = Vec::new();
    for batch in batches {
        let rows = batch.column(0).as_primitive::<Int32Type>();
        let (texts, lists) = (batch.column(1).as_string::<i32>(), batch.column(2).as_fixed_size_list());
        let chunks = batch.column(3).as_primitive::<Int32Type>();
        for ((at, row), chunk) in rows.values().iter().enumerate().zip(chunks) {
            assert_eq!(texts.iter().nth(at).unwrap().map(str::to_owned), text(*row));
            let expected = Float32Array::from(vec![Some(*row as f32), None, Some(0.5)]);
            let list = (!arrow::array::Array::is_null(lists, at)).then(|| lists.value(at));
            assert_eq!(list.is_some(), row % 5 > 0);
            assert!(list.is_none_or(|list| *list.as_primitive::<Float32Type>() == expected));
            found.push((chunk, *row));
        }
    }
    found
}

proptest! {
    #[test]
    fn every_row_is_returned_once_by_chunk_for_any_memory_limit(
        chunks in proptest::collection::vec(proptest::collection::vec(proptest::option::of(0..5), 0..40), 1..12),
        memory in prop_oneof![Just(usize::MAX), 8_000usize..40_000],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let batches = batches(&chunks);
        let (found, spilled) = runtime.block_on(gathered(&batches, memory)).unwrap();
        prop_assert!(memory < usize::MAX || spilled == 0);
        let found = checked_rows(&found);
        prop_assert!(found.is_sorted_by_key(|(chunk, _)| *chunk));
        let mut rows: Vec<_> = found.into_iter().map(|(chunk, row)| (row, chunk)).collect();
        rows.sort_unstable();
        let expected = (0..).zip(chunks.iter().flatten().copied());
        prop_assert!(rows.into_iter().eq(expected));
    }
}

#[tokio::test]
async fn rows_without_a_chunk_come_first_and_runs_stay_whole() {
    let batches = batches(&vec![vec![Some(4), Some(4), Some(1), None], vec![Some(1), Some(1), Some(4)]]);
    let (found, spilled) = gathered(&batches, usize::MAX).await.unwrap();
    let runs: Vec<_> = found.iter().map(|run| checked_rows(std::slice::from_ref(run))).collect();
    let [none, one, four] = [None, Some(1), Some(4)];
    let expected =
        [vec![(none, 3)], vec![(one, 2)], vec![(one, 4), (one, 5)], vec![(four, 0), (four, 1)], vec![(four, 6)]];
    assert_eq!((runs, spilled), (expected.to_vec(), 0));
}

#[tokio::test]
async fn rows_that_do_not_fit_are_spilled_and_a_batch_larger_than_the_memory_is_an_error() {
    let some = batches(&vec![vec![Some(1); 40]; 8]);
    let (found, spilled) = gathered(&some, split_into_runs(&some[0], 3).unwrap()[0].bytes * 3).await.unwrap();
    assert!(checked_rows(&found).len() == 320 && spilled >= 2, "{spilled} files");
    let error = gathered(&some, 100).await.unwrap_err();
    assert!(matches!(error.find_root(), datafusion::error::DataFusionError::ResourcesExhausted(_)), "{error}");
}
