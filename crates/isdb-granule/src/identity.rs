//! Which granule a file is. The file's own metadata come before its name, since files are renamed and clips keep the
//! metadata of what they were cut from; where they disagree, that is told.

use std::fmt;
use std::io;
use std::path::Path;

use arrow::compute::kernels::cast_utils::string_to_timestamp_nanos;
use arrow::temporal_conversions::timestamp_s_to_datetime;
use isdb_schema::granule_name::{GranuleName, PRODUCT};

use crate::content;
use crate::metadata::{attributes, numbers, string, text};
use crate::note::Note;
use crate::source::ByteSource;

/// What can tell the identity of a granule, the most trustworthy first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentitySource {
    /// `METADATA/DatasetIdentification@fileName`.
    Metadata,
    /// The groups `ancillary_data` and `orbit_info`, and for the release the product's DOI.
    Ancillary,
    /// The `rgt` of the rows.
    Rows,
    /// The name of the file.
    FileName,
    /// Nothing but the bytes of the file.
    #[default]
    Content,
}

impl IdentitySource {
    /// One word: `metadata`, `ancillary`, `rows`, `file_name` or `content`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Ancillary => "ancillary",
            Self::Rows => "rows",
            Self::FileName => "file_name",
            Self::Content => "content",
        }
    }
}

impl fmt::Display for IdentitySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Metadata => "METADATA",
            Self::Ancillary => "ancillary_data and orbit_info",
            Self::Rows => "the rows",
            Self::FileName => "the file's name",
            Self::Content => "the file's content",
        })
    }
}

/// What is known of a granule; `None` where nothing tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// Canonical id without subsetter marks (`ATL08_20200821122613_08730802_004_01`); of a file that does not tell
    /// enough for one `<file stem>-<first 16 hexadecimal digits of the SHA-256 of its bytes>`.
    pub id: String,
    /// Where a canonical id is from; of a file without one the first source that tells anything.
    pub source: IdentitySource,
    /// Start as the canonical id says it, UTC seconds since 1970.
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

impl Identity {
    /// Asks every source in turn. Each part of the identity comes from the first that tells it; a file name that
    /// contradicts what is inside the file is a name given later, and tells nothing. The whole file is read only if it
    /// has no canonical id.
    pub(crate) fn find(
        file: &hdf5::File,
        source: &dyn ByteSource,
        beams: &[&str],
    ) -> Result<(Self, Vec<Note>), io::Error> {
        let named = source.name().parse::<GranuleName>().ok();
        let original = text(&attributes(file, "METADATA/DatasetIdentification"), "fileName");
        let original = original.and_then(|name| name.parse::<GranuleName>().ok());
        let mut claims: Vec<Claim> =
            original.map(|name| Claim::of_name(IdentitySource::Metadata, name)).into_iter().collect();
        claims.push(Claim::of_ancillary_data(file));
        claims.push(Claim::of_rows(file, beams));
        let inside = claims.len();
        claims.extend(named.map(|name| Claim::of_name(IdentitySource::FileName, name)));
        let notes = contradictions(&claims);
        let renamed =
            |note: &Note| matches!(note, Note::IdentityContradicted { other_from: IdentitySource::FileName, .. });
        if notes.iter().any(renamed) {
            claims.truncate(inside);
        }

        let canonical = claims.iter().find_map(|claim| Some((claim.id()?, claim.source)));
        let telling = claims.iter().find(|claim| claim.parts.iter().any(Option::is_some)).map(|claim| claim.source);
        let (id, origin) = match canonical {
            Some(canonical) => canonical,
            None => (format!("{}-{}", stem(source.name()), content::hash(source)?), telling.unwrap_or_default()),
        };
        let [start, rgt, cycle, region, release, revision] =
            std::array::from_fn(|at| claims.iter().find_map(|claim| claim.parts.get(at).copied().flatten()));
        let qa = numbers(file, "quality_assessment/qa_granule_pass_fail").and_then(|values| values.first().copied());
        let identity = Self {
            id,
            source: origin,
            start,
            rgt: rgt.and_then(narrow),
            cycle: cycle.and_then(narrow),
            region: region.and_then(narrow),
            release: release.and_then(narrow),
            revision: revision.and_then(narrow),
            subset: is_subset(file, named),
            qa_pass_fail: qa.and_then(whole).and_then(narrow),
        };
        Ok((identity, notes))
    }
}

/// The parts of an identity in the order of a claim, and the smallest and largest value of each.
const PARTS: [(&str, i64, i64); 6] = [
    ("start", i64::MIN, i64::MAX),
    ("rgt", 1, 1387),
    ("cycle", 1, 99),
    ("region", 1, 14),
    ("release", 0, 999),
    ("revision", 0, 99),
];

/// What one source says of each of [`PARTS`].
#[derive(Debug)]
struct Claim {
    source: IdentitySource,
    parts: [Option<i64>; PARTS.len()],
}

impl Claim {
    /// Values that the part cannot have count as not said.
    fn new(source: IdentitySource, mut parts: [Option<i64>; PARTS.len()]) -> Self {
        for (part, (_, least, most)) in parts.iter_mut().zip(PARTS) {
            *part = part.filter(|value| (least..=most).contains(value));
        }
        Self { source, parts }
    }

    fn of_name(source: IdentitySource, name: GranuleName) -> Self {
        let GranuleName { start, rgt, cycle, region, release, revision, .. } = name;
        let numbers = [rgt.into(), cycle.into(), region.into(), release.into(), revision.into()].map(Some);
        let [rgt, cycle, region, release, revision] = numbers;
        Self::new(source, [Some(start), rgt, cycle, region, release, revision])
    }

    fn of_ancillary_data(file: &hdf5::File) -> Self {
        let number = |path: &str| numbers(file, path)?.first().copied().and_then(whole);
        let digits = |path: &str| string(file, path)?.parse::<i64>().ok();
        let utc = |path: &str| whole_second(&string(file, path)?);
        let parts = [
            utc("ancillary_data/granule_start_utc").or_else(|| utc("ancillary_data/data_start_utc")),
            number("orbit_info/rgt").or_else(|| number("ancillary_data/start_rgt")),
            number("orbit_info/cycle_number").or_else(|| number("ancillary_data/start_cycle")),
            number("ancillary_data/start_region"),
            digits("ancillary_data/release").or_else(|| release_of_doi(file)),
            digits("ancillary_data/version"),
        ];
        Self::new(IdentitySource::Ancillary, parts)
    }

    /// The track of the first row of the first beam that has one.
    fn of_rows(file: &hdf5::File, beams: &[&str]) -> Self {
        let first_rgt = |beam: &&str| {
            let dataset = file.dataset(&format!("{beam}/land_segments/rgt")).ok()?;
            whole(dataset.read_f64_rows(0, 1).ok()?.first().copied()?)
        };
        Self::new(IdentitySource::Rows, [None, beams.iter().find_map(first_rgt), None, None, None, None])
    }

    /// The canonical id, if every part is said.
    fn id(&self) -> Option<String> {
        let [start, rgt, cycle, region, release, revision] = self.parts;
        let name = GranuleName {
            start: start?,
            rgt: narrow(rgt?)?,
            cycle: narrow(cycle?)?,
            region: narrow(region?)?,
            release: narrow(release?)?,
            revision: narrow(revision?)?,
            processed: false,
            subsetted: false,
        };
        Some(name.id())
    }
}

/// Every value that differs from what an earlier source said.
fn contradictions(claims: &[Claim]) -> Vec<Note> {
    let mut notes = Vec::new();
    for (at, (what, ..)) in PARTS.into_iter().enumerate() {
        let mut said = claims.iter().filter_map(|claim| Some((claim.parts.get(at).copied().flatten()?, claim.source)));
        let Some((taken, taken_from)) = said.next() else { continue };
        let tell = |value: i64| match what {
            "start" => timestamp_s_to_datetime(value).map_or_else(|| value.to_string(), |utc| format!("{utc} UTC")),
            _ => value.to_string(),
        };
        notes.extend(said.filter(|(other, _)| *other != taken).map(|(other, other_from)| Note::IdentityContradicted {
            what,
            taken: tell(taken),
            taken_from,
            other: tell(other),
            other_from,
        }));
    }
    notes
}

/// Seconds since 1970 of a UTC time without fraction. The granule's name has whole seconds; what has a fraction is the
/// time of something else.
fn whole_second(utc: &str) -> Option<i64> {
    let nanos = string_to_timestamp_nanos(utc).ok()?;
    (nanos % 1_000_000_000 == 0).then_some(nanos / 1_000_000_000)
}

/// The release that the product's DOI ends with (`doi:10.5067/ATLAS/ATL08.004`).
fn release_of_doi(file: &hdf5::File) -> Option<i64> {
    let doi = text(&attributes(file, "/"), "identifier_product_doi")?;
    doi.rsplit_once('.').filter(|(product, _)| product.ends_with(PRODUCT))?.1.parse().ok()
}

/// Subsetters mark the name or leave their parameters; clip tools drop the groups that every whole granule has.
fn is_subset(file: &hdf5::File, named: Option<GranuleName>) -> bool {
    named.is_some_and(|name| name.is_subset())
        || attributes(file, "/").contains_key("Processing Parameters")
        || ["METADATA", "ancillary_data", "ancillary_data/atlas_sdp_gps_epoch", "orbit_info/rgt"]
            .iter()
            .any(|path| file.group(path).is_err() && file.dataset(path).is_err())
}

/// The last part of a path or URL, without its extension.
fn stem(name: &str) -> String {
    let file_name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    Path::new(file_name).file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

#[expect(clippy::cast_possible_truncation, reason = "compared with what it came from")]
fn whole(value: f64) -> Option<i64> {
    (value.abs() < 1e15 && value.fract() == 0.0).then_some(value as i64)
}

fn narrow<T: TryFrom<i64>>(value: i64) -> Option<T> {
    T::try_from(value).ok()
}

#[cfg(test)]
mod tests;
