//! Quality filters: named predicates that a segment has to fulfil. The presets are the files of `sql/filters/`, built in;
//! configs and `--filters` choose from them, and configs add their own.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::catalogue::Releases;
use crate::expression::{Expression, Place};
use crate::suggest::{counterpart, near_told};

mod preset;

pub use preset::{Parameter, Preset};

/// The word for no filter at all.
pub const NONE: &str = "none";

/// One predicate. A segment stays if it is TRUE; FALSE and NULL remove it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Name (`night`, or `boreal.strong` for a rule of a preset with several), SQL and place.
    pub predicate: Expression,
    /// The releases whose granules it can be applied to.
    pub releases: Releases,
}

/// A choice of filters that cannot be understood; the text says what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FilterError(pub(crate) String);

macro_rules! shipped {
    ($($name:literal),*) => { [$(($name, include_str!(concat!("../../../sql/filters/", $name, ".sql")))),*] };
}

/// Every preset, those that combine freely first.
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

/// A rule as a database keeps it.
#[derive(Serialize, Deserialize)]
struct Kept {
    name: String,
    sql: String,
    first_release: u16,
    last_release: Option<u16>,
}

/// The rules as a database keeps them, in JSON.
#[must_use]
pub fn to_json(rules: &[Rule]) -> String {
    let kept = rules.iter().map(|rule| Kept {
        name: rule.predicate.name.clone(),
        sql: rule.predicate.sql.clone(),
        first_release: rule.releases.first,
        last_release: rule.releases.last,
    });
    // Strings and numbers always have a JSON form.
    serde_json::to_string(&kept.collect::<Vec<_>>()).unwrap_or_default()
}

/// The rules that [`to_json`] wrote; `None` for anything else.
#[must_use]
pub fn from_json(text: &str) -> Option<Vec<Rule>> {
    let kept: Vec<Kept> = serde_json::from_str(text).ok()?;
    let rule = |kept: Kept| {
        let place = Place::of("the database's filters");
        let releases = Releases { first: kept.first_release, last: kept.last_release };
        Rule { predicate: Expression { name: kept.name, sql: kept.sql, place }, releases }
    };
    Some(kept.into_iter().map(rule).collect())
}

/// Whether two lists of rules remove the same segments in the same order, wherever they were written.
#[must_use]
pub fn same(a: &[Rule], b: &[Rule]) -> bool {
    let meaning = |rule: &Rule| (rule.predicate.name.clone(), rule.predicate.sql.clone());
    a.iter().map(meaning).eq(b.iter().map(meaning))
}

/// The rules of a list such as `strong,night,quality_007(terrain=60)`, in its order. `none` and an empty list give none.
///
/// # Errors
/// For an unknown preset, an unknown parameter, a parameter that is no number, or a filter that is there twice.
pub fn choose(list: &str) -> Result<Vec<Rule>, FilterError> {
    let names = split(list);
    if names.len() > 1 && names.contains(&NONE) {
        return Err(FilterError(format!("{NONE} cannot be combined with other filters")));
    }
    let mut rules: Vec<Rule> = Vec::new();
    for name in names.into_iter().filter(|name| *name != NONE) {
        append(&mut rules, preset_rules(name)?)?;
    }
    Ok(rules)
}

/// The files of the presets in a list such as `strong,quality_007(terrain=60)`, its parameters put in.
///
/// # Errors
/// As of [`choose`], and for `none`, which has no file.
pub fn in_full(list: &str) -> Result<Vec<String>, FilterError> {
    let text = |call| {
        let (name, arguments) = parts(call)?;
        preset(name)?.text(arguments)
    };
    split(list).into_iter().map(text).collect()
}

/// Puts `more` behind `rules`.
///
/// # Errors
/// For a name that is there already: what a filter removes is counted by its name.
pub(crate) fn append(rules: &mut Vec<Rule>, more: Vec<Rule>) -> Result<(), FilterError> {
    for rule in more {
        let name = &rule.predicate.name;
        if rules.iter().any(|other| other.predicate.name == *name) {
            return Err(FilterError(format!("the filter {name} is there twice")));
        }
        rules.push(rule);
    }
    Ok(())
}

/// The rules of one preset, its parameters put in: `quality_007(terrain=60)`.
pub(crate) fn preset_rules(call: &str) -> Result<Vec<Rule>, FilterError> {
    let (name, arguments) = parts(call)?;
    preset(name)?.rules(arguments)
}

/// The preset of this name.
fn preset(name: &str) -> Result<&'static Preset, FilterError> {
    if let Some(preset) = presets().iter().find(|preset| preset.name == name) {
        return Ok(preset);
    }
    if name == NONE {
        return Err(FilterError(format!("{NONE} keeps every segment: it stands alone and has no SQL")));
    }
    // What the product has in place of a quality flag helps; where a column of another name is does not.
    if let Some(instead) = counterpart(name).filter(|instead| instead.starts_with("ATL08 has no ")) {
        return Err(FilterError(format!("there is no filter {name:?}: {instead}")));
    }
    let names = || presets().iter().map(|preset| preset.name);
    let told = match near_told(name, names()) {
        near if near.is_empty() => format!("; there are: {}", names().collect::<Vec<_>>().join(", ")),
        near => near,
    };
    Err(FilterError(format!("there is no filter {name:?}{told}")))
}

/// Name and arguments of `quality_007(terrain=60)`.
fn parts(call: &str) -> Result<(&str, &str), FilterError> {
    let Some((name, rest)) = call.split_once('(') else { return Ok((call.trim(), "")) };
    match rest.trim_end().strip_suffix(')') {
        Some(arguments) => Ok((name.trim(), arguments)),
        None => Err(FilterError(format!("{call:?} has no closing parenthesis"))),
    }
}

/// The names of `rules` for people: `strong, night`, or `none`.
#[must_use]
pub fn told(rules: &[Rule]) -> String {
    match rules {
        [] => NONE.to_owned(),
        rules => rules.iter().map(|rule| rule.predicate.name.as_str()).collect::<Vec<_>>().join(", "),
    }
}

/// The items of a list separated by commas that stand outside parentheses.
fn split(list: &str) -> Vec<&str> {
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
    fn presets_combine_in_the_order_named_and_none_is_none() {
        assert_eq!(names("night, strong"), ["night", "strong"]);
        assert_eq!(names("none"), [""; 0]);
        assert!(choose("none,night").unwrap_err().to_string().contains("combined"));
    }

    #[test]
    fn a_filter_that_is_there_twice_is_an_error() {
        for twice in ["strong,strong", "quality_007,quality_007(terrain=60)"] {
            assert!(choose(twice).unwrap_err().to_string().ends_with(" is there twice"), "{twice}");
        }
    }

    #[test]
    fn presets_are_told_in_full_with_the_parameters_of_the_call() {
        let texts = in_full("strong, quality_007(terrain=60)").unwrap();
        assert_eq!(texts[0], presets()[0].text);
        assert!(texts[1].contains("\nte_quality_score >= 60\n") && texts[1].contains("\ncan_quality_score >= 50\n"));
        assert!(in_full("none").unwrap_err().to_string().contains("keeps every segment"));
    }

    #[test]
    fn every_shipped_preset_says_what_it_does_and_for_which_releases() {
        for preset in presets() {
            assert!(preset.about.len() > 20, "{}", preset.name);
            assert!(preset.releases.first >= 4, "{}", preset.name);
            let rules = preset_rules(preset.name).unwrap();
            assert!(!rules.is_empty() && rules.iter().all(|rule| !rule.predicate.sql.contains('$')), "{}", preset.name);
        }
        assert_eq!(presets().len(), 12);
    }

    #[test]
    fn a_preset_of_several_rules_names_each() {
        assert_eq!(names("icesat2db")[2], "icesat2db.not_urban");
        assert_eq!(names("boreal").len(), 10);
    }

    #[test]
    fn parameters_are_numbers_that_the_preset_knows() {
        let sql = |list| choose(list).unwrap().into_iter().map(|rule| rule.predicate.sql).collect::<Vec<_>>();
        assert_eq!(sql("quality_007(terrain = 60)"), ["te_quality_score >= 60", "can_quality_score >= 50"]);
        for wrong in ["quality_007(ground=60)", "quality_007(terrain=high)", "quality_007(terrain=60", "night(x=1)"] {
            assert!(choose(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_database_gives_back_the_rules_it_was_made_with() {
        let rules = choose("boreal, quality_007").unwrap();
        let back = from_json(&to_json(&rules)).unwrap();
        assert!(same(&rules, &back) && !same(&rules, &back[1..]));
        assert_eq!(back[0].releases, rules[0].releases);
        assert_eq!(from_json("strong"), None);
    }

    #[test]
    fn a_column_s_name_is_not_explained_where_a_filter_is_wanted() {
        let told = choose("night,day").unwrap_err().to_string();
        assert!(told.starts_with("there is no filter \"day\"; there are: strong, night"), "{told}");
    }

    #[test]
    fn an_unknown_preset_tells_the_near_or_all() {
        assert!(choose("nigth").unwrap_err().to_string().contains("night"));
        assert!(choose("zzz").unwrap_err().to_string().contains("boreal"));
        for (foreign, counterpart) in [("sensitivity", "snr"), ("degrade", "msw_flag")] {
            let told = choose(foreign).unwrap_err().to_string();
            assert!(told.starts_with("there is no filter ") && told.contains(counterpart), "{told}");
        }
    }
}
