//! Joins segments with a Parquet file of plots, in a DataFusion session that belongs to the program.
//!
//! ```text
//! cargo run --example custom_session -- demo/atl08.isdb [plots.parquet]
//! ```
//!
//! Without a file the program writes one: a plot for each tenth of a degree that has segments.

use std::error::Error;

use isdb::Database;
use isdb::datafusion::dataframe::DataFrameWriteOptions;
use isdb::datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};

const PLOTS: &str = "SELECT round(latitude, 1) AS latitude, round(longitude, 1) AS longitude, count(*) AS segments \
                     FROM atl08 GROUP BY 1, 2";
const JOIN: &str = "SELECT p.latitude, p.longitude, count(*) AS segments, round(max(s.canopy_h), 2) AS tallest \
                    FROM plots p JOIN isdb.public.atl08 s \
                    ON s.latitude BETWEEN p.latitude - 0.05 AND p.latitude + 0.05 \
                    AND s.longitude BETWEEN p.longitude - 0.05 AND p.longitude + 0.05 \
                    GROUP BY p.latitude, p.longitude ORDER BY segments DESC, p.latitude, p.longitude LIMIT 10";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let uri = arguments.next().unwrap_or_else(|| "demo/atl08.isdb".to_owned());
    let database = Database::open(&uri).await?;
    let plots = match arguments.next() {
        Some(path) => path,
        None => {
            let path = std::env::temp_dir().join(format!("plots-{}.parquet", std::process::id()));
            let path = path.to_string_lossy().into_owned();
            database.sql(PLOTS).await?.write_parquet(&path, DataFrameWriteOptions::new(), None).await?;
            path
        }
    };

    // The session is the program's: with its own settings, tables and functions. The database is one catalog in it.
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(2));
    context.register_catalog("isdb", database.catalog());
    context.register_parquet("plots", &plots, ParquetReadOptions::default()).await?;
    context.sql(JOIN).await?.show().await?;
    Ok(())
}
