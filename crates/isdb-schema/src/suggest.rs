//! What somebody may have meant by a name that is not there: names near it, and ATL08's counterpart of names that other
//! products and tools use.

use std::collections::BTreeSet;

use strsim::damerau_levenshtein;

mod counterpart;
mod function;
mod missing;

pub use counterpart::counterpart;
pub use function::function_counterpart;
pub use missing::missing_column;

/// At most this many names are worth reading.
const MOST: usize = 4;

/// The names near to `typed`, at most four, best first; case does not count. A misspelling comes before the same words in
/// another order (`h_canopy` for `canopy_h`; `te` is `terrain`), then names that begin with what was typed, then those that
/// contain it or are contained in it, then those that begin with something like it, then those that share a word. Among equals the order of `names` decides.
#[must_use]
pub fn near<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let typed = typed.to_lowercase();
    let mut seen = BTreeSet::new();
    let unseen = names.into_iter().filter(|name| seen.insert(*name));
    let mut ranked: Vec<((u8, usize), &str)> =
        unseen.filter_map(|name| Some((rank(&typed, &name.to_lowercase())?, name))).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().take(MOST).map(|(_, name)| name).collect()
}

/// The end of a sentence about the unknown name `typed`: `; near it: a, b`, or nothing where no name is [`near`].
#[must_use]
pub fn near_told<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    match near(typed, names).as_slice() {
        [] => String::new(),
        near => format!("; near it: {}", near.join(", ")),
    }
}

/// How far `name` is from `typed`, smaller being nearer; None where nothing connects them.
fn rank(typed: &str, name: &str) -> Option<(u8, usize)> {
    if typed.is_empty() {
        return None;
    }
    let distance = damerau_levenshtein(typed, name);
    if distance <= (typed.chars().count() / 4).max(1) {
        return Some((0, distance));
    }
    let (typed_words, name_words) = (words(typed), words(name));
    if typed_words == name_words {
        return Some((1, 0));
    }
    if name.starts_with(typed) {
        return Some((2, 0));
    }
    if name.contains(typed) || (name.len() > 3 && typed.contains(name)) {
        return Some((3, 0));
    }
    if is_misspelt_beginning(typed, name) {
        return Some((4, 0));
    }
    let shared = typed_words.iter().filter(|word| word.len() > 2 && name_words.contains(*word)).count();
    (shared > 0).then_some((5, usize::MAX - shared))
}

/// Whether one letter makes `typed` the beginning of `name`; in shorter words one letter is too much.
fn is_misspelt_beginning(typed: &str, name: &str) -> bool {
    let beginning: String = name.chars().take(typed.chars().count()).collect();
    typed.len() > 4 && damerau_levenshtein(typed, &beginning) <= 1
}

/// The parts between underscores, the product's abbreviations written out.
fn words(name: &str) -> BTreeSet<&str> {
    let full = |word| match word {
        "te" => "terrain",
        "can" | "ca" => "canopy",
        "lat" => "latitude",
        "lon" | "long" => "longitude",
        "height" => "h",
        "avg" | "average" => "mean",
        word => word,
    };
    name.split('_').filter(|word| !word.is_empty()).map(full).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::catalogue::variables;

    /// What the view `atl08` offers: the product's names, then plain ones.
    fn names() -> Vec<&'static str> {
        let plain =
            ["canopy_h", "canopy_h_mean", "terrain_h", "terrain_h_mean", "landcover", "time", "beam", "granule"];
        variables().iter().map(|variable| variable.name).chain(plain).collect()
    }

    #[test]
    fn an_abbreviation_finds_the_columns_that_begin_with_it() {
        assert_eq!(near("lat", names()), ["latitude", "latitude_20m"]);
        assert_eq!(near("LON", names())[0], "longitude");
    }

    #[test]
    fn terrain_height_is_found_under_both_its_names() {
        let found = near("h_te", names());
        assert_eq!(found[..2], ["terrain_h", "h_te_best_fit"]);
        assert_eq!(found.len(), 4);
    }

    #[test]
    fn a_misspelling_comes_before_everything_else() {
        assert_eq!(near("h_canopi", names())[0], "h_canopy");
        assert_eq!(near("nightflag", names())[0], "night_flag");
        assert_eq!(near("Segment_Landcovr", names())[0], "segment_landcover");
        assert!(near("h_tee", names()).contains(&"h_te_best_fit"));
    }

    #[test]
    fn words_in_another_order_are_the_same_name() {
        assert_eq!(near("mean_canopy_height", names())[..2], ["h_mean_canopy", "canopy_h_mean"]);
    }

    #[test]
    fn a_word_in_common_is_better_than_nothing() {
        assert!(near("cloud_mask", names()).contains(&"cloud_flag_atm"));
        assert_eq!(near("velocity", names()), Vec::<&str>::new());
    }

    proptest! {
        #[test]
        fn whatever_is_typed_at_most_four_names_come_back_each_once(typed in ".{0,20}") {
            let found = near(&typed, names());
            let distinct: BTreeSet<_> = found.iter().collect();
            prop_assert!(found.len() <= 4 && distinct.len() == found.len());
        }

        #[test]
        fn a_name_itself_comes_first_in_any_case(index in 0..names().len()) {
            prop_assert_eq!(near(&names()[index].to_uppercase(), names())[0], names()[index]);
        }
    }
}
