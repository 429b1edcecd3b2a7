//! How a database is cited: NASA's data sets with their DOIs, what of them it holds, what was done to them, and the state that
//! `--at` reads again.

use std::fmt::{self, Display, Formatter};

use isdb_ingest::{LedgerSummary, NamedExpression, ReleaseSummary};
use isdb_region::Region;
use isdb_store::{Database, Snapshot, area_name};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::instant::{instant, instant_of_commit};

const AUTHORS: &str = "Neuenschwander, A. L., et al.";
const TITLE: &str = "ATLAS/ICESat-2 L3A Land and Vegetation Height";
const PUBLISHER: &str = "NASA National Snow and Ice Data Center Distributed Active Archive Center";
/// The DOI of the product; that of a release is this and the release behind a dot.
const DOI: &str = "10.5067/ATLAS/ATL08";
/// The releases that have one.
const RELEASES: [&str; 4] = ["004", "005", "006", "007"];

/// What one state of a database is made of.
pub(crate) struct Citation {
    releases: Vec<ReleaseSummary>,
    filters: Vec<NamedExpression>,
    other_filters: Vec<String>,
    derived: Vec<NamedExpression>,
    region: Option<Region>,
    /// The areas of granules that were ingested for another one than the region, with their number.
    other_areas: Vec<(Option<String>, usize)>,
    written_by: Option<String>,
    commit: u64,
    at: u64,
}

impl Citation {
    /// That of the state `snapshot` of `database`.
    pub(crate) async fn of(database: &Database, snapshot: &Snapshot) -> Result<Citation, Failure> {
        let ledger = snapshot.ledger().await?;
        let design = database.design(snapshot).await?;
        let summary = LedgerSummary::new(&ledger, &design.filters, design.region.as_ref());
        Ok(Citation {
            releases: summary.releases,
            filters: NamedExpression::from_filters(&design.filters),
            other_filters: summary.other_filters.into_keys().collect(),
            derived: NamedExpression::from_derived(&design.derived),
            region: design.region,
            other_areas: summary.other_areas.into_iter().collect(),
            written_by: database.created_by().await?,
            commit: snapshot.commit().number,
            at: snapshot.commit().timestamp,
        })
    }

    /// The same for programs.
    pub(crate) fn json(&self) -> Value {
        let releases: Vec<Value> = self.releases.iter().map(release_json).collect();
        json!({
            "releases": releases,
            "granules": self.granules(),
            "period": self.period().map(|(first, last)| [instant(first), instant(last)]),
            "filters": self.filters,
            "other_filters": self.other_filters,
            "derived": self.derived,
            "region": self.region(),
            "region_geojson": self.region.as_ref().map(Region::to_geojson),
            "other_regions": self.other_areas.iter().map(other_json).collect::<Vec<_>>(),
            "written_by": self.written_by,
            "read_by": env!("CARGO_PKG_VERSION"),
            "commit": self.commit,
            "at": self.at,
            "at_utc": instant_of_commit(self.at),
        })
    }

    /// The region of the database as `W,S,E,N` or GeoJSON, whatever its length; None for whole granules.
    pub(crate) fn region(&self) -> Option<String> {
        self.region.as_ref().map(Region::to_text)
    }

    fn granules(&self) -> usize {
        self.releases.iter().map(|held| held.granules).sum()
    }

    /// The start of the first granule and of the last.
    fn period(&self) -> Option<(i64, i64)> {
        let starts = || self.releases.iter().filter_map(|held| held.period);
        starts().map(|(first, _)| first).min().zip(starts().map(|(_, last)| last).max())
    }
}

fn other_json((area, granules): &(Option<String>, usize)) -> Value {
    json!({ "region": area, "granules": granules })
}

/// A region in a line: its text, or what it is and the file in the database's folder that holds it.
pub(crate) fn region_told(region: Option<&Region>) -> String {
    let Some(region) = region else { return area_told(None) };
    let (text, summary) = (region.to_text(), region.summary());
    let area = area_name(&text);
    if area == text { text } else { format!("{summary}; GeoJSON in {area}") }
}

/// An area of the ledger in words.
pub(crate) fn area_told(area: Option<&str>) -> String {
    area.unwrap_or("whole granules").to_owned()
}

fn release_json(held: &ReleaseSummary) -> Value {
    json!({
        "release": held.release,
        "doi": doi(held),
        "authors": AUTHORS,
        "title": title(held),
        "publisher": PUBLISHER,
        "granules": held.granules,
        "revisions": held.revisions,
    })
}

/// The DOI of a release; of the product where the release is not known, or has none of its own.
fn doi(held: &ReleaseSummary) -> String {
    match held.release.as_deref().filter(|release| RELEASES.contains(release)) {
        Some(release) => format!("{DOI}.{release}"),
        None => DOI.to_owned(),
    }
}

fn title(held: &ReleaseSummary) -> String {
    match &held.release {
        Some(release) => format!("{TITLE}, Version {}", release.trim_start_matches('0')),
        None => TITLE.to_owned(),
    }
}

impl Display for Citation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for held in &self.releases {
            writeln!(f, "{AUTHORS} {}. {PUBLISHER}. https://doi.org/{}", title(held), doi(held))?;
            let revisions: Vec<&str> = held.revisions.iter().map(String::as_str).collect();
            let revisions = if revisions.is_empty() { "unknown".to_owned() } else { revisions.join(", ") };
            writeln!(f, "  granules: {}; revisions: {revisions}", held.granules)?;
        }
        if self.releases.is_empty() {
            writeln!(f, "granules: none")?;
        }
        if let Some((first, last)) = self.period() {
            writeln!(f, "granules from {} to {}", instant(first), instant(last))?;
        }
        writeln!(f, "filters: {}", told(&self.filters))?;
        for filters in &self.other_filters {
            writeln!(f, "  some granules: {filters}")?;
        }
        writeln!(f, "region: {}", region_told(self.region.as_ref()))?;
        for (area, granules) in &self.other_areas {
            writeln!(f, "  {granules} granules: {}", area_told(area.as_deref()))?;
        }
        writeln!(f, "derived columns: {}", told(&self.derived))?;
        let written_by = self.written_by.as_deref().unwrap_or("unknown");
        writeln!(f, "written by isdb {written_by}, read by isdb {}", env!("CARGO_PKG_VERSION"))?;
        write!(f, "state: --at {} ({}), commit {}", self.at, instant_of_commit(self.at), self.commit)
    }
}

fn told(named: &[NamedExpression]) -> String {
    if named.is_empty() {
        return "none".to_owned();
    }
    let told: Vec<String> =
        named.iter().map(|NamedExpression { name, sql }| format!("{name} ({})", one_line(sql))).collect();
    told.join("; ")
}

/// SQL of a file, without its line breaks.
fn one_line(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(release: Option<&str>) -> ReleaseSummary {
        ReleaseSummary {
            release: release.map(str::to_owned),
            granules: 1,
            revisions: ["01".to_owned()].into(),
            period: None,
        }
    }

    #[test]
    fn a_release_is_cited_by_its_own_doi_and_a_foreign_one_by_that_of_the_product() {
        assert_eq!(doi(&held(Some("007"))), "10.5067/ATLAS/ATL08.007");
        assert_eq!(title(&held(Some("004"))), "ATLAS/ICESat-2 L3A Land and Vegetation Height, Version 4");
        assert_eq!(doi(&held(Some("001"))), "10.5067/ATLAS/ATL08");
        assert_eq!(doi(&held(None)), "10.5067/ATLAS/ATL08");
    }
}
