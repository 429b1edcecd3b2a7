//! Ingests local granules into a database and reports progress.
//!
//! ```text
//! cargo run --example ingest -- my.isdb demo/granules
//! ```

use std::error::Error;

use isdb::{Config, Database, IngestProgress, IngestReport, Location, OutcomeKind, Source, ingest, ingest_request};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(uri), Some(granules)) = (arguments.next(), arguments.next()) else {
        return Err("usage: ingest DATABASE FOLDER".into());
    };

    // The shipped config stores all variables. Fields of the request that it does not set can be changed, such as `period`.
    let source = Source::Files(vec![granules.into()]);
    let request = ingest_request(Location::parse(&uri)?, source, &Config::shipped()?);

    // The report is filled while the ingest runs, so that it is available even if the ingest ends with an error.
    let mut report = IngestReport::default();
    ingest(&request, &mut report, |progress| match progress {
        IngestProgress::Found { new, skipped, .. } => eprintln!("{new} granules to ingest, {skipped} skipped"),
        IngestProgress::Committed { granules, of, rows, .. } => eprintln!("{granules} of {of} granules, {rows} rows"),
        _ => {}
    })
    .await?;
    for granule in report.granules.iter().filter(|granule| granule.state == OutcomeKind::Failed) {
        eprintln!("failed: {}", granule.error.as_deref().unwrap_or(&granule.path));
    }

    let info = Database::open(&uri).await?.info().await?;
    println!("{} segments in {} fragments", info.segments, info.fragments);
    Ok(())
}
