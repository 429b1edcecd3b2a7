//! `isdb info`: what the database holds, how other TileDB programs open the same state, and how it is cited.

use std::collections::BTreeSet;

use arrow::util::display::{ArrayFormatter, FormatOptions};
use isdb_datafusion::ViewOptions;
use isdb_ingest::Summary;
use isdb_schema::filters::told;
use isdb_store::{Database, Id, LedgerRow};

use crate::citation::Citation;
use crate::cli::{Form, Info};
use crate::failure::{Failure, SUCCESS};
use crate::instant::instant_of_commit;
use crate::session::releases_told;
use crate::settings::Settings;

const SUMMARY: &str = "SELECT count(*), round(min(latitude), 4), round(max(latitude), 4), round(min(longitude), 4), \
                       round(max(longitude), 4), min(time), max(time) FROM segments";

pub(crate) async fn run(arguments: Info, settings: Settings) -> Result<u8, Failure> {
    let database = Database::open(&settings.location).await?;
    let snapshot = database.snapshot().await?;
    if arguments.cite {
        let citation = Citation::of(&database, &snapshot).await?;
        match arguments.format {
            Form::Text => println!("{citation}"),
            Form::Json => println!("{:#}", citation.json()),
        }
        return Ok(SUCCESS);
    }
    let ledger = snapshot.ledger().await?;
    let context = isdb_datafusion::session(None);
    isdb_datafusion::register(&context, &snapshot, &ViewOptions::default()).await?;
    let summary = context.sql(SUMMARY).await?.collect().await?;

    let commit = snapshot.commit();
    println!("database   {}", settings.location.uri());
    println!("state      commit {} at {} ({})", commit.number, commit.timestamp, instant_of_commit(commit.timestamp));
    let design = database.design(&snapshot).await?;
    let totals = Summary::of(&ledger, &design.filters);
    println!("granules   {}", granules(&totals, &ledger));
    let releases = isdb_datafusion::coexisting_releases(&context).await?;
    if !releases.is_empty() {
        println!("           more than one release: {}", releases_told(&releases));
    }
    for batch in &summary {
        let options = FormatOptions::default().with_null("-");
        let columns = batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options));
        let shown: Vec<ArrayFormatter<'_>> = columns.collect::<Result<_, _>>()?;
        if let [rows, south, north, west, east, first, last] = shown.as_slice() {
            println!("segments   {} in {} fragments", rows.value(0), commit.segments.live);
            println!("latitude   {} to {}", south.value(0), north.value(0));
            println!("longitude  {} to {}", west.value(0), east.value(0));
            println!("time       {} to {}", first.value(0), last.value(0));
        }
    }
    println!("variables  {}", design.variables.len());
    if !design.derived.is_empty() {
        let names: Vec<&str> = design.derived.iter().map(|field| field.name().as_str()).collect();
        println!("derived    {}", names.join(", "));
    }
    println!("filters    {}", told(&design.filters));
    for (filters, granules) in &totals.other_filters {
        println!("           {granules} granules were ingested with: {filters}");
    }
    println!("TileDB-Py  tiledb.open(\"{}\", timestamp={})", settings.location.segments(), commit.timestamp);
    if snapshot.visible_segments().is_some() {
        println!(
            "           shows rows, too, that were replaced or removed or that no commit records; isdb leaves them out"
        );
    }
    Ok(SUCCESS)
}

/// Counts by state, and the releases of what was neither replaced nor removed.
fn granules(summary: &Summary, ledger: &[LedgerRow]) -> String {
    let counted = summary.granules.iter().filter(|(_, count)| *count > 0);
    let counts: Vec<String> = counted.map(|(state, count)| format!("{count} {}", state.as_str())).collect();
    let replaced: BTreeSet<Id> = ledger.iter().flat_map(|row| row.replaces.iter().copied()).collect();
    let standing = ledger.iter().filter(|row| row.state.is_done() && !replaced.contains(&row.ingest_id));
    let releases: BTreeSet<&str> = standing.filter_map(|row| row.release.as_deref()).collect();
    let releases: Vec<&str> = releases.into_iter().collect();
    match (counts.is_empty(), releases.is_empty()) {
        (true, _) => "none".to_owned(),
        (false, true) => counts.join(", "),
        (false, false) => format!("{}; release {}", counts.join(", "), releases.join(", ")),
    }
}
