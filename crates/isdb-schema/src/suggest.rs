//! Did-you-mean suggestions for unknown names: similar names, and ATL08's counterparts of the names and functions of
//! other products and tools.

use std::collections::BTreeSet;

use strsim::damerau_levenshtein;

mod counterpart;
mod function;
mod missing;

pub use counterpart::counterpart;
pub use function::function_counterpart;
pub use missing::missing_column;

/// The maximum number of suggestions for one name.
const MAX_NAMES: usize = 4;

/// At most four of `names` that are similar to `typed`, best first. Case does not matter. The order is: misspellings;
/// the same words in another order (`h_canopy` for `canopy_h`; `te` is `terrain`); names that begin with `typed`; names
/// that contain it or are contained in it; names that begin with a misspelling of it; names that share a word. Equally
/// similar names keep their order.
#[must_use]
pub fn similar_names<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let typed = typed.to_lowercase();
    let mut seen = BTreeSet::new();
    let unseen = names.into_iter().filter(|name| seen.insert(*name));
    let mut ranked: Vec<((u8, usize), &str)> =
        unseen.filter_map(|name| Some((rank(&typed, &name.to_lowercase())?, name))).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().take(MAX_NAMES).map(|(_, name)| name).collect()
}

/// The end of a sentence about the unknown name `typed`, with the [similar names](similar_names): `; did you mean a or
/// b?`. Empty if there are none.
#[must_use]
pub fn did_you_mean<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    suggestion(&similar_names(typed, names))
}

/// The end of a sentence that suggests `names`: `; did you mean a, b or c?`. Empty for no names.
#[must_use]
pub fn suggestion(names: &[impl AsRef<str>]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    match names.as_slice() {
        [] => String::new(),
        [only] => format!("; did you mean {only}?"),
        [first @ .., last] => format!("; did you mean {} or {last}?", first.join(", ")),
    }
}

/// The distance of `name` from `typed`, smaller for more similar names; `None` if they have nothing in common.
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

/// Whether `typed` differs by at most one letter from the beginning of `name`. In shorter words one letter is too much.
fn is_misspelt_beginning(typed: &str, name: &str) -> bool {
    let beginning: String = name.chars().take(typed.chars().count()).collect();
    typed.len() > 4 && damerau_levenshtein(typed, &beginning) <= 1
}

/// The words between underscores, with the product's abbreviations spelled out.
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

    /// The columns of the view `atl08`: the product's names, then plain ones.
    fn names() -> Vec<&'static str> {
        let plain =
            ["canopy_h", "canopy_h_mean", "terrain_h", "terrain_h_mean", "landcover", "time", "beam", "granule"];
        variables().iter().map(|variable| variable.name).chain(plain).collect()
    }

    #[test]
    fn an_abbreviation_suggests_the_columns_that_begin_with_it() {
        assert_eq!(similar_names("lat", names()), ["latitude", "latitude_20m"]);
        assert_eq!(similar_names("LON", names())[0], "longitude");
    }

    #[test]
    fn terrain_height_is_suggested_under_both_names() {
        let found = similar_names("h_te", names());
        assert_eq!(found[..2], ["terrain_h", "h_te_best_fit"]);
        assert_eq!(found.len(), 4);
    }

    #[test]
    fn a_misspelling_is_suggested_first() {
        assert_eq!(similar_names("h_canopi", names())[0], "h_canopy");
        assert_eq!(similar_names("nightflag", names())[0], "night_flag");
        assert_eq!(similar_names("Segment_Landcovr", names())[0], "segment_landcover");
        assert!(similar_names("h_tee", names()).contains(&"h_te_best_fit"));
    }

    #[test]
    fn words_in_another_order_are_suggested() {
        assert_eq!(similar_names("mean_canopy_height", names())[..2], ["h_mean_canopy", "canopy_h_mean"]);
    }

    #[test]
    fn a_name_with_a_word_in_common_is_suggested() {
        assert!(similar_names("cloud_mask", names()).contains(&"cloud_flag_atm"));
        assert_eq!(similar_names("velocity", names()), Vec::<&str>::new());
    }

    #[test]
    fn suggestions_end_a_sentence() {
        assert_eq!(did_you_mean("nightflag", ["night_flag"]), "; did you mean night_flag?");
        assert_eq!(suggestion(&["a", "b", "c"]), "; did you mean a, b or c?");
        assert_eq!(did_you_mean("velocity", ["beam"]), "");
    }

    proptest! {
        #[test]
        fn at_most_four_different_names_are_suggested(typed in ".{0,20}") {
            let found = similar_names(&typed, names());
            let distinct: BTreeSet<_> = found.iter().collect();
            prop_assert!(found.len() <= 4 && distinct.len() == found.len());
        }

        #[test]
        fn the_name_itself_comes_first_in_any_case(index in 0..names().len()) {
            prop_assert_eq!(similar_names(&names()[index].to_uppercase(), names())[0], names()[index]);
        }
    }
}
