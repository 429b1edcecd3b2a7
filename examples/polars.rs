//! Collects a query in a polars data frame.
//!
//! ```text
//! cargo run --features polars --example polars -- demo/atl08.isdb
//! ```

use std::error::Error;

use isdb::Database;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let uri = std::env::args().nth(1).unwrap_or_else(|| "demo/atl08.isdb".to_owned());
    let database = Database::open(&uri).await?;
    // Profiles such as canopy_h_metrics become columns of polars' type Array.
    let frame =
        database.polars("SELECT time, beam, canopy_h, canopy_h_metrics FROM atl08 ORDER BY time LIMIT 1000").await?;
    let names: Vec<&str> = frame.get_column_names().into_iter().map(|name| name.as_str()).collect();
    println!("{} rows, columns {}", frame.height(), names.join(", "));
    // With the feature `fmt` of polars the program can print the frame itself.
    Ok(())
}
