//! The parts of a UMM-G item that matter here, each of which may be absent. Where the forms of other tools' records differ
//! from NSIDC's, both are understood.

use chrono::{DateTime, Utc};
use isdb_schema::granule_name::GranuleName;
use serde::Deserialize;
use serde_json::Value;

use crate::item::{Checksum, FoundGranule, Unusable};

/// An element of `items`.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Item {
    /// In the form of UMM-G.
    Granule(Box<Granule>),
    /// In another one.
    Other(Value),
}

#[derive(Deserialize)]
pub(crate) struct Granule {
    meta: Meta,
    umm: Umm,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Meta {
    concept_id: String,
    revision_id: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Umm {
    temporal_extent: Option<TemporalExtent>,
    data_granule: Option<DataGranule>,
    #[serde(default)]
    related_urls: Vec<RelatedUrl>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TemporalExtent {
    range_date_time: Option<RangeDateTime>,
    single_date_time: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RangeDateTime {
    beginning_date_time: Option<String>,
    ending_date_time: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct DataGranule {
    identifiers: Vec<Identifier>,
    archive_and_distribution_information: Vec<ArchivedFile>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Identifier {
    identifier: String,
    identifier_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ArchivedFile {
    name: Option<String>,
    size: Option<f64>,
    size_unit: Option<String>,
    size_in_bytes: Option<f64>,
    checksum: Option<UmmChecksum>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct UmmChecksum {
    value: String,
    algorithm: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RelatedUrl {
    #[serde(rename = "URL")]
    url: String,
    #[serde(rename = "Type")]
    kind: String,
}

impl Item {
    /// What tells this description from others.
    pub(crate) fn concept_id(&self) -> Option<&str> {
        match self {
            Item::Granule(granule) => Some(&granule.meta.concept_id),
            Item::Other(value) => value.pointer("/meta/concept-id").and_then(Value::as_str),
        }
    }

    /// The granule that is described.
    ///
    /// # Errors
    /// What cannot be told from other granules is [`Unusable`]; whatever else is absent is None.
    pub(crate) fn granule(self) -> Result<FoundGranule, Unusable> {
        let concept_id = self.concept_id().map(str::to_owned);
        match self {
            Item::Granule(granule) => granule.found(),
            Item::Other(_) => Err("its description has an unknown form".to_owned()),
        }
        .map_err(|reason| Unusable { concept_id, reason })
    }
}

impl Granule {
    fn found(self) -> Result<FoundGranule, String> {
        let Granule { meta, umm } = self;
        let https = place(&umm.related_urls, "GET DATA", &["https://", "http://"]);
        let s3 = place(&umm.related_urls, "GET DATA VIA DIRECT ACCESS", &["s3://"]);
        let data = umm.data_granule.unwrap_or_default();
        let producers = data.identifiers.iter().filter(|identifier| identifier.identifier_type == "ProducerGranuleId");
        let producers = producers.map(|identifier| identifier.identifier.as_str());
        let name = name(producers.chain([https, s3].into_iter().flatten().map(without_query)))?;
        let file = archived(&data.archive_and_distribution_information, &name.to_string());
        let (start, end) = umm.temporal_extent.map_or((None, None), TemporalExtent::bounds);
        Ok(FoundGranule {
            name,
            concept_id: meta.concept_id,
            revision_id: meta.revision_id,
            start: start.or_else(|| DateTime::from_timestamp(name.start, 0)).unwrap_or_default(),
            end,
            bytes: file.and_then(ArchivedFile::bytes),
            has_exact_size: file.is_some_and(|file| file.size_in_bytes.and_then(whole).is_some()),
            checksum: file.and_then(ArchivedFile::checksum),
            https: https.map(str::to_owned),
            s3: s3.map(str::to_owned),
        })
    }
}

/// The first of the texts that names a granule.
fn name<'a>(mut candidates: impl Iterator<Item = &'a str>) -> Result<GranuleName, String> {
    let Some(first) = candidates.next() else {
        return Err("it names no file".to_owned());
    };
    let told = match first.parse() {
        Ok(name) => return Ok(name),
        Err(error) => Err(format!("{error}")),
    };
    candidates.find_map(|text| text.parse().ok()).map_or(told, Ok)
}

/// The first link of this kind to a granule's file; the scheme that is named first is preferred.
fn place<'a>(links: &'a [RelatedUrl], kind: &str, schemes: &[&str]) -> Option<&'a str> {
    let fits = |link: &&RelatedUrl, scheme: &str| {
        link.kind == kind && link.url.starts_with(scheme) && without_query(&link.url).ends_with(".h5")
    };
    schemes.iter().find_map(|scheme| links.iter().find(|link| fits(link, scheme))).map(|link| link.url.as_str())
}

fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

/// What the names of other files that belong to a granule end in.
const OTHER_FILES: [&str; 9] = [".h5", ".xml", ".json", ".dmrpp", ".png", ".jpg", ".txt", ".md5", ".zip"];

/// The entry of the granule's own file: by its name, or the only one, if that is not named for another file. NSIDC gives no
/// names, or the id of a record.
fn archived<'a>(files: &'a [ArchivedFile], file_name: &str) -> Option<&'a ArchivedFile> {
    let is_for_another = |file: &ArchivedFile| {
        let name = file.name.as_deref().unwrap_or_default().to_ascii_lowercase();
        OTHER_FILES.iter().any(|ending| name.ends_with(ending))
    };
    files.iter().find(|file| file.name.as_deref() == Some(file_name)).or(match files {
        [only] if !is_for_another(only) => Some(only),
        _ => None,
    })
}

impl ArchivedFile {
    /// In NASA's records a megabyte is 1024², and NSIDC's unit `NA` is a megabyte: the sizes of real granules are whole numbers
    /// of bytes only so.
    fn bytes(&self) -> Option<u64> {
        let power = match self.size_unit.as_deref() {
            Some("B") => 0,
            Some("KB") => 1,
            None | Some("MB" | "NA") => 2,
            Some("GB") => 3,
            Some("TB") => 4,
            Some(_) => return self.size_in_bytes.and_then(whole),
        };
        self.size_in_bytes.and_then(whole).or_else(|| whole(self.size? * 1024_f64.powi(power)))
    }

    fn checksum(&self) -> Option<Checksum> {
        let UmmChecksum { algorithm, value } = self.checksum.as_ref()?;
        let is_whole = !algorithm.is_empty() && !value.is_empty();
        is_whole.then(|| Checksum { algorithm: algorithm.clone(), value: value.clone() })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes are far below 2^53, and it saturates"
)]
fn whole(bytes: f64) -> Option<u64> {
    (bytes.is_finite() && bytes > 0.0).then(|| bytes.round() as u64)
}

impl TemporalExtent {
    fn bounds(self) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
        match self.range_date_time {
            Some(range) => (instant(range.beginning_date_time), instant(range.ending_date_time)),
            None => (instant(self.single_date_time), None),
        }
    }
}

fn instant(text: Option<String>) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(&text?).ok().map(|instant| instant.to_utc())
}
