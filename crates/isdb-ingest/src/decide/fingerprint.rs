//! The fingerprint of a selection: the values that a new attempt with this selection would have in the columns of the
//! ledger, for comparison with the attempts that are in the ledger.

use std::collections::HashSet;
use std::hash::Hasher as _;

use isdb_pipeline::Selection;
use isdb_schema::columns::EXPRESSION;
use isdb_schema::filters::{NONE, Rule, describe};
use twox_hash::XxHash64;

use crate::decide::stored_attempt::StoredSelection;

/// The area, variables, derived columns and filters of a new attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    /// The name of the area in the ledger; None for whole granules.
    pub(crate) area: Option<String>,
    /// The names of the variables.
    pub(crate) variables: Vec<&'static str>,
    /// The derived columns as a JSON list of names and SQL; `none` without any.
    pub(crate) derived: String,
    /// Equal for two selections that derive the same columns.
    pub(crate) derived_hash: String,
    /// The names of the filters; `none` without any.
    pub(crate) filters: String,
    /// Equal for two selections with the same filters: names, SQL and order.
    pub(crate) filters_hash: String,
}

impl Fingerprint {
    /// Creates the fingerprint of `selection` in the area with this name.
    pub(crate) fn new(selection: &Selection, area: Option<String>) -> Fingerprint {
        let columns: Vec<(String, String)> = selection
            .derived()
            .iter()
            .map(|field| (field.name().clone(), field.metadata().get(EXPRESSION).cloned().unwrap_or_default()))
            .collect();
        let derived = if columns.is_empty() {
            NONE.to_owned()
        } else {
            // Strings always have a JSON form.
            serde_json::to_string(&columns).unwrap_or_default()
        };
        let filters = selection.filters();
        Fingerprint {
            area,
            variables: selection.variables().iter().map(|variable| variable.name).collect(),
            derived_hash: hash(columns.iter().flat_map(|(name, sql)| [name.as_str(), sql])),
            derived,
            filters_hash: filters_hash(&filters),
            filters: describe(&filters),
        }
    }

    /// Whether an attempt with the selection `stored` has stored everything that a new attempt would store. `covers(stored, requested)` says
    /// whether the first area contains the second, both by name.
    pub(crate) fn is_satisfied_by(&self, stored: &StoredSelection, covers: &dyn Fn(&str, &str) -> bool) -> bool {
        let has_variables = || {
            let names: HashSet<&str> = stored.variables.split(' ').collect();
            self.variables.iter().all(|name| names.contains(name))
        };
        self.has_area(stored, covers) && self.has_same_filters(stored) && has_variables()
    }

    /// Whether the area of an attempt with the selection `stored` contains this one.
    pub(crate) fn has_area(&self, stored: &StoredSelection, covers: &dyn Fn(&str, &str) -> bool) -> bool {
        match (&stored.area, &self.area) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(stored), Some(requested)) => stored == requested || covers(stored, requested),
        }
    }

    /// Whether an attempt with the selection `stored` had the same filters and derived columns.
    pub(crate) fn has_same_filters(&self, stored: &StoredSelection) -> bool {
        stored.filters_hash == self.filters_hash && stored.derived_hash == self.derived_hash
    }
}

/// Returns the ledger's `filters_hash` of `filters`.
pub(crate) fn filters_hash(filters: &[Rule]) -> String {
    hash(filters.iter().flat_map(|rule| [rule.predicate.name.as_str(), rule.predicate.sql.as_str()]))
}

/// Returns 16 hexadecimal digits for `texts` in their order. 0xff, which is not part of any UTF-8 text, separates them.
fn hash<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut hasher = XxHash64::with_seed(0);
    for text in texts {
        hasher.write(text.as_bytes());
        hasher.write(&[0xff]);
    }
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use isdb_schema::catalogue::variable;
    use isdb_schema::filters::choose;

    use super::*;

    fn fingerprint(filters: &str, variables: &[&str], area: Option<&str>) -> Fingerprint {
        let variables: Vec<_> = variables.iter().map(|name| variable(name).unwrap()).collect();
        let selection = Selection::bind(&variables, &[], &choose(filters).unwrap()).unwrap();
        Fingerprint::new(&selection, area.map(str::to_owned))
    }

    fn stored(fingerprint: &Fingerprint) -> StoredSelection {
        StoredSelection {
            area: fingerprint.area.clone(),
            variables: fingerprint.variables.join(" "),
            derived_hash: fingerprint.derived_hash.clone(),
            filters_hash: fingerprint.filters_hash.clone(),
            missing_variables: None,
        }
    }

    #[test]
    fn an_attempt_satisfies_fewer_variables_but_not_more_or_other_filters() {
        let first = stored(&fingerprint("night,strong", &["h_canopy", "dem_h"], None));
        let is_satisfied = |fingerprint: Fingerprint| fingerprint.is_satisfied_by(&first, &|_, _| false);
        assert!(is_satisfied(fingerprint("night,strong", &["dem_h"], None)));
        assert!(!is_satisfied(fingerprint("night,strong", &["dem_h", "asr"], None)));
        assert!(
            !is_satisfied(fingerprint("strong,night", &["dem_h"], None)),
            "the order decides which filter counts a segment"
        );
        assert!(!is_satisfied(fingerprint("none", &["dem_h"], None)));
    }

    #[test]
    fn an_attempt_satisfies_an_area_that_its_own_covers() {
        let covers = |stored: &str, requested: &str| stored == "big" && requested == "small";
        let is_satisfied = |stored_area, requested| {
            let stored = stored(&fingerprint("none", &[], stored_area));
            fingerprint("none", &[], requested).is_satisfied_by(&stored, &covers)
        };
        assert!(
            is_satisfied(None, None) && is_satisfied(None, Some("small")) && is_satisfied(Some("big"), Some("small"))
        );
        assert!(is_satisfied(Some("small"), Some("small")));
        assert!(!is_satisfied(Some("small"), Some("big")) && !is_satisfied(Some("big"), None));
    }
}
