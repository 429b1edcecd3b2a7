//! Finding variables by what people type: a part of a name, a pattern, a plain name, or a name with a slip in it.

use super::{Variable, variables};

/// Names less alike than this are no suggestion.
const ALIKE: f64 = 0.85;

/// How many names are worth suggesting.
const SUGGESTIONS: usize = 4;

/// The variables that `pattern` finds, in catalogue order: the one of that very name or plain name (`canopy_h`), else those
/// whose HDF5 path or plain name contains it, or fits it where it has a `*`. Upper and lower case are alike.
#[must_use]
pub fn matching(pattern: &str) -> Vec<&'static Variable> {
    let pattern = pattern.to_lowercase();
    let named = |variable: &&Variable| variable.name == pattern || variable.plain == Some(pattern.as_str());
    if let Some(variable) = variables().iter().find(named) {
        return vec![variable];
    }
    let fits = |text: &str| if pattern.contains('*') { fits(text, &pattern) } else { text.contains(&pattern) };
    let found = |variable: &&Variable| fits(variable.name) || fits(variable.path) || variable.plain.is_some_and(fits);
    variables().iter().filter(found).collect()
}

/// Names that someone who typed `typed` may have meant, the likeliest first; a plain name leads to the product's.
#[must_use]
pub fn near(typed: &str) -> Vec<&'static str> {
    let typed = typed.to_lowercase();
    let mut scored: Vec<(f64, &str)> = variables()
        .iter()
        .map(|variable| (likeness(&typed, variable), variable.name))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().map(|(_, name)| name).take(SUGGESTIONS).collect()
}

/// From 0 to 1; a name inside the other counts as rather alike.
fn likeness(typed: &str, variable: &Variable) -> f64 {
    let likeness = |name: &str| {
        let inside = typed.len() > 2 && (name.contains(typed) || typed.contains(name));
        strsim::jaro_winkler(typed, name).max(if inside { ALIKE } else { 0.0 })
    };
    likeness(variable.name).max(variable.plain.map_or(0.0, likeness))
}

/// Whether the whole of `text` fits `pattern`, in which `*` stands for anything.
fn fits(text: &str, pattern: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return text == pattern };
    let Some(text) = text.strip_prefix(start) else { return false };
    text.char_indices()
        .map(|(at, _)| at)
        .chain([text.len()])
        .any(|at| text.get(at..).is_some_and(|text| fits(text, rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(pattern: &str) -> Vec<&str> {
        matching(pattern).iter().map(|variable| variable.name).collect()
    }

    #[test]
    fn a_whole_name_finds_itself_alone_though_others_contain_it() {
        assert_eq!(names("h_canopy"), ["h_canopy"]);
        assert_eq!(names("canopy_h"), ["h_canopy"], "a plain name leads to the product's");
        assert_eq!(names("LANDCOVER"), ["segment_landcover"]);
    }

    #[test]
    fn a_part_finds_all_that_contain_it_and_a_star_stands_for_anything() {
        assert_eq!(names("sigma"), ["sigma_across", "sigma_along", "sigma_atlas_land", "sigma_h", "sigma_topo"]);
        assert_eq!(
            names("h_*_canopy_abs"),
            ["h_max_canopy_abs", "h_mean_canopy_abs", "h_median_canopy_abs", "h_min_canopy_abs"]
        );
        assert_eq!(names("*slope"), ["terrain_slope"]);
        assert!(names("terrain/").len() > 15);
        assert!(names("biomass").is_empty());
    }

    #[test]
    fn a_slip_is_answered_with_what_was_meant() {
        assert_eq!(near("h_canopi").first(), Some(&"h_canopy"));
        assert_eq!(near("canopy_h").first(), Some(&"h_canopy"));
        assert!(near("landcover").contains(&"segment_landcover"));
        assert!(near("biomass").is_empty());
    }
}
