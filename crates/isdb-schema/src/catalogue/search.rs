//! Search for variables by a part of a name, a pattern, or a plain name.

use glob::Pattern;

use super::table::variables;
use super::variable::Variable;

/// The variables that `pattern` finds, in catalogue order: the variable with that name or plain name (`canopy_h`),
/// otherwise those whose HDF5 path or plain name contains it or, if it has a wildcard `*`, matches it. Case does not
/// matter.
#[must_use]
pub fn matching(pattern: &str) -> Vec<&'static Variable> {
    let pattern = pattern.to_lowercase();
    let is_named = |variable: &&Variable| variable.name == pattern || variable.plain == Some(pattern.as_str());
    if let Some(variable) = variables().iter().find(is_named) {
        return vec![variable];
    }
    let wildcard = pattern.contains('*').then(|| Pattern::new(&pattern).ok()).flatten();
    let fits =
        |text: &str| wildcard.as_ref().map_or_else(|| text.contains(&pattern), |wildcard| wildcard.matches(text));
    let is_found =
        |variable: &&Variable| fits(variable.name) || fits(variable.path) || variable.plain.is_some_and(fits);
    variables().iter().filter(is_found).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(pattern: &str) -> Vec<&str> {
        matching(pattern).iter().map(|variable| variable.name).collect()
    }

    #[test]
    fn a_full_name_finds_only_itself() {
        assert_eq!(names("h_canopy"), ["h_canopy"]);
        assert_eq!(names("canopy_h"), ["h_canopy"], "a plain name finds the product's");
        assert_eq!(names("LANDCOVER"), ["segment_landcover"]);
    }

    #[test]
    fn a_part_and_a_wildcard_find_every_name_that_matches() {
        assert_eq!(names("sigma"), ["sigma_across", "sigma_along", "sigma_atlas_land", "sigma_h", "sigma_topo"]);
        assert_eq!(
            names("h_*_canopy_abs"),
            ["h_max_canopy_abs", "h_mean_canopy_abs", "h_median_canopy_abs", "h_min_canopy_abs"]
        );
        assert_eq!(names("*slope"), ["terrain_slope"]);
        assert_eq!(names("*"), names(""));
        assert!(names("terrain/").len() > 15);
        assert!(names("biomass").is_empty() && names("***").is_empty());
    }
}
