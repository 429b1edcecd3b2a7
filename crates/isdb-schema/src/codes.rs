//! The values of columns with codes, as the product lists them.

use std::fmt;

use crate::catalogue::{Releases, Variable, named};
use crate::ledger::GranuleState;

/// The beams, from the left of the track to the right.
const BEAMS: [&str; 6] = ["gt1l", "gt1r", "gt2l", "gt2r", "gt3l", "gt3r"];

/// The values of `beam_strength`.
const STRENGTHS: [&str; 2] = ["strong", "weak"];

/// The values that a column can have, apart from NULL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Codes {
    /// Words in lower case.
    Words(Vec<&'static str>),
    /// Numbers with meanings.
    Numbers(Vec<Code>),
    /// Whole numbers from the first to the second.
    Range(i64, i64),
}

/// One code, and the releases that use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// The number.
    pub value: i64,
    /// Its meaning, in words joined by `_`.
    pub meaning: &'static str,
    /// The releases in which it has this meaning.
    pub releases: Releases,
}

/// The codes of a column of a segment or its granule, by the product's name or the plain name (`landcover`). `None` for
/// a column without codes and for codes that the product does not list.
#[must_use]
pub fn codes(column: &str) -> Option<Codes> {
    match column {
        "beam" => Some(Codes::Words(BEAMS.to_vec())),
        "beam_strength" => Some(Codes::Words(STRENGTHS.to_vec())),
        "sc_orient" => Some(Codes::Numbers(numbers(Releases::ALL, "0 1 2", "backward forward transition"))),
        "spot" => Some(Codes::Range(1, 6)),
        // A granule is one of 14 parts of an orbit.
        "region" => Some(Codes::Range(1, 14)),
        _ => named(column)
            .filter(|variable| variable.dtype.is_integer() && variable.width == 1)
            .and_then(codes_of_variable),
    }
}

/// The codes of a column of the ledger that the segments do not have.
#[must_use]
pub fn ledger_codes(column: &str) -> Option<Codes> {
    match column {
        "state" => Some(Codes::Words(GranuleState::ALL.map(GranuleState::as_str).to_vec())),
        _ => None,
    }
}

/// Whether `text` is a code such as `gt1l`, in any case.
#[must_use]
pub fn is_code_word(text: &str) -> bool {
    let lower = text.to_lowercase();
    BEAMS.iter().chain(&STRENGTHS).any(|word| *word == lower)
}

fn codes_of_variable(variable: &Variable) -> Option<Codes> {
    if !variable.flag_values.is_empty() {
        let earlier = variable.earlier_flags;
        let first = earlier.and_then(|flags| flags.releases.last).map_or(Releases::ALL.first, |last| last + 1);
        let latest = Releases { first: first.max(variable.releases.first), last: variable.releases.last };
        let mut codes = numbers(latest, variable.flag_values, variable.flag_meanings);
        codes.extend(earlier.into_iter().flat_map(|flags| numbers(flags.releases, flags.values, flags.meanings)));
        return Some(Codes::Numbers(codes));
    }
    #[expect(clippy::cast_possible_truncation, reason = "limits of integers, as the product states them")]
    let range = |(low, high): (f64, f64)| (high.is_finite()).then_some(Codes::Range(low as i64, high as i64));
    variable.valid_range.and_then(range)
}

fn numbers(releases: Releases, values: &'static str, meanings: &'static str) -> Vec<Code> {
    let pairs = values.split_whitespace().zip(meanings.split_whitespace());
    pairs.filter_map(|(value, meaning)| Some(Code { value: value.parse().ok()?, meaning, releases })).collect()
}

impl Codes {
    /// Whether `word` is a value.
    #[must_use]
    pub fn has_word(&self, word: &str) -> bool {
        match self {
            Codes::Words(words) => words.contains(&word),
            _ => word.trim().parse().is_ok_and(|number| self.has_number(number)),
        }
    }

    /// Whether `number` is a value.
    #[must_use]
    pub fn has_number(&self, number: i64) -> bool {
        match self {
            Codes::Words(_) => false,
            Codes::Numbers(codes) => codes.iter().any(|code| code.value == number),
            Codes::Range(low, high) => (*low..=*high).contains(&number),
        }
    }

    /// Whether there are too many codes for a message.
    #[must_use]
    pub fn is_long(&self) -> bool {
        matches!(self, Codes::Numbers(codes) if codes.len() > 8)
    }
}

impl fmt::Display for Codes {
    /// `gt1l, gt1r, …`, `0 (day), 1 (night)`, or `1 to 1387`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Codes::Words(words) => f.write_str(&words.join(", ")),
            Codes::Numbers(codes) => {
                let text = |code: &Code| format!("{} ({})", code.value, code.meaning);
                f.write_str(&codes.iter().map(text).collect::<Vec<_>>().join(", "))
            }
            Codes::Range(low, high) => write!(f, "{low} to {high}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::variables;

    #[test]
    fn codes_are_found_by_the_product_s_name_and_the_plain_one() {
        assert_eq!(codes("landcover"), codes("segment_landcover"));
        let landcover = codes("landcover").unwrap();
        assert!(landcover.has_number(111) && landcover.has_number(5) && !landcover.has_number(999));
        assert!(codes("beam").is_some_and(|codes| codes.has_word("gt1l") && !codes.has_word("GT1L")));
        assert_eq!(codes("night_flag").unwrap().to_string(), "0 (day), 1 (night)");
        assert_eq!(codes("rgt").unwrap().to_string(), "1 to 1387");
    }

    #[test]
    fn a_code_has_the_releases_that_use_it() {
        let Some(Codes::Numbers(landcover)) = codes("landcover") else { panic!("numbers") };
        let releases = |value| {
            let uses: Vec<_> = landcover.iter().filter(|code| code.value == value).map(|code| code.releases).collect();
            [4, 5, 7].map(|release| uses.iter().any(|releases| releases.contains(release)))
        };
        assert_eq!(releases(5), [true, false, false], "a forest of IGBP");
        assert_eq!(releases(111), [false, true, true], "a forest of Copernicus");
        assert_eq!(releases(0), [true, true, true], "water, and unknown");
    }

    #[test]
    fn measurements_and_counts_have_no_codes() {
        for column in ["h_canopy", "latitude", "n_ca_photons", "segment_id_beg", "surf_type", "solar_elevation", "mine"]
        {
            assert_eq!(codes(column), None, "{column}");
        }
    }

    #[test]
    fn every_flag_of_the_product_has_as_many_meanings_as_values() {
        for variable in variables().iter().filter(|variable| !variable.flag_values.is_empty() && variable.width == 1) {
            let Some(Codes::Numbers(found)) = codes(variable.name) else { panic!("{}", variable.name) };
            let earlier = variable.earlier_flags.map_or(0, |flags| flags.values.split_whitespace().count());
            assert_eq!(found.len(), variable.flag_values.split_whitespace().count() + earlier, "{}", variable.name);
        }
    }
}
