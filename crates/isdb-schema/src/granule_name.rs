//! Parses and writes the name of an ATL08 granule, `ATL08_yyyymmddhhmmss_ttttccnn_vvv_rr.h5`. NSIDC's subsetters prefix
//! it with `processed_` or append `_subsetted`; Harmony, browsers and users add other text, so [`GranuleName::find`]
//! looks for the name inside a file's name.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate};

/// The short name of the product.
pub const PRODUCT: &str = "ATL08";

const PREFIX: &str = "processed_";
const SUFFIX: &str = "_subsetted";

/// Marks of subsetters in a name, in any case.
const SUBSET_MARKS: [&str; 3] = ["processed_", "subsetted", "hegout"];

/// Length of an id such as `ATL08_20200821122613_08730802_004_01`.
const ID_BYTES: usize = 36;

/// The fields of a granule's file name. `Display` writes the file name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GranuleName {
    /// Start of the granule, UTC seconds since 1970-01-01.
    pub start: i64,
    /// Reference ground track, 1 to 1387.
    pub rgt: u16,
    /// Cycle of 91 days, from 1.
    pub cycle: u8,
    /// Region along the orbit, 1 to 14.
    pub region: u8,
    /// Product release, 7 for `007`.
    pub release: u16,
    /// Revision of the granule within its release.
    pub revision: u8,
    /// Whether the name carries the subsetter's prefix `processed_`.
    pub processed: bool,
    /// Whether the name carries the subsetter's suffix `_subsetted`.
    pub subsetted: bool,
}

/// A text that is not the name of an ATL08 granule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is not the name of an ATL08 granule (ATL08_yyyymmddhhmmss_ttttccnn_vvv_rr.h5): {reason}")]
pub struct GranuleNameError {
    /// The text.
    pub name: String,
    /// The first part that is invalid.
    pub reason: &'static str,
}

/// A file name with the ids of two granules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name has two granule ids, {} and {}", .0.id(), .1.id())]
pub struct SeveralNames(pub GranuleName, pub GranuleName);

impl GranuleName {
    /// Finds the id of a granule in the file name of `path`, which may be a URL: `105641018_ATL08_…_subsetted.h5`,
    /// `ATL08_… (1).h5`, `copy of ATL08_….h5.h5`. Folders are ignored. `processed` and `subsetted` are true if the name
    /// has the mark of a subsetter before or after the id. `None` without an id.
    ///
    /// # Errors
    /// [`SeveralNames`] if the file name has the ids of two granules.
    pub fn find(path: &str) -> Result<Option<Self>, SeveralNames> {
        let file_name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        let mut found: Option<Self> = None;
        for (start, _) in file_name.char_indices() {
            let Some(id) = file_name.get(start..start + ID_BYTES) else { continue };
            let followed_by_digit = file_name[start + ID_BYTES..].starts_with(|c: char| c.is_ascii_digit());
            if followed_by_digit || !id.get(..PRODUCT.len()).is_some_and(|name| name.eq_ignore_ascii_case(PRODUCT)) {
                continue;
            }
            let Ok(mut name) = parse(&id.to_ascii_uppercase()) else { continue };
            let [before, after] = [&file_name[..start], &file_name[start + ID_BYTES..]].map(str::to_ascii_lowercase);
            name.processed = SUBSET_MARKS.iter().any(|mark| before.contains(mark));
            name.subsetted = SUBSET_MARKS.iter().any(|mark| after.contains(mark));
            match found {
                None => found = Some(name),
                Some(first) if first.id() != name.id() => return Err(SeveralNames(first, name)),
                Some(first) => found = Some(Self { subsetted: first.subsetted || name.subsetted, ..first }),
            }
        }
        Ok(found)
    }

    /// The canonical id, without subsetter marks and extension: `ATL08_20200821122613_08730802_004_01`.
    #[must_use]
    pub fn id(&self) -> String {
        let start = DateTime::from_timestamp(self.start, 0).unwrap_or_default().format("%Y%m%d%H%M%S");
        let GranuleName { rgt, cycle, region, release, revision, .. } = self;
        format!("{PRODUCT}_{start}_{rgt:04}{cycle:02}{region:02}_{release:03}_{revision:02}")
    }

    /// Whether a subsetter wrote the file, which may then have fewer rows or variables than the granule.
    #[must_use]
    pub fn is_subset(&self) -> bool {
        self.processed || self.subsetted
    }
}

impl fmt::Display for GranuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = if self.processed { PREFIX } else { "" };
        let suffix = if self.subsetted { SUFFIX } else { "" };
        write!(f, "{prefix}{}{suffix}.h5", self.id())
    }
}

impl FromStr for GranuleName {
    type Err = GranuleNameError;

    /// Parses a file name or an id: the extension `.h5` is optional, a leading folder or URL is ignored.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).map_err(|reason| GranuleNameError { name: text.to_owned(), reason })
    }
}

fn parse(text: &str) -> Result<GranuleName, &'static str> {
    let name = text.rsplit(['/', '\\']).next().unwrap_or(text);
    let name = name.strip_suffix(".h5").unwrap_or(name);
    let (processed, name) = name.strip_prefix(PREFIX).map_or((false, name), |rest| (true, rest));
    let (subsetted, name) = name.strip_suffix(SUFFIX).map_or((false, name), |rest| (true, rest));

    let mut parts = name.split('_');
    if parts.next() != Some(PRODUCT) {
        return Err("it does not begin with ATL08_");
    }
    let mut part = |digits: usize, reason| {
        parts.next().filter(|p| p.len() == digits && p.bytes().all(|b| b.is_ascii_digit())).ok_or(reason)
    };
    let start = part(14, "its start is not 14 digits")?;
    let track = part(8, "its track, cycle and region are not 8 digits")?;
    let release = part(3, "its release is not 3 digits")?;
    let revision = part(2, "its revision is not 2 digits")?;
    if parts.next().is_some() {
        return Err("there is more after its revision");
    }
    let within = |value: u16, low: u16, high: u16, reason| {
        if (low..=high).contains(&value) { Ok(value) } else { Err(reason) }
    };
    let rgt = within(number(track, 0, 4), 1, 1387, "its track is not in 1 to 1387")?;
    let cycle = within(number(track, 4, 6), 1, 99, "its cycle is zero")?;
    let region = within(number(track, 6, 8), 1, 14, "its region is not in 1 to 14")?;
    Ok(GranuleName {
        start: start_seconds(start).ok_or("its start is not a date and time")?,
        rgt,
        cycle: low_byte(cycle),
        region: low_byte(region),
        release: number(release, 0, 3),
        revision: low_byte(number(revision, 0, 2)),
        processed,
        subsetted,
    })
}

/// The decimal number of `digits[from..to]`, at most four digits.
fn number(digits: &str, from: usize, to: usize) -> u16 {
    digits.bytes().skip(from).take(to - from).fold(0, |value, digit| value * 10 + u16::from(digit - b'0'))
}

/// The low byte; two digits always fit.
fn low_byte(value: u16) -> u8 {
    value.to_le_bytes()[0]
}

/// UTC seconds since 1970 of `yyyymmddhhmmss`.
fn start_seconds(digits: &str) -> Option<i64> {
    let two = |from| u32::from(number(digits, from, from + 2));
    let date = NaiveDate::from_ymd_opt(i32::from(number(digits, 0, 4)), two(4), two(6))?;
    Some(date.and_hms_opt(two(8), two(10), two(12))?.and_utc().timestamp())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_subsetted_file_is_named_after_its_granule() {
        let name: GranuleName = "/data/processed_ATL08_20200821122613_08730802_004_01.h5".parse().unwrap();
        assert_eq!(name.id(), "ATL08_20200821122613_08730802_004_01");
        assert_eq!((name.rgt, name.cycle, name.region, name.release, name.revision), (873, 8, 2, 4, 1));
        assert_eq!(name.start, 1_598_012_773);
        assert!(name.is_subset());
        let name: GranuleName = "ATL08_20200821122613_08730802_004_01_subsetted.h5".parse().unwrap();
        assert!(name.subsetted && !name.processed);
    }

    #[test]
    fn another_name_is_refused_with_its_first_invalid_part() {
        for (name, reason) in [
            ("", "begin"),
            ("ATL03_20200821122613_08730802_004_01.h5", "begin"),
            ("ATL08_2020082112261_08730802_004_01.h5", "14 digits"),
            ("ATL08_20210229122613_08730802_004_01.h5", "date"),
            ("ATL08_20200821242613_08730802_004_01.h5", "date"),
            ("ATL08_20200821122613_13880802_004_01.h5", "1387"),
            ("ATL08_20200821122613_08730815_004_01.h5", "region"),
            ("ATL08_20200821122613_08730802_004_01_x.h5", "there is more"),
            ("ATL08_20200821122613_08730802_004_०1.h5", "revision"),
        ] {
            let error = name.parse::<GranuleName>().unwrap_err();
            assert!(error.reason.contains(reason), "{error}");
        }
    }

    #[test]
    fn an_id_is_found_within_any_file_name() {
        const ID: &str = "ATL08_20200821122613_08730802_004_01";
        for (name, subset) in [
            ("{}", false),
            ("{}.h5", false),
            ("{}.h5.h5", false),
            ("{} (1).h5", false),
            ("copy of {}.h5", false),
            ("/ATL08_20180101000000_00010101_001_01/Kopie von {} - Kopie.h5", false),
            ("C:\\data\\{}.nc", false),
            ("processed_{}.h5", true),
            ("{}_subsetted (1).h5", true),
            ("105641018_{}_subsetted.h5", true),
            ("https://harmony.earthdata.nasa.gov/x/4048675_{}_subsetted.nc4", true),
            ("{}_HEGOUT.h5", true),
            ("{}_h_canopy_subsetted.h5", true),
            ("forêt_{}_né.h5", false),
            ("{}-{}_subsetted.h5", true),
        ] {
            let name = GranuleName::find(&name.replace("{}", ID)).unwrap().unwrap_or_else(|| panic!("{name}"));
            assert_eq!((name.id().as_str(), name.is_subset()), (ID, subset));
        }
        let lower = GranuleName::find("atl08_20200821122613_08730802_004_01.h5").unwrap().unwrap();
        assert_eq!(lower.id(), ID);
    }

    #[test]
    fn a_name_without_a_valid_id_has_no_granule() {
        for name in [
            "",
            "ATL03_20200821122613_08730802_004_01.h5",
            "ATL08_20200821122613_08730802_004_011.h5",
            "ATL08_20200821122613_08730802_004_0é.h5",
            "ATL08_20209921122613_08730802_004_01.h5",
            "ATL08_20200821122613_08730802_004_01/x.h5",
        ] {
            assert_eq!(GranuleName::find(name), Ok(None), "{name}");
        }
    }

    #[test]
    fn a_name_with_two_ids_is_an_error() {
        let name = "ATL08_20200821122613_08730802_004_01_ATL08_20200821122613_08730802_005_01.h5";
        let several = GranuleName::find(name).unwrap_err();
        assert_eq!((several.0.release, several.1.release), (4, 5));
    }

    proptest! {
        #[test]
        fn a_written_name_is_read_back(
            // 0000-01-01 to 9999-12-31
            start in -62_167_219_200_i64..=253_402_300_799,
            rgt in 1_u16..=1387, cycle in 1_u8..=99, region in 1_u8..=14, release in 0_u16..=999, revision in 0_u8..=99,
            processed: bool, subsetted: bool,
        ) {
            let name = GranuleName { start, rgt, cycle, region, release, revision, processed, subsetted };
            prop_assert_eq!(name.to_string().parse::<GranuleName>(), Ok(name));
            let plain = GranuleName { processed: false, subsetted: false, ..name };
            prop_assert_eq!(name.id().parse::<GranuleName>(), Ok(plain));
        }

        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = text.parse::<GranuleName>();
            let _ = GranuleName::find(&text);
        }
    }
}
