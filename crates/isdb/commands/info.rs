//! `isdb info`: what the database holds, and how other TileDB programs open the same state.

use std::collections::BTreeSet;

use arrow::array::TimestampNanosecondArray;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use isdb_schema::ledger::GranuleState;
use isdb_store::{Database, LedgerRow, Snapshot};
use tiledb::{Fragment, Literal};

use crate::failure::{Failure, SUCCESS};
use crate::settings::Settings;

pub(crate) async fn run(settings: Settings) -> Result<u8, Failure> {
    let database = Database::open(&settings.location).await?;
    let snapshot = database.snapshot().await?;
    let ledger = snapshot.ledger().await?;
    let segments = snapshot.segments().clone();
    let fragments = tokio::task::spawn_blocking(move || segments.fragments()).await;
    let fragments = fragments.map_err(|stopped| Failure::Runtime(stopped.into()))?.map_err(isdb_store::Error::from)?;

    let commit = snapshot.commit();
    println!("database   {}", settings.location.uri());
    println!(
        "state      commit {} at {} ({})",
        commit.number,
        commit.timestamp,
        instant(commit.timestamp.cast_signed() * 1_000_000)
    );
    println!("granules   {}", granules(&ledger));
    let (rows, bytes) = fragments.iter().fold((0, 0), |(rows, bytes), f| (rows + f.cells, bytes + f.bytes));
    println!("segments   {rows} in {} fragments, {:.1} MB", fragments.len(), bytes as f64 / 1e6);
    for line in extents(&fragments, &snapshot) {
        println!("{line}");
    }
    println!("variables  {}", isdb_store::stored_variables(&snapshot).len());
    println!("TileDB-Py  tiledb.open(\"{}\", timestamp={})", settings.location.segments(), commit.timestamp);
    if snapshot.visible_segments().is_some() {
        println!("           rows of an interrupted ingest are still stored; the next ingest removes them");
    }
    Ok(SUCCESS)
}

/// Counts by state, each granule once and by its newest attempt, and the releases seen.
fn granules(ledger: &[LedgerRow]) -> String {
    let newest: std::collections::BTreeMap<&str, &LedgerRow> =
        ledger.iter().map(|row| (row.granule.as_str(), row)).collect();
    let count = |state: GranuleState| newest.values().filter(|row| row.state == state).count();
    let states = [GranuleState::Ingested, GranuleState::Empty, GranuleState::Failed];
    let counts: Vec<String> = states
        .iter()
        .filter(|state| count(**state) > 0)
        .map(|state| format!("{} {}", count(*state), state.as_str()))
        .collect();
    let releases: BTreeSet<&str> = newest.values().filter_map(|row| row.release.as_deref()).collect();
    let releases: Vec<&str> = releases.into_iter().collect();
    match (counts.is_empty(), releases.is_empty()) {
        (true, _) => "none".to_owned(),
        (false, true) => counts.join(", "),
        (false, false) => format!("{}; release {}", counts.join(", "), releases.join(", ")),
    }
}

/// A line per dimension with its smallest and largest value.
fn extents(fragments: &[Fragment], snapshot: &Snapshot) -> Vec<String> {
    let names = snapshot.segments().layout().dimensions.iter().map(|dimension| dimension.name.as_str());
    names
        .enumerate()
        .filter_map(|(index, name)| {
            let bounds = || fragments.iter().filter_map(|fragment| fragment.domain.get(index));
            let low = bounds().map(|(low, _)| low).min_by(|a, b| order(a, b))?;
            let high = bounds().map(|(_, high)| high).max_by(|a, b| order(a, b))?;
            Some(format!("{name:<10} {} to {}", shown(low), shown(high)))
        })
        .collect()
}

fn order(a: &Literal, b: &Literal) -> std::cmp::Ordering {
    match (a, b) {
        (Literal::Float(a), Literal::Float(b)) => a.total_cmp(b),
        (Literal::TimestampNs(a), Literal::TimestampNs(b)) | (Literal::Int(a), Literal::Int(b)) => a.cmp(b),
        _ => std::cmp::Ordering::Equal,
    }
}

fn shown(value: &Literal) -> String {
    match value {
        Literal::Float(value) => format!("{value:.4}"),
        Literal::Int(value) => value.to_string(),
        Literal::UInt(value) => value.to_string(),
        Literal::TimestampNs(value) => instant(*value),
        Literal::Text(value) => value.clone(),
    }
}

/// An instant in nanoseconds since 1970 as ISO 8601.
fn instant(nanoseconds: i64) -> String {
    let array = TimestampNanosecondArray::from(vec![nanoseconds]).with_timezone("UTC");
    ArrayFormatter::try_new(&array, &FormatOptions::default())
        .map_or_else(|_| nanoseconds.to_string(), |formatter| formatter.value(0).to_string())
}
