//! The granule that a file belongs to, resolved from its metadata, its rows and its name.
//!
//! The metadata inside the file come before its name, because files are renamed and clips keep the metadata of the granule they
//! were cut from; a name that contradicts this metadata is ignored. Only the product's DOI comes after the name: the product
//! writes the DOI of release 001 into files of release 002. Every disagreement becomes a note.

mod claim;
pub(crate) mod content_hash;
pub(crate) mod source;

use std::io;
use std::path::Path;

use isdb_schema::granule_name::GranuleName;
use isdb_schema::printable::Printable;

use crate::identity::claim::{Claim, Parts, contradictions, first_stated, whole};
use crate::identity::source::IdentitySource;
use crate::metadata::Metadata;
use crate::note::Note;

/// The identity of a granule; `None` for the parts that the file does not state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// Canonical id without subsetter marks (`ATL08_20200821122613_08730802_004_01`). A file that does not state every part of it has
    /// `<file stem>-<first 16 hexadecimal digits of the SHA-256 of its bytes>`.
    pub id: String,
    /// The source of the start in a canonical id; without a canonical id the first source that states any part.
    pub source: IdentitySource,
    /// Start in the canonical id, UTC seconds since 1970.
    pub start: Option<i64>,
    /// Reference ground track, 1 to 1387.
    pub rgt: Option<u16>,
    /// Cycle of 91 days.
    pub cycle: Option<u8>,
    /// Region along the orbit, 1 to 14.
    pub region: Option<u8>,
    /// Product release, 7 for `007`.
    pub release: Option<u16>,
    /// Revision within the release.
    pub revision: Option<u8>,
    /// Whether the file shows traces of a subsetter or clip tool, so that it may hold less than the granule.
    pub subset: bool,
    /// `quality_assessment/qa_granule_pass_fail`: 0 passed, 1 failed.
    pub qa_pass_fail: Option<i32>,
}

/// Resolves the identity of the file at `path`, a path or URL: each part comes from the first source that states it. `row_rgt` is the
/// track of the first row. `content_hash`, which reads the whole file, is called only for a file without a canonical id.
///
/// # Errors
/// If `content_hash` fails.
pub(crate) fn identify(
    metadata: &Metadata,
    row_rgt: Option<f64>,
    path: &str,
    content_hash: impl FnOnce() -> io::Result<String>,
) -> io::Result<(Identity, Vec<Note>)> {
    let mut notes = Vec::new();
    let file_name = GranuleName::find(path).unwrap_or_else(|several| {
        notes.push(Note::NameAmbiguous { ids: [several.0.id(), several.1.id()] });
        None
    });
    let original = metadata.original_name.as_deref().and_then(|name| name.parse().ok());
    let mut claims = vec![Claim::from_name(IdentitySource::Metadata, original)];
    claims.extend(metadata.ancillary.as_ref().map(Claim::from_ancillary_data));
    claims.extend(metadata.orbit.as_ref().map(Claim::from_orbit_info));
    claims.push(Claim::from_rows(row_rgt));
    claims.push(Claim::from_name(IdentitySource::FileName, file_name));
    claims.push(Claim::from_doi(&metadata.root));
    let contradicted = contradictions(&claims);
    if contradicted.iter().any(|(_, other)| *other == IdentitySource::FileName) {
        claims.retain(|claim| claim.source() != IdentitySource::FileName);
    }
    notes.extend(contradicted.into_iter().map(|(note, _)| note));

    let parts = first_stated(&claims);
    let (id, source) = match canonical_id(parts) {
        Some(canonical) => canonical,
        None => {
            let first = claims.iter().find(|claim| !claim.is_empty()).map(Claim::source);
            (format!("{}-{}", file_stem(path), content_hash()?), first.unwrap_or_default())
        }
    };
    let [start, rgt, cycle, region, release, revision] = parts.map(|part| part.map(|(value, _)| value));
    let identity = Identity {
        id,
        source,
        start,
        rgt: rgt.and_then(narrow),
        cycle: cycle.and_then(narrow),
        region: region.and_then(narrow),
        release: release.and_then(narrow),
        revision: revision.and_then(narrow),
        subset: is_subset(metadata, file_name),
        qa_pass_fail: metadata.qa_pass_fail.and_then(whole).and_then(narrow),
    };
    Ok((identity, notes))
}

/// The id made of all parts, and the source of the start, which distinguishes granules better than any other part.
fn canonical_id(parts: Parts<(i64, IdentitySource)>) -> Option<(String, IdentitySource)> {
    let [start, rgt, cycle, region, release, revision] = parts;
    let (start, source) = start?;
    let name = GranuleName {
        start,
        rgt: narrow(rgt?.0)?,
        cycle: narrow(cycle?.0)?,
        region: narrow(region?.0)?,
        release: narrow(release?.0)?,
        revision: narrow(revision?.0)?,
        processed: false,
        subsetted: false,
    };
    Some((name.id(), source))
}

/// Subsetters mark the name or leave their parameters; clip tools drop groups that every whole granule has.
fn is_subset(metadata: &Metadata, file_name: Option<GranuleName>) -> bool {
    file_name.is_some_and(|name| name.is_subset())
        || metadata.root.contains_key("Processing Parameters")
        || metadata.is_incomplete()
}

/// The last part of a path or URL, without its extension and without characters that a terminal obeys.
fn file_stem(path: &str) -> String {
    let file_name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    Printable(&Path::new(file_name).file_stem().unwrap_or_default().to_string_lossy()).to_string()
}

fn narrow<T: TryFrom<i64>>(value: i64) -> Option<T> {
    T::try_from(value).ok()
}

#[cfg(test)]
mod tests;
