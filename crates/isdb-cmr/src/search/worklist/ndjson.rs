//! The lines of a work list file.

use std::io::{BufRead, Write};

use chrono::{DateTime, SecondsFormat, Utc};
use isdb_schema::granule_name::GranuleName;
use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::search::granule::{Checksum, GranuleDescription};

/// A line. Its keys are the columns that `isdb search` writes in other formats.
#[derive(Serialize, Deserialize)]
struct Line {
    granule: String,
    start: DateTimeText,
    end: Option<DateTimeText>,
    bytes: Option<u64>,
    #[serde(default)]
    has_exact_size: bool,
    checksum_algorithm: Option<String>,
    checksum: Option<String>,
    https: Option<String>,
    s3: Option<String>,
    concept_id: String,
    revision_id: Option<u64>,
}

/// An instant as text, `2018-11-05T08:38:40.137Z`.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct DateTimeText(String);

/// Writes a line for each granule, in the given order.
///
/// # Errors
/// [`Error::WorkList`] if `sink` fails.
pub fn write<'a>(mut sink: impl Write, granules: impl IntoIterator<Item = &'a GranuleDescription>) -> Result<()> {
    for granule in granules {
        let failed = |source: serde_json::Error| Error::WorkList(source.into());
        serde_json::to_writer(&mut sink, &Line::from(granule)).map_err(failed)?;
        sink.write_all(b"\n").map_err(Error::WorkList)?;
    }
    sink.flush().map_err(Error::WorkList)
}

/// Reads a work list line by line; empty lines are skipped.
///
/// # Errors
/// [`Error::WorkListLine`] for an invalid line, after which the other lines follow; [`Error::WorkList`] if `source` fails, which
/// ends the iterator.
pub fn read(source: impl BufRead) -> impl Iterator<Item = Result<GranuleDescription>> {
    let lines = source.lines().enumerate().filter(|(_, line)| !matches!(line, Ok(text) if text.trim().is_empty()));
    let mut has_failed = false;
    lines.map_while(move |(index, line)| {
        if has_failed {
            return None;
        }
        has_failed = line.is_err();
        let line = line.map_err(Error::WorkList);
        Some(line.and_then(|text| parse_line(&text).map_err(|source| Error::WorkListLine { line: index + 1, source })))
    })
}

fn parse_line(text: &str) -> serde_json::Result<GranuleDescription> {
    if ["https://", "http://", "s3://"].iter().any(|scheme| text.trim_start().starts_with(scheme)) {
        return Err(serde_json::Error::custom("expected a granule as `isdb search` writes it, found a link"));
    }
    let line: Line = serde_json::from_str(text)?;
    let name: GranuleName = line.granule.parse().map_err(serde_json::Error::custom)?;
    let checksum = line.checksum_algorithm.zip(line.checksum);
    Ok(GranuleDescription {
        name,
        concept_id: line.concept_id,
        revision_id: line.revision_id,
        start: line.start.instant()?,
        end: line.end.map(|end| end.instant()).transpose()?,
        bytes: line.bytes,
        has_exact_size: line.has_exact_size,
        checksum: checksum.map(|(algorithm, value)| Checksum { algorithm, value }),
        https: line.https,
        s3: line.s3,
    })
}

impl From<&GranuleDescription> for Line {
    fn from(granule: &GranuleDescription) -> Line {
        Line {
            granule: granule.file_name(),
            start: DateTimeText::new(granule.start),
            end: granule.end.map(DateTimeText::new),
            bytes: granule.bytes,
            has_exact_size: granule.has_exact_size,
            checksum_algorithm: granule.checksum.as_ref().map(|checksum| checksum.algorithm.clone()),
            checksum: granule.checksum.as_ref().map(|checksum| checksum.value.clone()),
            https: granule.https.clone(),
            s3: granule.s3.clone(),
            concept_id: granule.concept_id.clone(),
            revision_id: granule.revision_id,
        }
    }
}

impl DateTimeText {
    fn new(instant: DateTime<Utc>) -> DateTimeText {
        DateTimeText(instant.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }

    fn instant(&self) -> serde_json::Result<DateTime<Utc>> {
        let instant = DateTime::parse_from_rfc3339(&self.0);
        instant
            .map(|instant| instant.to_utc())
            .map_err(|error| serde_json::Error::custom(format!("{:?}: {error}", self.0)))
    }
}
