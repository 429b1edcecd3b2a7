//! Parser of granule records in UMM-G, NASA's Unified Metadata Model. Any field may be missing, null or of an unexpected type,
//! and numbers may be text: only a record without a granule name or an id is unusable. Records of tools other than NSIDC's,
//! which differ in some fields, are parsed as well.

use chrono::{DateTime, Utc};
use isdb_schema::granule_name::GranuleName;
use serde::Deserialize;
use serde_json::Value;

use crate::excerpt::excerpt;
use crate::search::granule::{Checksum, GranuleDescription, MAX_FILE_BYTES, UnusableDescription};

#[cfg(test)]
mod tests;

/// An element of `items` in a page of CMR.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Item(Value);

/// Unexpected values are quoted up to this length.
const MAX_QUOTED_CHARACTERS: usize = 100;

impl Item {
    /// Returns CMR's id of the description.
    pub(crate) fn concept_id(&self) -> Option<&str> {
        text(&self.0, "/meta/concept-id")
    }

    /// Parses the description. Missing fields become None.
    ///
    /// # Errors
    /// [`UnusableDescription`] if it does not identify a granule.
    pub(crate) fn granule(self) -> Result<GranuleDescription, UnusableDescription> {
        let quote = |text: &str| excerpt(text, MAX_QUOTED_CHARACTERS);
        self.parse().map_err(|reason| UnusableDescription {
            concept_id: self.concept_id().map(quote),
            granule: text(&self.0, "/umm/GranuleUR").or_else(|| text(&self.0, "/meta/native-id")).map(quote),
            reason,
        })
    }

    fn parse(&self) -> Result<GranuleDescription, String> {
        let item = &self.0;
        let links = list(item, "/umm/RelatedUrls");
        let https = file_url(links, "GET DATA", &["https://", "http://"]);
        let s3 = file_url(links, "GET DATA VIA DIRECT ACCESS", &["s3://"]);
        let identifiers = list(item, "/umm/DataGranule/Identifiers").iter();
        let identifiers = identifiers.filter(|id| text(id, "/IdentifierType") == Some("ProducerGranuleId"));
        let producer_names = identifiers.filter_map(|identifier| text(identifier, "/Identifier"));
        let name = parse_name(producer_names.chain([https, s3].into_iter().flatten().map(without_query)))?;
        let id = self.concept_id().ok_or_else(|| expected_text("meta.concept-id", item.pointer("/meta/concept-id")))?;
        let file = own_file(list(item, "/umm/DataGranule/ArchiveAndDistributionInformation"), &name.to_string());
        let (start, end) = time_range(item);
        Ok(GranuleDescription {
            name,
            concept_id: excerpt(id, MAX_QUOTED_CHARACTERS),
            revision_id: number(item, "/meta/revision-id").and_then(to_integer),
            start: start.or_else(|| DateTime::from_timestamp(name.start, 0)).unwrap_or_default(),
            end,
            bytes: file.and_then(size),
            has_exact_size: file.is_some_and(|file| exact_size(file).is_some()),
            checksum: file.and_then(checksum),
            https: https.map(str::to_owned),
            s3: s3.map(str::to_owned),
        })
    }
}

/// Returns the non-empty text at the JSON pointer `path`.
fn text<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    value.pointer(path)?.as_str().filter(|text| !text.is_empty())
}

/// Returns the number at `path`, which may be written as text.
fn number(value: &Value, path: &str) -> Option<f64> {
    match value.pointer(path)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Returns the elements of the array at `path`; an empty slice if it is not an array.
fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    value.pointer(path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The message for a `field` that is missing or is not text.
fn expected_text(field: &str, found: Option<&Value>) -> String {
    match found {
        None => format!("{field} is missing"),
        Some(found) => format!("{field}: expected text, found {}", excerpt(&found.to_string(), MAX_QUOTED_CHARACTERS)),
    }
}

/// Parses the first candidate that is the name of a granule.
fn parse_name<'a>(mut candidates: impl Iterator<Item = &'a str>) -> Result<GranuleName, String> {
    const FIELDS: &str = "umm.DataGranule.Identifiers and umm.RelatedUrls";
    let Some(first) = candidates.next() else {
        return Err(format!("{FIELDS} contain no file name"));
    };
    let error = match first.parse() {
        Ok(name) => return Ok(name),
        Err(_) => Err(format!(
            "{FIELDS}: expected the name of an ATL08 granule, found {}",
            excerpt(first, MAX_QUOTED_CHARACTERS)
        )),
    };
    candidates.find_map(|text| text.parse().ok()).map_or(error, Ok)
}

/// Returns the first link of this kind to a granule file. Earlier `schemes` are preferred.
fn file_url<'a>(links: &'a [Value], kind: &str, schemes: &[&str]) -> Option<&'a str> {
    let urls = || {
        let links = links.iter().filter(|link| text(link, "/Type") == Some(kind));
        links.filter_map(|link| text(link, "/URL"))
    };
    let is_granule = |url: &&str, scheme: &str| {
        url.starts_with(scheme) && without_query(url).ends_with(".h5") && !url.contains(char::is_control)
    };
    schemes.iter().find_map(|scheme| urls().find(|url| is_granule(url, scheme)))
}

fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

/// Name endings that identify another file of the same granule.
const OTHER_FILE_ENDINGS: [&str; 9] = [".h5", ".xml", ".json", ".dmrpp", ".png", ".jpg", ".txt", ".md5", ".zip"];

/// Returns the entry of the granule's own file: the entry with its name, or the only entry, unless that names another file.
/// NSIDC gives no names, or the id of a record.
fn own_file<'a>(files: &'a [Value], file_name: &str) -> Option<&'a Value> {
    let is_other_file = |file: &Value| {
        let name = text(file, "/Name").unwrap_or_default().to_ascii_lowercase();
        OTHER_FILE_ENDINGS.iter().any(|ending| name.ends_with(ending))
    };
    files.iter().find(|file| text(file, "/Name") == Some(file_name)).or(match files {
        [only] if !is_other_file(only) => Some(only),
        _ => None,
    })
}

/// Returns the size, if it is given in bytes.
fn exact_size(file: &Value) -> Option<u64> {
    number(file, "/SizeInBytes").and_then(to_integer)
}

/// Returns the size in bytes. In NASA's records a megabyte is 1024² bytes, and NSIDC's unit `NA` is a megabyte: only then are the
/// sizes of real granules whole numbers of bytes.
fn size(file: &Value) -> Option<u64> {
    let power = match text(file, "/SizeUnit") {
        Some("B") => 0,
        Some("KB") => 1,
        None | Some("MB" | "NA") => 2,
        Some("GB") => 3,
        Some("TB") => 4,
        Some(_) => return exact_size(file),
    };
    exact_size(file).or_else(|| to_integer(number(file, "/Size")? * 1024_f64.powi(power)))
}

fn checksum(file: &Value) -> Option<Checksum> {
    let (algorithm, value) = (text(file, "/Checksum/Algorithm")?, text(file, "/Checksum/Value")?);
    Some(Checksum { algorithm: excerpt(algorithm, MAX_QUOTED_CHARACTERS), value: value.to_owned() })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sizes are far below 2^53")]
fn to_integer(bytes: f64) -> Option<u64> {
    let bytes = (bytes.is_finite() && bytes > 0.0).then(|| bytes.round() as u64);
    bytes.filter(|bytes| *bytes <= MAX_FILE_BYTES)
}

/// Returns the first and the last instant of the measurement.
fn time_range(item: &Value) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
    let instant = |path| {
        let text = text(item, &format!("/umm/TemporalExtent/{path}"))?;
        DateTime::parse_from_rfc3339(text).ok().map(|instant| instant.to_utc())
    };
    let start = instant("RangeDateTime/BeginningDateTime").or_else(|| instant("SingleDateTime"));
    (start, instant("RangeDateTime/EndingDateTime"))
}
