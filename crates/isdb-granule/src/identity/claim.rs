//! Claims about a granule's identity, one for each place in a file that states parts of it, and their contradictions.

use arrow::compute::kernels::cast_utils::string_to_timestamp_nanos;
use arrow::temporal_conversions::timestamp_s_to_datetime;
use isdb_schema::granule_name::{GranuleName, PRODUCT};

use crate::container::access::{Attributes, text};
use crate::identity::source::IdentitySource;
use crate::metadata::{AncillaryData, OrbitInfo};
use crate::note::Note;

/// The parts of an identity in the order of a claim, and the smallest and largest value of each.
const PARTS: [(&str, i64, i64); 6] = [
    ("start", i64::MIN, i64::MAX),
    ("rgt", 1, 1387),
    ("cycle", 1, 99),
    ("region", 1, 14),
    ("release", 0, 999),
    ("revision", 0, 99),
];

/// One value for each part: start, rgt, cycle, region, release, revision.
pub(crate) type Parts<T> = [Option<T>; PARTS.len()];

/// The parts that one source states.
#[derive(Debug)]
pub(crate) struct Claim {
    source: IdentitySource,
    parts: Parts<i64>,
}

impl Claim {
    /// A claim without values outside the range of their part.
    fn new(source: IdentitySource, mut parts: Parts<i64>) -> Self {
        for (part, (_, least, most)) in parts.iter_mut().zip(PARTS) {
            *part = part.filter(|value| (least..=most).contains(value));
        }
        Self { source, parts }
    }

    /// Every part, from `name`; none without a name.
    pub(crate) fn from_name(source: IdentitySource, name: Option<GranuleName>) -> Self {
        let Some(GranuleName { start, rgt, cycle, region, release, revision, .. }) = name else {
            return Self::new(source, [None; PARTS.len()]);
        };
        let numbers = [rgt.into(), cycle.into(), region.into(), release.into(), revision.into()].map(Some);
        let [rgt, cycle, region, release, revision] = numbers;
        Self::new(source, [Some(start), rgt, cycle, region, release, revision])
    }

    /// Every part.
    pub(crate) fn from_ancillary_data(ancillary: &AncillaryData) -> Self {
        let utc = |text: &Option<String>| whole_second(text.as_deref()?);
        let digits = |text: &Option<String>| text.as_deref()?.parse().ok();
        let parts = [
            utc(&ancillary.granule_start_utc).or_else(|| utc(&ancillary.data_start_utc)),
            ancillary.start_rgt.and_then(whole),
            ancillary.start_cycle.and_then(whole),
            ancillary.start_region.and_then(whole),
            digits(&ancillary.release),
            digits(&ancillary.version),
        ];
        Self::new(IdentitySource::Ancillary, parts)
    }

    /// Track and cycle.
    pub(crate) fn from_orbit_info(orbit: &OrbitInfo) -> Self {
        let [rgt, cycle] = [orbit.rgt, orbit.cycle_number].map(|number| number.and_then(whole));
        Self::new(IdentitySource::OrbitInfo, [None, rgt, cycle, None, None, None])
    }

    /// The track in the rows.
    pub(crate) fn from_rows(rgt: Option<f64>) -> Self {
        Self::new(IdentitySource::Rows, [None, rgt.and_then(whole), None, None, None, None])
    }

    /// The release that ends the product's DOI (`doi:10.5067/ATLAS/ATL08.004`).
    pub(crate) fn from_doi(root: &Attributes) -> Self {
        let doi = text(root, "identifier_product_doi");
        let release = doi.as_deref().and_then(|doi| doi.rsplit_once('.'));
        let release =
            release.filter(|(product, _)| product.ends_with(PRODUCT)).and_then(|(_, digits)| digits.parse().ok());
        Self::new(IdentitySource::Doi, [None, None, None, None, release, None])
    }

    /// The place that states the parts.
    pub(crate) fn source(&self) -> IdentitySource {
        self.source
    }

    /// Whether no part is stated.
    pub(crate) fn is_empty(&self) -> bool {
        self.parts.iter().all(Option::is_none)
    }

    fn part(&self, at: usize) -> Option<i64> {
        self.parts.get(at).copied().flatten()
    }
}

/// Each part by the first claim that states it, with the source of that claim.
pub(crate) fn first_stated(claims: &[Claim]) -> Parts<(i64, IdentitySource)> {
    std::array::from_fn(|at| claims.iter().find_map(|claim| Some((claim.part(at)?, claim.source))))
}

/// A note for every value that differs from an earlier claim's, with the source of that value.
pub(crate) fn contradictions(claims: &[Claim]) -> Vec<(Note, IdentitySource)> {
    let mut notes = Vec::new();
    for (at, (what, ..)) in PARTS.into_iter().enumerate() {
        let mut stated = claims.iter().filter_map(|claim| Some((claim.part(at)?, claim.source)));
        let Some((used, used_from)) = stated.next() else { continue };
        let show = |value: i64| match what {
            "start" => timestamp_s_to_datetime(value).map_or_else(|| value.to_string(), |utc| format!("{utc} UTC")),
            _ => value.to_string(),
        };
        notes.extend(stated.filter(|(other, _)| *other != used).map(|(other, other_from)| {
            let note = Note::IdentityContradicted { what, used: show(used), used_from, other: show(other), other_from };
            (note, other_from)
        }));
    }
    notes
}

/// Seconds since 1970 of a UTC time without fraction. A granule's name has whole seconds; a time with a fraction belongs to
/// something else, such as the first photon.
fn whole_second(utc: &str) -> Option<i64> {
    let nanos = string_to_timestamp_nanos(utc).ok()?;
    (nanos % 1_000_000_000 == 0).then_some(nanos / 1_000_000_000)
}

/// The number if it is whole.
#[expect(clippy::cast_possible_truncation, reason = "a whole number below 10^15")]
pub(crate) fn whole(value: f64) -> Option<i64> {
    (value.abs() < 1e15 && value.fract() == 0.0).then_some(value as i64)
}
