//! Which granule a file is. What is inside the file comes before its name, since files are renamed and clips keep the metadata of
//! what they were cut from; a name that contradicts it tells nothing. Only the product's DOI comes after the name: the product writes
//! the DOI of release 001 into files of release 002. Every disagreement is a note.

use std::fmt;
use std::io;
use std::path::Path;

use arrow::compute::kernels::cast_utils::string_to_timestamp_nanos;
use arrow::temporal_conversions::timestamp_s_to_datetime;
use isdb_schema::granule_name::{GranuleName, PRODUCT};
use isdb_schema::printable::Printable;

use crate::beam::Beam;
use crate::content;
use crate::metadata::{Attributes, attributes, numbers, sound, string, text};
use crate::note::Note;
use crate::source::ByteSource;

/// What can tell the identity of a granule, the most trustworthy first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentitySource {
    /// `METADATA/DatasetIdentification@fileName`.
    Metadata,
    /// The group `ancillary_data`.
    Ancillary,
    /// The group `orbit_info`.
    OrbitInfo,
    /// The `rgt` of the rows.
    Rows,
    /// The name of the file.
    FileName,
    /// The attribute `identifier_product_doi`, which ends with a release.
    Doi,
    /// Nothing but the bytes of the file.
    #[default]
    Content,
}

impl IdentitySource {
    /// One word: `metadata`, `ancillary`, `orbit_info`, `rows`, `file_name`, `doi` or `content`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Ancillary => "ancillary",
            Self::OrbitInfo => "orbit_info",
            Self::Rows => "rows",
            Self::FileName => "file_name",
            Self::Doi => "doi",
            Self::Content => "content",
        }
    }
}

impl fmt::Display for IdentitySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Metadata => "METADATA",
            Self::Ancillary => "ancillary_data",
            Self::OrbitInfo => "orbit_info",
            Self::Rows => "the rows",
            Self::FileName => "the file's name",
            Self::Doi => "the product's DOI",
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
    /// Asks every source in turn. Each part of the identity comes from the first source that has it; a file name that
    /// contradicts what is inside the file is a name given later, and tells nothing. The whole file is read only if it
    /// has no canonical id.
    pub(crate) fn find(
        file: &hdf5::File,
        root: &Attributes,
        source: &dyn ByteSource,
        beams: &[Beam],
    ) -> Result<(Self, Vec<Note>), io::Error> {
        let mut notes = Vec::new();
        let named = GranuleName::find(source.name()).unwrap_or_else(|several| {
            notes.push(Note::NameAmbiguous { ids: [several.0.id(), several.1.id()] });
            None
        });
        let original = text(&attributes(file, "METADATA/DatasetIdentification"), "fileName");
        let original = original.and_then(|name| name.parse::<GranuleName>().ok());
        let mut claims = vec![
            Claim::of_name(IdentitySource::Metadata, original),
            Claim::of_ancillary_data(file),
            Claim::of_orbit_info(file),
            Claim::of_rows(beams),
        ];
        let inside = claims.len();
        claims.push(Claim::of_name(IdentitySource::FileName, named));
        claims.push(Claim::of_doi(root));
        let contradicted = contradictions(&claims);
        if contradicted.iter().any(|(_, other)| *other == IdentitySource::FileName) {
            claims.remove(inside);
        }
        notes.extend(contradicted.into_iter().map(|(note, _)| note));

        let said: [Option<(i64, IdentitySource)>; PARTS.len()] =
            std::array::from_fn(|at| claims.iter().find_map(|claim| Some((claim.part(at)?, claim.source))));
        let telling = claims.iter().find(|claim| claim.parts.iter().any(Option::is_some)).map(|claim| claim.source);
        let (id, origin) = match canonical(said) {
            Some(canonical) => canonical,
            None => (format!("{}-{}", stem(source.name()), content::hash(source)?), telling.unwrap_or_default()),
        };
        let [start, rgt, cycle, region, release, revision] = said.map(|said| said.map(|(value, _)| value));
        let qa =
            numbers(&file.root(), "quality_assessment/qa_granule_pass_fail").and_then(|values| values.first().copied());
        let identity = Self {
            id,
            source: origin,
            start,
            rgt: rgt.and_then(narrow),
            cycle: cycle.and_then(narrow),
            region: region.and_then(narrow),
            release: release.and_then(narrow),
            revision: revision.and_then(narrow),
            subset: is_subset(file, root, named),
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

    fn of_name(source: IdentitySource, name: Option<GranuleName>) -> Self {
        let Some(GranuleName { start, rgt, cycle, region, release, revision, .. }) = name else {
            return Self::new(source, [None; PARTS.len()]);
        };
        let numbers = [rgt.into(), cycle.into(), region.into(), release.into(), revision.into()].map(Some);
        let [rgt, cycle, region, release, revision] = numbers;
        Self::new(source, [Some(start), rgt, cycle, region, release, revision])
    }

    fn of_ancillary_data(file: &hdf5::File) -> Self {
        let group = file.group("ancillary_data").ok();
        let number = |name: &str| first_whole(group.as_ref()?, name);
        let text = |name: &str| string(group.as_ref()?, name);
        let utc = |name: &str| whole_second(&text(name)?);
        let parts = [
            utc("granule_start_utc").or_else(|| utc("data_start_utc")),
            number("start_rgt"),
            number("start_cycle"),
            number("start_region"),
            text("release").and_then(|release| release.parse().ok()),
            text("version").and_then(|version| version.parse().ok()),
        ];
        Self::new(IdentitySource::Ancillary, parts)
    }

    fn of_orbit_info(file: &hdf5::File) -> Self {
        let group = file.group("orbit_info").ok();
        let [rgt, cycle] = ["rgt", "cycle_number"].map(|name| first_whole(group.as_ref()?, name));
        Self::new(IdentitySource::OrbitInfo, [None, rgt, cycle, None, None, None])
    }

    /// The release that the product's DOI ends with (`doi:10.5067/ATLAS/ATL08.004`).
    fn of_doi(root: &Attributes) -> Self {
        let doi = text(root, "identifier_product_doi");
        let release = doi.as_deref().and_then(|doi| doi.rsplit_once('.'));
        let release =
            release.filter(|(product, _)| product.ends_with(PRODUCT)).and_then(|(_, digits)| digits.parse().ok());
        Self::new(IdentitySource::Doi, [None, None, None, None, release, None])
    }

    /// The track of the first row of the first beam that has one.
    fn of_rows(beams: &[Beam]) -> Self {
        let first_rgt = |beam: &Beam| {
            let dataset = sound(beam.group.dataset("rgt").ok()?)?;
            whole(dataset.read_f64_rows(0, 1).ok()?.first().copied()?)
        };
        Self::new(IdentitySource::Rows, [None, beams.iter().find_map(first_rgt), None, None, None, None])
    }

    fn part(&self, at: usize) -> Option<i64> {
        self.parts.get(at).copied().flatten()
    }
}

/// The id of which every part is `said`, and who says when it starts, which tells granules apart better than any other part.
fn canonical(said: [Option<(i64, IdentitySource)>; PARTS.len()]) -> Option<(String, IdentitySource)> {
    let [start, rgt, cycle, region, release, revision] = said;
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

/// Every value that differs from what an earlier source said, with the source that says otherwise.
fn contradictions(claims: &[Claim]) -> Vec<(Note, IdentitySource)> {
    let mut notes = Vec::new();
    for (at, (what, ..)) in PARTS.into_iter().enumerate() {
        let mut said = claims.iter().filter_map(|claim| Some((claim.part(at)?, claim.source)));
        let Some((used, used_from)) = said.next() else { continue };
        let show = |value: i64| match what {
            "start" => timestamp_s_to_datetime(value).map_or_else(|| value.to_string(), |utc| format!("{utc} UTC")),
            _ => value.to_string(),
        };
        notes.extend(said.filter(|(other, _)| *other != used).map(|(other, other_from)| {
            let note = Note::IdentityContradicted { what, used: show(used), used_from, other: show(other), other_from };
            (note, other_from)
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

/// Subsetters mark the name or leave their parameters; clip tools drop the groups that every whole granule has.
fn is_subset(file: &hdf5::File, root: &Attributes, named: Option<GranuleName>) -> bool {
    named.is_some_and(|name| name.is_subset())
        || root.contains_key("Processing Parameters")
        || ["METADATA", "ancillary_data", "ancillary_data/atlas_sdp_gps_epoch", "orbit_info/rgt"]
            .iter()
            .any(|path| file.group(path).is_err() && file.dataset(path).is_err())
}

/// The last part of a path or URL, without its extension and without characters that a terminal obeys.
fn stem(name: &str) -> String {
    let file_name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    Printable(&Path::new(file_name).file_stem().unwrap_or_default().to_string_lossy()).to_string()
}

/// The first number of a dataset, if it is whole.
fn first_whole(group: &hdf5::Group, name: &str) -> Option<i64> {
    numbers(group, name)?.first().copied().and_then(whole)
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
