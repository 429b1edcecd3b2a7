//! `isdb info`: what the database holds, how other TileDB programs open the same state, and how it is cited.

use std::collections::BTreeSet;

use arrow::util::display::{ArrayFormatter, FormatOptions};
use isdb_ingest::LedgerSummary;
use isdb_query::ViewOptions;
use isdb_schema::filters::describe;
use isdb_store::{Database, Id, LedgerRow};

use crate::citation::{self, Citation};
use crate::cli::{Form, Info};
use crate::failure::{Failure, SUCCESS};
use crate::instant::instant_of_commit;
use crate::output;
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
            Form::Text => output::print(&format!("{citation}\n"))?,
            Form::Json => output::print(&format!("{:#}\n", citation.json()))?,
        }
        return Ok(SUCCESS);
    }
    let ledger = snapshot.ledger().await?;
    let context = isdb_query::session(&isdb_query::SessionOptions::default())?;
    isdb_query::register(&context, &snapshot, &ViewOptions::default()).await?;
    let summary = context.sql(SUMMARY).await?.collect().await?;

    let mut lines: Vec<String> = Vec::new();
    let commit = snapshot.commit();
    lines.push(format!("database   {}", settings.location.uri()));
    lines.push(format!(
        "state      commit {} at {} ({})",
        commit.number,
        commit.timestamp,
        instant_of_commit(commit.timestamp)
    ));
    let design = database.design(&snapshot).await?;
    let totals = LedgerSummary::new(&ledger, &design.filters, design.region.as_ref());
    lines.push(format!("granules   {}", granules(&totals, &ledger)));
    let releases = isdb_query::mixed_releases(&context).await?;
    if !releases.is_empty() {
        lines.push(format!("           more than one release: {}", releases_told(&releases)));
    }
    for batch in &summary {
        let options = FormatOptions::default().with_null("-");
        let columns = batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options));
        let shown: Vec<ArrayFormatter<'_>> = columns.collect::<Result<_, _>>()?;
        if let [rows, south, north, west, east, first, last] = shown.as_slice() {
            lines.push(format!("segments   {} in {} fragments", rows.value(0), commit.segments.live));
            lines.push(format!("latitude   {} to {}", south.value(0), north.value(0)));
            lines.push(format!("longitude  {} to {}", west.value(0), east.value(0)));
            lines.push(format!("time       {} to {}", first.value(0), last.value(0)));
        }
    }
    lines.push(format!("variables  {}", design.variables.len()));
    if !design.derived.is_empty() {
        let names: Vec<&str> = design.derived.iter().map(|field| field.name().as_str()).collect();
        lines.push(format!("derived    {}", names.join(", ")));
    }
    lines.push(format!("filters    {}", describe(&design.filters)));
    for (filters, granules) in &totals.other_filters {
        lines.push(format!("           {granules} granules were ingested with: {filters}"));
    }
    lines.push(format!("region     {}", citation::region_told(design.region.as_ref())));
    for (area, granules) in &totals.other_areas {
        lines.push(format!(
            "           {granules} granules were ingested for: {}",
            citation::area_told(area.as_deref())
        ));
    }
    lines.push(format!("TileDB-Py  tiledb.open(\"{}\", timestamp={})", settings.location.segments(), commit.timestamp));
    if snapshot.visible_segments().is_some() {
        let note =
            "           shows rows, too, that were replaced or removed or that no commit records; isdb leaves them out";
        lines.push(note.to_owned());
    }
    output::print(&(lines.join("\n") + "\n"))?;
    Ok(SUCCESS)
}

/// Counts by state, and the releases of what was neither replaced nor removed.
fn granules(summary: &LedgerSummary, ledger: &[LedgerRow]) -> String {
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
