//! Quality filters: named predicates that a segment must fulfil.
//!
//! The presets are the files of `sql/filters/`, built in (`preset`). Configs and `--filters` list presets, whose [`Rule`]s
//! [`choose`] returns; configs add rules of their own. A database stores its rules as JSON (`rule`).

use std::sync::LazyLock;

use crate::suggest::{counterpart, did_you_mean};

mod error;
mod preset;
mod rule;

pub use error::FilterError;
pub use preset::{Parameter, Preset};
pub(crate) use rule::append;
pub use rule::{NONE, Rule, describe, from_json, same_rules, to_json};

macro_rules! shipped {
    ($($name:literal),*) => { [$(($name, include_str!(concat!("../sql/filters/", $name, ".sql")))),*] };
}

/// Every preset; those that can be combined freely come first.
#[must_use]
pub fn presets() -> &'static [Preset] {
    static PRESETS: LazyLock<Vec<Preset>> = LazyLock::new(|| {
        let files = shipped!(
            "strong",
            "night",
            "low_sun",
            "snow_free",
            "clear",
            "land",
            "not_urban",
            "terrain",
            "canopy",
            "icesat2db",
            "boreal",
            "quality_007"
        );
        files.iter().map(|(name, text)| Preset::parse(name, text)).collect()
    });
    &PRESETS
}

/// The rules of a list such as `strong,night,quality_007(terrain=60)`, in the order of the list. `none` and an empty
/// list have no rules.
///
/// # Errors
/// For an unknown preset, an unknown parameter, a parameter that is not a number, or a filter that is listed twice.
pub fn choose(list: &str) -> Result<Vec<Rule>, FilterError> {
    let calls = split_list(list);
    if calls.len() > 1 && calls.contains(&NONE) {
        return Err(FilterError(format!("{NONE} cannot be combined with other filters")));
    }
    let mut rules: Vec<Rule> = Vec::new();
    for call in calls.into_iter().filter(|call| *call != NONE) {
        append(&mut rules, preset_rules(call)?)?;
    }
    Ok(rules)
}

/// The files of the presets in a list such as `strong,quality_007(terrain=60)`, with the values of their parameters.
///
/// # Errors
/// As for [`choose`], and for `none`, which has no file.
pub fn preset_sql(list: &str) -> Result<Vec<String>, FilterError> {
    let text = |call| {
        let (name, arguments) = name_and_arguments(call)?;
        preset(name)?.text(arguments)
    };
    split_list(list).into_iter().map(text).collect()
}

/// The rules of one preset with the values of its parameters: `quality_007(terrain=60)`.
pub(crate) fn preset_rules(call: &str) -> Result<Vec<Rule>, FilterError> {
    let (name, arguments) = name_and_arguments(call)?;
    preset(name)?.rules(arguments)
}

/// The preset called `name`.
fn preset(name: &str) -> Result<&'static Preset, FilterError> {
    if let Some(preset) = presets().iter().find(|preset| preset.name == name) {
        return Ok(preset);
    }
    if name == NONE {
        return Err(FilterError(format!("{NONE} keeps every segment and has no SQL")));
    }
    // The product's substitutes for a quality flag help here; columns under another name do not.
    if let Some(clause) = counterpart(name).filter(|clause| clause.starts_with("ATL08 has no ")) {
        return Err(FilterError(format!("unknown filter {name:?}: {clause}")));
    }
    let names = || presets().iter().map(|preset| preset.name);
    let help = match did_you_mean(name, names()) {
        question if question.is_empty() => format!("; the filters are {}", names().collect::<Vec<_>>().join(", ")),
        question => question,
    };
    Err(FilterError(format!("unknown filter {name:?}{help}")))
}

/// Name and arguments of `quality_007(terrain=60)`.
fn name_and_arguments(call: &str) -> Result<(&str, &str), FilterError> {
    let Some((name, rest)) = call.split_once('(') else { return Ok((call.trim(), "")) };
    match rest.trim_end().strip_suffix(')') {
        Some(arguments) => Ok((name.trim(), arguments)),
        None => Err(FilterError(format!("{call:?} has no closing parenthesis"))),
    }
}

/// The items of a list, separated by commas outside parentheses.
fn split_list(list: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    let items = list.split(|c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    });
    items.map(str::trim).filter(|item| !item.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &str) -> Vec<String> {
        choose(list).unwrap().into_iter().map(|rule| rule.predicate.name).collect()
    }

    #[test]
    fn presets_combine_in_the_order_of_the_list() {
        assert_eq!(names("night, strong"), ["night", "strong"]);
        assert_eq!(names("none"), [""; 0]);
        assert!(choose("none,night").unwrap_err().to_string().contains("combined"));
    }

    #[test]
    fn a_filter_that_is_listed_twice_is_an_error() {
        for twice in ["strong,strong", "quality_007,quality_007(terrain=60)"] {
            assert!(choose(twice).unwrap_err().to_string().ends_with(" is listed twice"), "{twice}");
        }
    }

    #[test]
    fn the_sql_of_a_preset_has_the_values_of_its_parameters() {
        let texts = preset_sql("strong, quality_007(terrain=60)").unwrap();
        assert_eq!(texts[0], presets()[0].text);
        assert!(texts[1].contains("\nte_quality_score >= 60\n") && texts[1].contains("\ncan_quality_score >= 50\n"));
        assert!(preset_sql("none").unwrap_err().to_string().contains("keeps every segment"));
    }

    #[test]
    fn every_shipped_preset_has_a_description_releases_and_rules() {
        for preset in presets() {
            assert!(preset.about.len() > 20, "{}", preset.name);
            assert!(preset.releases.first >= 4, "{}", preset.name);
            let rules = preset_rules(preset.name).unwrap();
            assert!(!rules.is_empty() && rules.iter().all(|rule| !rule.predicate.sql.contains('$')), "{}", preset.name);
        }
        assert_eq!(presets().len(), 12);
    }

    #[test]
    fn every_rule_of_a_preset_has_a_name() {
        assert_eq!(names("icesat2db")[2], "icesat2db.not_urban");
        assert_eq!(names("boreal").len(), 10);
    }

    #[test]
    fn parameters_are_numbers_of_the_preset() {
        let sql = |list| choose(list).unwrap().into_iter().map(|rule| rule.predicate.sql).collect::<Vec<_>>();
        assert_eq!(sql("quality_007(terrain = 60)"), ["te_quality_score >= 60", "can_quality_score >= 50"]);
        for wrong in ["quality_007(ground=60)", "quality_007(terrain=high)", "quality_007(terrain=60", "night(x=1)"] {
            assert!(choose(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn stored_rules_are_read_back() {
        let rules = choose("boreal, quality_007").unwrap();
        let back = from_json(&to_json(&rules)).unwrap();
        assert!(same_rules(&rules, &back) && !same_rules(&rules, &back[1..]));
        assert_eq!(back[0].releases, rules[0].releases);
        assert_eq!(from_json("strong"), None);
    }

    #[test]
    fn an_unknown_filter_is_not_explained_as_a_column() {
        let message = choose("night,day").unwrap_err().to_string();
        assert!(message.starts_with("unknown filter \"day\"; the filters are strong, night"), "{message}");
    }

    #[test]
    fn an_unknown_filter_suggests_similar_filters_or_all() {
        assert!(choose("nigth").unwrap_err().to_string().contains("night"));
        assert!(choose("zzz").unwrap_err().to_string().contains("boreal"));
        for (foreign, counterpart) in [("sensitivity", "snr"), ("degrade", "msw_flag")] {
            let message = choose(foreign).unwrap_err().to_string();
            assert!(message.starts_with("unknown filter ") && message.contains(counterpart), "{message}");
        }
    }
}
