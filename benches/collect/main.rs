//! Speed of the write operator of an ingest over synthetic rows: it collects them, in memory or in a file, divides them into fragments, and
//! writes these.
//!
//! ```text
//! cargo bench --bench collect [-- ROUNDS]
//! ```

#[path = "../common/cost.rs"]
mod cost;

use std::error::Error;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, RecordBatch};
use cost::{Cost, rounds};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::TryStreamExt;
use isdb_pipeline::{CommitRequest, PlannedGranule, Selection, StoredSegments, WriteTarget, ingest_plan};
use isdb_schema::catalogue::variables;
use isdb_store::{Database, Design, Location, Writer};

const BATCHES: usize = 60;
/// Rows of a batch of an ingest.
const BATCH_ROWS: usize = 4_096;
/// Consecutive segments in one chunk, and chunks.
const RUN: usize = 400;
const CHUNKS: usize = 997;

fn main() -> Result<(), Box<dyn Error>> {
    let rounds = rounds(5)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let folder = tempfile::tempdir()?;
    let plan = runtime.block_on(ingest(&folder.path().join("database").to_string_lossy()))?;
    let write = find(&plan, "TileDbWriteExec").ok_or("expected an ingest plan with the operator TileDbWriteExec")?;
    let input = write.children().into_iter().next().map(Arc::clone).ok_or("expected an input")?;
    let batches: Vec<RecordBatch> = (0..BATCHES).map(|at| batch(&input, at)).collect();
    let (rows, bytes) = (BATCHES * BATCH_ROWS, batches.iter().map(RecordBatch::get_array_memory_size).sum::<usize>());
    println!("{rows} rows of {} bytes in runs of {RUN}, mean of {rounds} rounds", bytes / rows);
    for (what, memory) in [("in memory", usize::MAX), ("in a file", bytes / 8)] {
        let pool = Arc::new(FairSpillPool::new(memory));
        let environment = RuntimeEnvBuilder::new().with_memory_pool(pool).build_arc()?;
        let config = SessionConfig::new().with_batch_size(BATCH_ROWS);
        let session = SessionContext::new_with_config_rt(config, environment);
        let cost = Cost::measure(rounds, || {
            let source = MemorySourceConfig::try_new_exec(std::slice::from_ref(&batches), input.schema(), None)?;
            let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
            let write = Arc::clone(&write).replace_children(vec![source], options)?;
            let stream = write.execute(0, session.task_ctx())?;
            let count = |sum, batch: RecordBatch| async move { Ok(sum + batch.num_rows()) };
            match runtime.block_on(stream.try_fold(0, count))? {
                1 => Ok(()),
                found => Err(format!("expected one fragment, found {found}").into()),
            }
        })?;
        cost.print(what, rows, bytes as u64);
    }
    Ok(())
}

/// The plan of the ingest of a granule with all variables into a new database at `path`.
async fn ingest(path: &str) -> Result<Arc<dyn ExecutionPlan>, Box<dyn Error>> {
    let variables: Vec<_> = variables().iter().collect();
    let selection = Selection::bind(&variables, &[], &[])?;
    let location = Location::parse(path)?;
    let database = Database::create(&location, &Design::new(&variables), 1).await?;
    let window = Writer::take_over(&database, 1).await?.begin_window(1, 1)?;
    let target = WriteTarget { location, window, task: (0, 1), fragment_bytes: 1 << 30, writers: 1 };
    let request = CommitRequest::Granules { ledger: Vec::new(), filters: None, all_or_nothing: false };
    let stored = StoredSegments::default();
    Ok(ingest_plan(&[PlannedGranule::default()], &selection, (&stored, None), 1, target, request)?)
}

fn find(plan: &Arc<dyn ExecutionPlan>, name: &str) -> Option<Arc<dyn ExecutionPlan>> {
    if plan.name() == name {
        return Some(Arc::clone(plan));
    }
    plan.children().into_iter().find_map(|child| find(child, name))
}

/// Batch number `at`: rows in runs of one chunk, whose values do not matter.
fn batch(input: &Arc<dyn ExecutionPlan>, at: usize) -> RecordBatch {
    let chunk = |row: usize| i32::try_from(row / RUN * 7_919 % CHUNKS).unwrap_or_default();
    let chunks = Int32Array::from_iter_values((at * BATCH_ROWS..(at + 1) * BATCH_ROWS).map(chunk));
    isdb_testing::batch(&input.schema(), &[("chunk", Arc::new(chunks) as ArrayRef)])
}
