//! The citation of a database: NASA's data sets with their DOIs and granules, the filters and derived columns, the timestamp or tag
//! with which [`DatabaseBuilder::at`](crate::DatabaseBuilder::at) opens the same state again, and how long it does.

use std::fmt::{self, Display, Formatter};

use isdb_region::Region;
use isdb_schema::config::Config;
use isdb_store::{Retention, area_name};
use serde_json::{Value, json};

use crate::library::database::Database;
use crate::library::error::Result;
use crate::library::ingest_types::{LedgerSummary, NamedExpression, ReleaseSummary};
use crate::library::time::{format_milliseconds, format_nanoseconds, now_ms};

const AUTHORS: &str = "Neuenschwander, A. L., et al.";
const TITLE: &str = "ATLAS/ICESat-2 L3A Land and Vegetation Height";
const PUBLISHER: &str = "NASA National Snow and Ice Data Center Distributed Active Archive Center";
/// The DOI of the product. The DOI of a release appends a dot and the release.
const DOI: &str = "10.5067/ATLAS/ATL08";
/// The releases that have a DOI.
const RELEASES: [&str; 4] = ["004", "005", "006", "007"];
const MINUTE_MS: u64 = 60_000;

/// The citation of one state of a database: text by [`Display`], for programs by [`to_json`](Self::to_json).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Citation {
    releases: Vec<ReleaseSummary>,
    filters: Vec<NamedExpression>,
    other_filters: Vec<String>,
    derived: Vec<NamedExpression>,
    region: Option<Region>,
    /// The number of granules that were ingested for another area than the region, by the area's name.
    other_areas: Vec<(Option<String>, usize)>,
    written_by: Option<String>,
    commit: u64,
    at: u64,
    /// The tags that keep the state.
    tags: Vec<String>,
    /// The time until which vacuums with the default period keep the state, in milliseconds since 1970; None with tags, and if the
    /// next vacuum may remove it.
    kept_until: Option<u64>,
}

impl Database {
    /// Returns the citation of this state, with the tags that keep it now, or the time until which it is kept at least.
    ///
    /// # Errors
    /// When the ledger or the design of the database cannot be read.
    pub async fn cite(&self) -> Result<Citation> {
        let snapshot = self.snapshot();
        let ledger = snapshot.ledger().await?;
        let design = self.handle().design(snapshot).await?;
        let summary = LedgerSummary::new(&ledger, &design.filters, design.region.as_ref());
        let (tags, kept_until) = self.kept().await?;
        Ok(Citation {
            releases: summary.releases,
            filters: NamedExpression::from_filters(&design.filters),
            other_filters: summary.other_filters.into_keys().collect(),
            derived: NamedExpression::from_derived(&design.derived),
            region: design.region,
            other_areas: summary.other_areas.into_iter().collect(),
            written_by: self.handle().created_by().await?,
            commit: self.commit(),
            at: self.timestamp(),
            tags,
            kept_until,
        })
    }

    /// Returns the tags that keep this state, or the time until which it is kept, in whole minutes.
    async fn kept(&self) -> Result<(Vec<String>, Option<u64>)> {
        let (now, older_than_ms) = (now_ms(), Config::shipped()?.consolidate.keep_ms);
        Ok(match self.snapshot().retention(now, older_than_ms).await? {
            Retention::Tags(names) => (names, None),
            Retention::Until(time) => (Vec::new(), (time > now).then_some(time - time % MINUTE_MS)),
        })
    }
}

impl Citation {
    /// Returns the citation as a JSON object, with the same keys in every version.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let releases: Vec<Value> = self.releases.iter().map(release_json).collect();
        json!({
            "releases": releases,
            "granules": self.granules(),
            "period": self.period().map(|(first, last)| [format_nanoseconds(first), format_nanoseconds(last)]),
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
            "at_utc": format_milliseconds(self.at),
            "tags": self.tags,
            "kept_until": self.kept_until.map(format_milliseconds),
        })
    }

    /// Returns the region of the database as `W,S,E,N` or GeoJSON, of any length; None for whole granules.
    #[must_use]
    pub fn region(&self) -> Option<String> {
        self.region.as_ref().map(Region::to_text)
    }

    /// Returns the tags that keep the state.
    #[must_use]
    pub fn tags(&self) -> &[String] {
        &self.tags
    }

    fn granules(&self) -> usize {
        self.releases.iter().map(|release| release.granules).sum()
    }

    /// Returns the start of the first granule and of the last.
    fn period(&self) -> Option<(i64, i64)> {
        let starts = || self.releases.iter().filter_map(|release| release.period);
        starts().map(|(first, _)| first).min().zip(starts().map(|(_, last)| last).max())
    }
}

fn other_json((area, granules): &(Option<String>, usize)) -> Value {
    json!({ "region": area, "granules": granules })
}

/// Describes a region in one line: its text, or, for a long one, its summary and the file in the database's folder that holds it.
#[must_use]
pub fn describe_region(region: Option<&Region>) -> String {
    let Some(region) = region else { return describe_area(None) };
    let (text, summary) = (region.to_text(), region.summary());
    let area = area_name(&text);
    if area == text { text } else { format!("{summary}; GeoJSON in {area}") }
}

/// Describes an area of the ledger.
#[must_use]
pub fn describe_area(area: Option<&str>) -> String {
    area.unwrap_or("whole granules").to_owned()
}

fn release_json(release: &ReleaseSummary) -> Value {
    json!({
        "release": release.release,
        "doi": doi(release),
        "authors": AUTHORS,
        "title": title(release),
        "publisher": PUBLISHER,
        "granules": release.granules,
        "revisions": release.revisions,
    })
}

/// Returns the DOI of a release; if the release is unknown or has no DOI, the DOI of the product.
fn doi(summary: &ReleaseSummary) -> String {
    match summary.release.as_deref().filter(|release| RELEASES.contains(release)) {
        Some(release) => format!("{DOI}.{release}"),
        None => DOI.to_owned(),
    }
}

fn title(summary: &ReleaseSummary) -> String {
    match &summary.release {
        Some(release) => format!("{TITLE}, Version {}", release.trim_start_matches('0')),
        None => TITLE.to_owned(),
    }
}

impl Display for Citation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for release in &self.releases {
            writeln!(f, "{AUTHORS} {}. {PUBLISHER}. https://doi.org/{}", title(release), doi(release))?;
            let revisions: Vec<&str> = release.revisions.iter().map(String::as_str).collect();
            let revisions = if revisions.is_empty() { "unknown".to_owned() } else { revisions.join(", ") };
            writeln!(f, "  granules: {}; revisions: {revisions}", release.granules)?;
        }
        if self.releases.is_empty() {
            writeln!(f, "granules: none")?;
        }
        if let Some((first, last)) = self.period() {
            writeln!(f, "granules from {} to {}", format_nanoseconds(first), format_nanoseconds(last))?;
        }
        writeln!(f, "filters: {}", describe_sql(&self.filters))?;
        for filters in &self.other_filters {
            writeln!(f, "  some granules: {filters}")?;
        }
        writeln!(f, "region: {}", describe_region(self.region.as_ref()))?;
        for (area, granules) in &self.other_areas {
            writeln!(f, "  {granules} granules: {}", describe_area(area.as_deref()))?;
        }
        writeln!(f, "derived columns: {}", describe_sql(&self.derived))?;
        let written_by = self.written_by.as_deref().unwrap_or("unknown");
        writeln!(f, "written by isdb {written_by}, read by isdb {}", env!("CARGO_PKG_VERSION"))?;
        writeln!(f, "state: --at {} ({}), commit {}", self.at, format_milliseconds(self.at), self.commit)?;
        match (self.tags.as_slice(), self.kept_until) {
            ([tag], _) => write!(f, "kept by the tag {tag}: --at {tag}"),
            ([first, ..], _) => write!(f, "kept by the tags {}: --at {first}", self.tags.join(", ")),
            ([], Some(time)) => write!(
                f,
                "kept until at least {}, unless a vacuum keeps less than a day; `isdb tag NAME --at {}` keeps it for good",
                format_milliseconds(time),
                self.at
            ),
            ([], None) => write!(f, "the next vacuum may remove it; `isdb tag NAME --at {}` keeps it", self.at),
        }
    }
}

fn describe_sql(named: &[NamedExpression]) -> String {
    if named.is_empty() {
        return "none".to_owned();
    }
    let described = named.iter().map(|NamedExpression { name, sql }| format!("{name} ({})", one_line(sql)));
    described.collect::<Vec<_>>().join("; ")
}

/// Returns SQL without its line breaks.
fn one_line(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(release: Option<&str>) -> ReleaseSummary {
        ReleaseSummary {
            release: release.map(str::to_owned),
            granules: 1,
            revisions: ["01".to_owned()].into(),
            period: None,
        }
    }

    #[test]
    fn a_release_without_a_doi_is_cited_by_the_doi_of_the_product() {
        assert_eq!(doi(&summary(Some("007"))), "10.5067/ATLAS/ATL08.007");
        assert_eq!(title(&summary(Some("004"))), "ATLAS/ICESat-2 L3A Land and Vegetation Height, Version 4");
        assert_eq!(doi(&summary(Some("001"))), "10.5067/ATLAS/ATL08");
        assert_eq!(doi(&summary(None)), "10.5067/ATLAS/ATL08");
    }
}
