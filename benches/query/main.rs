//! Runs SQL statements in this process and times each: on an isdb database, on any array that is read by tile, on the array of a
//! database as libtiledb reads it with the settings of isdb, or on a Parquet file with DataFusion alone. `run.py` starts it and explains
//! the benchmark.
//!
//! ```text
//! query_speed isdb DATABASE
//! query_speed array URI
//! query_speed library DATABASE
//! query_speed parquet FILE [pushdown]
//! ```
//!
//! Each line of standard input is a JSON object: `statements`, a list of SQL, and `answers`, whether to describe the answers. Each
//! line of standard output is the reply: `micros`, the time of each statement from SQL to rows in memory, and `answers`. The first
//! line is the time to open. The only table of a Parquet file, of an array, or of a database that libtiledb reads, is called `segments`.

mod answer;

use std::error::Error;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Instant;

use isdb::Database;
use isdb::datafusion::arrow::array::RecordBatch;
use isdb::datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use isdb_store::Location;
use serde_json::{Value, json};
use tiledb::Array;
use tiledb_datafusion::TileDbTable;

// The allocator of the `isdb` command, for both engines.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "usage: query_speed isdb DATABASE | array URI | library DATABASE | parquet FILE [pushdown]";

enum Engine {
    Isdb(Box<Database>),
    DataFusion(SessionContext),
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let start = Instant::now();
    let engine = match arguments.as_slice() {
        ["isdb", uri] => Engine::Isdb(Box::new(Database::open(uri).await?)),
        ["array", uri] => Engine::DataFusion(with_array(Array::open_by_tile(uri, None)?)?),
        ["library", uri] => Engine::DataFusion(open_by_library(uri).await?),
        ["parquet", file] => Engine::DataFusion(open_parquet(file, false).await?),
        ["parquet", file, "pushdown"] => Engine::DataFusion(open_parquet(file, true).await?),
        _ => return Err(USAGE.into()),
    };
    reply(&json!({ "micros": [micros(start)] }))?;
    for line in io::stdin().lines() {
        let request: Value = serde_json::from_str(&line?)?;
        reply(&engine.serve(&request).await?)?;
    }
    Ok(())
}

/// Opens the array of segments with libtiledb, which must be that of a database without replaced segments.
async fn open_by_library(uri: &str) -> Result<SessionContext, Box<dyn Error>> {
    let location = Location::parse(uri)?;
    let database = isdb_store::Database::open(&location).await?;
    let array = Array::open_by_library(database.context()?, &location.segments(), None)?;
    with_array(array)
}

/// A session of DataFusion with the table `segments`.
fn with_array(array: Array) -> Result<SessionContext, Box<dyn Error>> {
    let context = SessionContext::new();
    context.register_table("segments", Arc::new(TileDbTable::new(array, None)?))?;
    Ok(context)
}

/// Opens a Parquet file in a session with DataFusion's defaults: as many partitions as processors, as isdb's sessions have.
async fn open_parquet(file: &str, pushdown: bool) -> Result<SessionContext, Box<dyn Error>> {
    let mut config = SessionConfig::new();
    let options = &mut config.options_mut().execution.parquet;
    options.pushdown_filters = pushdown;
    options.reorder_filters = pushdown;
    let context = SessionContext::new_with_config(config);
    context.register_parquet("segments", file, ParquetReadOptions::default()).await?;
    Ok(context)
}

impl Engine {
    /// Runs the statements of a request one after the other. Describing an answer is not part of its time.
    async fn serve(&self, request: &Value) -> Result<Value, Box<dyn Error>> {
        let statements = request["statements"].as_array().ok_or("expected a list of statements")?;
        let describes = request["answers"].as_bool().unwrap_or_default();
        let (mut times, mut answers) = (Vec::new(), Vec::new());
        for statement in statements {
            let sql = statement.as_str().ok_or("expected SQL")?;
            let start = Instant::now();
            let rows = self.run(sql).await.map_err(|error| format!("{sql}: {error}"))?;
            times.push(micros(start));
            if describes {
                answers.push(answer::describe(&rows)?);
            }
        }
        Ok(json!({ "micros": times, "answers": answers }))
    }

    async fn run(&self, sql: &str) -> Result<Vec<RecordBatch>, Box<dyn Error>> {
        let frame = match self {
            Engine::Isdb(database) => database.sql(sql).await?,
            Engine::DataFusion(context) => context.sql(sql).await?,
        };
        Ok(frame.collect().await?)
    }
}

fn micros(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e6
}

fn reply(line: &Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
