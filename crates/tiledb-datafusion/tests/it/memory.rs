//! Reads by tile reserve what they hold, and get by with less.

use std::sync::Arc;

use arrow::array::{Float64Array, Int64Array, TimestampNanosecondArray};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::StreamExt;
use isdb_testing::array::{TestArray, YEAR_2020, coordinates, layout};
use tiledb_datafusion::{ReadMemory, TileDbTable};

const ROWS: i32 = 20_000;
/// Bytes of a step of one tile: 100 cells of 32 bytes, two and a half times.
const TILE: usize = 8_000;

fn array() -> TestArray {
    let fields = coordinates().into_iter().chain([Field::new("id", DataType::Int64, false)]);
    let array = TestArray::create("steps", &layout(), Schema::new(fields.collect::<Vec<_>>()));
    let degrees = Arc::new(Float64Array::from_iter_values((0..ROWS).map(|row| f64::from(row) / 1_000.0)));
    let times = TimestampNanosecondArray::from_iter_values((0..ROWS).map(|row| YEAR_2020 + i64::from(row)))
        .with_timezone("UTC");
    let ids = Arc::new(Int64Array::from_iter_values((0..ROWS).map(i64::from)));
    array.write(1, vec![Arc::clone(&degrees) as _, degrees, Arc::new(times), ids]);
    array
}

/// Reads all rows in a session with `pool`; returns their number, and the most bytes that were reserved when a batch arrived.
async fn read(array: &TestArray, pool: &Arc<dyn MemoryPool>, config: SessionConfig) -> Result<(usize, usize)> {
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::clone(pool)).build_arc()?;
    let context = SessionContext::new_with_config_rt(config.with_target_partitions(1), runtime);
    context.register_table("steps", Arc::new(TileDbTable::of_fragments(array.open_by_tile(), None, true)))?;
    let mut rows = context.sql("SELECT * FROM steps").await?.execute_stream().await?;
    let (mut count, mut most) = (0, 0);
    while let Some(batch) = rows.next().await {
        count += batch?.num_rows();
        most = most.max(pool.reserved());
    }
    drop(rows);
    assert_eq!(pool.reserved(), 0, "nothing is reserved after the read");
    Ok((count, most))
}

#[tokio::test]
async fn a_read_takes_smaller_steps_when_memory_is_short_and_fails_without_any() {
    let array = array();
    let pool = |bytes| Arc::new(GreedyMemoryPool::new(bytes)) as Arc<dyn MemoryPool>;
    let all = usize::try_from(ROWS).unwrap();
    for bytes in [1 << 30, 5 * TILE, TILE] {
        let (rows, most) = read(&array, &pool(bytes), SessionConfig::new()).await.unwrap();
        assert!(rows == all && most < bytes, "{rows} rows, {most} of {bytes} bytes");
    }
    let error = read(&array, &pool(TILE - 1), SessionConfig::new()).await.unwrap_err();
    let DataFusionError::ResourcesExhausted(text) = error.find_root() else { panic!("{error}") };
    assert!(text.starts_with("expected 8000 bytes of memory for one tile") && text.contains("steps"), "{text}");
}

#[tokio::test]
async fn memory_for_reads_is_apart_from_that_of_operators() {
    let config = SessionConfig::new().with_extension(Arc::new(ReadMemory::share(1 << 20, 1)));
    let operators = Arc::new(GreedyMemoryPool::new(0)) as Arc<dyn MemoryPool>;
    let (rows, reserved) = read(&array(), &operators, config).await.unwrap();
    assert_eq!((rows, reserved), (usize::try_from(ROWS).unwrap(), 0));
}
