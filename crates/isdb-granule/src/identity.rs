//! Which granule a file is. The file's own metadata come before its name, since files are renamed and clips keep the
//! metadata of what they were cut from.

use isdb_schema::granule_name::{GranuleName, PRODUCT};

use crate::metadata::{attributes, numbers, string, text};

/// What is known of a granule; `None` where neither metadata nor name tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// Canonical id without subsetter marks (`ATL08_20200821122613_08730802_004_01`).
    pub id: Option<String>,
    /// Start as the name says it, UTC seconds since 1970.
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
}

impl Identity {
    /// Asks, for each part, `METADATA/DatasetIdentification@fileName`, then `ancillary_data` and `orbit_info`, then the
    /// `rgt` of the first row that has one, then the last part of `source_name`.
    pub(crate) fn find(file: &hdf5::File, source_name: &str, beams: &[&str]) -> Self {
        let parse = |name: &str| name.parse::<GranuleName>().ok();
        let original =
            text(&attributes(file, "METADATA/DatasetIdentification"), "fileName").and_then(|name| parse(&name));
        let named = parse(source_name);
        let number = |path: &str| numbers(file, path).and_then(|values| values.first().copied());
        let digits = |path: &str| string(file, path).and_then(|text| text.parse::<u16>().ok());
        let row_rgt = || beams.iter().find_map(|beam| first_rgt(file, beam));

        // Each part from the first place that has it; later places are not even looked at.
        let part = |of: fn(GranuleName) -> u16, inside: &dyn Fn() -> Option<u16>| {
            original.map(of).or_else(inside).or_else(|| named.map(of))
        };
        let known_by = original.or(named);
        Self {
            id: known_by.map(|name| GranuleName { processed: false, subsetted: false, ..name }.id()),
            start: known_by.map(|name| name.start),
            rgt: part(|n| n.rgt, &|| {
                number("orbit_info/rgt").or_else(|| number("ancillary_data/start_rgt")).and_then(whole).or_else(row_rgt)
            }),
            cycle: part(|n| n.cycle.into(), &|| {
                number("orbit_info/cycle_number").or_else(|| number("ancillary_data/start_cycle")).and_then(whole)
            })
            .and_then(byte),
            region: part(|n| n.region.into(), &|| number("ancillary_data/start_region").and_then(whole)).and_then(byte),
            release: part(|n| n.release, &|| digits("ancillary_data/release").or_else(|| release_of_doi(file))),
            revision: part(|n| n.revision.into(), &|| digits("ancillary_data/version")).and_then(byte),
            subset: is_subset(file, named),
        }
    }
}

/// The release that the product's DOI ends with (`doi:10.5067/ATLAS/ATL08.004`).
fn release_of_doi(file: &hdf5::File) -> Option<u16> {
    let doi = text(&attributes(file, "/"), "identifier_product_doi")?;
    doi.rsplit_once('.').filter(|(product, _)| product.ends_with(PRODUCT))?.1.parse().ok()
}

fn first_rgt(file: &hdf5::File, beam: &str) -> Option<u16> {
    let dataset = file.dataset(&format!("{beam}/land_segments/rgt")).ok()?;
    whole(dataset.read_f64_rows(0, 1).ok()?.first().copied()?)
}

/// Subsetters mark the name or leave their parameters; clip tools drop the groups that every whole granule has.
fn is_subset(file: &hdf5::File, named: Option<GranuleName>) -> bool {
    named.is_some_and(|name| name.is_subset())
        || attributes(file, "/").contains_key("Processing Parameters")
        || ["METADATA", "ancillary_data", "ancillary_data/atlas_sdp_gps_epoch", "orbit_info/rgt"]
            .iter()
            .any(|path| file.group(path).is_err() && file.dataset(path).is_err())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "compared with what it came from")]
fn whole(value: f64) -> Option<u16> {
    (value > 0.0 && value < 65_536.0 && value.fract() == 0.0).then_some(value as u16)
}

fn byte(value: u16) -> Option<u8> {
    u8::try_from(value).ok()
}
