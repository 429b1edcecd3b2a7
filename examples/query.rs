//! Opens a database with quality filters and prints a query: rows stream through, so that a result of any size needs little memory.
//!
//! ```text
//! cargo run --example query -- demo/atl08.isdb
//! ```

use std::error::Error;

use futures::TryStreamExt;
use isdb::Database;
use isdb::datafusion::arrow::util::pretty::pretty_format_batches;

const SQL: &str = "SELECT beam, count(*) AS segments, round(avg(canopy_h), 2) AS canopy_h \
                   FROM atl08 GROUP BY beam ORDER BY beam";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let uri = std::env::args().nth(1).unwrap_or_else(|| "demo/atl08.isdb".to_owned());
    // The views of this session show strong beams only; "strong,night,snow_free" would combine filters. Sorts and groups spill to
    // disk beyond 512 MiB.
    let database = Database::open(&uri).filters("strong").memory(512 << 20).await?;
    for warning in database.warnings().await? {
        eprintln!("warning: {warning}");
    }
    let mut rows = database.stream(SQL).await?;
    while let Some(batch) = rows.try_next().await? {
        println!("{}", pretty_format_batches(&[batch])?);
    }
    // `Database::open(uri).at(timestamp)` opens the same state again.
    eprintln!("commit {} at {}", database.commit(), database.timestamp());
    Ok(())
}
