//! Finding variables by what people type: a part of a name, a pattern, or a plain name.

use super::{Variable, variables};

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
}
