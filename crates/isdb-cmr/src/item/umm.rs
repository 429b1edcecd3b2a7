//! The parts of a UMM-G item that matter here. Each may be missing, null or of an unexpected type, and numbers may be text: only
//! a granule without a name or an id is of no use. Where the forms of other tools' records differ from NSIDC's, both are
//! understood.

use chrono::{DateTime, Utc};
use isdb_schema::granule_name::GranuleName;
use serde::Deserialize;
use serde_json::Value;

use crate::item::{Checksum, FoundGranule, LARGEST_FILE, Unusable};
use crate::words::shortened;

/// An element of `items`.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Item(Value);

/// So much of a text that is not understood is repeated.
const WORDS: usize = 100;

impl Item {
    /// What tells this description from others.
    pub(crate) fn concept_id(&self) -> Option<&str> {
        text(&self.0, "/meta/concept-id")
    }

    /// The granule that is described.
    ///
    /// # Errors
    /// What cannot be told from other granules is [`Unusable`]; whatever else is missing is None.
    pub(crate) fn granule(self) -> Result<FoundGranule, Unusable> {
        let short = |text: &str| shortened(text, WORDS);
        self.found().map_err(|reason| Unusable {
            concept_id: self.concept_id().map(short),
            granule: text(&self.0, "/umm/GranuleUR").or_else(|| text(&self.0, "/meta/native-id")).map(short),
            reason,
        })
    }

    fn found(&self) -> Result<FoundGranule, String> {
        let item = &self.0;
        let links = list(item, "/umm/RelatedUrls");
        let https = place(links, "GET DATA", &["https://", "http://"]);
        let s3 = place(links, "GET DATA VIA DIRECT ACCESS", &["s3://"]);
        let producers = list(item, "/umm/DataGranule/Identifiers").iter();
        let producers = producers.filter(|it| text(it, "/IdentifierType") == Some("ProducerGranuleId"));
        let producers = producers.filter_map(|identifier| text(identifier, "/Identifier"));
        let name = name(producers.chain([https, s3].into_iter().flatten().map(without_query)))?;
        let id = self.concept_id().ok_or_else(|| expected("meta.concept-id", item.pointer("/meta/concept-id")))?;
        let file = archived(list(item, "/umm/DataGranule/ArchiveAndDistributionInformation"), &name.to_string());
        let (start, end) = bounds(item);
        Ok(FoundGranule {
            name,
            concept_id: shortened(id, WORDS),
            revision_id: number(item, "/meta/revision-id").and_then(whole),
            start: start.or_else(|| DateTime::from_timestamp(name.start, 0)).unwrap_or_default(),
            end,
            bytes: file.and_then(bytes),
            has_exact_size: file.is_some_and(|file| exact(file).is_some()),
            checksum: file.and_then(checksum),
            https: https.map(str::to_owned),
            s3: s3.map(str::to_owned),
        })
    }
}

/// The text at `place`, if it is one and says something.
fn text<'a>(value: &'a Value, place: &str) -> Option<&'a str> {
    value.pointer(place)?.as_str().filter(|text| !text.is_empty())
}

/// The number at `place`, which may be written as text.
fn number(value: &Value, place: &str) -> Option<f64> {
    match value.pointer(place)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// The elements at `place`; none of what is no list.
fn list<'a>(value: &'a Value, place: &str) -> &'a [Value] {
    value.pointer(place).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// What is wrong with the text of `field`.
fn expected(field: &str, found: Option<&Value>) -> String {
    match found {
        None => format!("{field} is missing"),
        Some(found) => format!("{field}: expected text, found {}", shortened(&found.to_string(), WORDS)),
    }
}

/// The first of the texts that names a granule.
fn name<'a>(mut candidates: impl Iterator<Item = &'a str>) -> Result<GranuleName, String> {
    const FIELDS: &str = "umm.DataGranule.Identifiers and umm.RelatedUrls";
    let Some(first) = candidates.next() else {
        return Err(format!("{FIELDS} name no file"));
    };
    let told = match first.parse() {
        Ok(name) => return Ok(name),
        Err(_) => Err(format!("{FIELDS}: expected the name of an ATL08 granule, found {}", shortened(first, WORDS))),
    };
    candidates.find_map(|text| text.parse().ok()).map_or(told, Ok)
}

/// The first link of this kind to a granule's file; the scheme that is named first is preferred.
fn place<'a>(links: &'a [Value], kind: &str, schemes: &[&str]) -> Option<&'a str> {
    let urls = || {
        let of_kind = links.iter().filter(|link| text(link, "/Type") == Some(kind));
        of_kind.filter_map(|link| text(link, "/URL"))
    };
    let fits = |url: &&str, scheme: &str| {
        url.starts_with(scheme) && without_query(url).ends_with(".h5") && !url.contains(char::is_control)
    };
    schemes.iter().find_map(|scheme| urls().find(|url| fits(url, scheme)))
}

fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

/// What the names of other files that belong to a granule end in.
const OTHER_FILES: [&str; 9] = [".h5", ".xml", ".json", ".dmrpp", ".png", ".jpg", ".txt", ".md5", ".zip"];

/// The entry of the granule's own file: by its name, or the only one, if that is not named for another file. NSIDC gives no
/// names, or the id of a record.
fn archived<'a>(files: &'a [Value], file_name: &str) -> Option<&'a Value> {
    let is_for_another = |file: &Value| {
        let name = text(file, "/Name").unwrap_or_default().to_ascii_lowercase();
        OTHER_FILES.iter().any(|ending| name.ends_with(ending))
    };
    files.iter().find(|file| text(file, "/Name") == Some(file_name)).or(match files {
        [only] if !is_for_another(only) => Some(only),
        _ => None,
    })
}

/// The size in bytes, where it is given so.
fn exact(file: &Value) -> Option<u64> {
    number(file, "/SizeInBytes").and_then(whole)
}

/// In NASA's records a megabyte is 1024², and NSIDC's unit `NA` is a megabyte: the sizes of real granules are whole numbers
/// of bytes only so.
fn bytes(file: &Value) -> Option<u64> {
    let power = match text(file, "/SizeUnit") {
        Some("B") => 0,
        Some("KB") => 1,
        None | Some("MB" | "NA") => 2,
        Some("GB") => 3,
        Some("TB") => 4,
        Some(_) => return exact(file),
    };
    exact(file).or_else(|| whole(number(file, "/Size")? * 1024_f64.powi(power)))
}

fn checksum(file: &Value) -> Option<Checksum> {
    let (algorithm, value) = (text(file, "/Checksum/Algorithm")?, text(file, "/Checksum/Value")?);
    Some(Checksum { algorithm: shortened(algorithm, WORDS), value: value.to_owned() })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sizes are far below 2^53")]
fn whole(bytes: f64) -> Option<u64> {
    let bytes = (bytes.is_finite() && bytes > 0.0).then(|| bytes.round() as u64);
    bytes.filter(|bytes| *bytes <= LARGEST_FILE)
}

/// First and last instant.
fn bounds(item: &Value) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
    let instant = |place| {
        let text = text(item, &format!("/umm/TemporalExtent/{place}"))?;
        DateTime::parse_from_rfc3339(text).ok().map(|instant| instant.to_utc())
    };
    let start = instant("RangeDateTime/BeginningDateTime").or_else(|| instant("SingleDateTime"));
    (start, instant("RangeDateTime/EndingDateTime"))
}
