//! What a request takes of a granule, as the ledger remembers it, so that both can be compared: a granule is done only for
//! what it was ingested with.

use std::collections::HashSet;
use std::hash::Hasher as _;

use arrow::datatypes::Field;
use isdb_pipeline::Selection;
use isdb_region::Region;
use isdb_schema::columns::EXPRESSION;
use isdb_schema::filters::{NONE, Rule, describe};
use isdb_store::LedgerRow;
use serde::Serialize;
use twox_hash::XxHash64;

/// What a run takes of granules, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Terms {
    /// The area, as the ledger names it; None for whole granules.
    pub area: Option<String>,
    /// The same as `W,S,E,N` or GeoJSON.
    pub region: Option<String>,
    /// Names of the product's variables.
    pub variables: Vec<&'static str>,
    /// Derived columns, in their order.
    pub derived: Vec<Named>,
    /// Filters, in their order.
    pub filters: Vec<Named>,
}

/// A filter or a derived column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Its SQL.
    pub sql: String,
}

impl Named {
    /// The filters of `rules`.
    #[must_use]
    pub fn filters(rules: &[Rule]) -> Vec<Named> {
        let named = |rule: &Rule| Named { name: rule.predicate.name.clone(), sql: rule.predicate.sql.clone() };
        rules.iter().map(named).collect()
    }

    /// The columns that `fields` derive.
    #[must_use]
    pub fn derived(fields: &[Field]) -> Vec<Named> {
        let sql = |field: &Field| field.metadata().get(EXPRESSION).cloned().unwrap_or_default();
        fields.iter().map(|field| Named { name: field.name().clone(), sql: sql(field) }).collect()
    }
}

impl Terms {
    /// What `selection` takes of the area called `area`, which is `region`.
    pub(crate) fn of(selection: &Selection, area: Option<String>, region: Option<&Region>) -> Terms {
        Terms {
            area,
            region: region.map(Region::to_text),
            variables: selection.variables().iter().map(|variable| variable.name).collect(),
            derived: Named::derived(&selection.derived()),
            filters: Named::filters(&selection.filters()),
        }
    }
}

/// The area, variables, derived columns and filters that are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The name of the area, as the ledger keeps it; None for whole granules.
    pub(crate) area: Option<String>,
    /// Names of the variables.
    pub(crate) variables: Vec<&'static str>,
    /// Derived columns as JSON, a list of names and SQL; `none` without.
    pub(crate) derived: String,
    /// Tells whether two requests derive the same.
    pub(crate) derived_hash: String,
    /// The names of the filters, `none` without.
    pub(crate) filters: String,
    /// Tells whether two requests filter the same, by names, SQL and order.
    pub(crate) filters_hash: String,
}

impl Wanted {
    /// What `selection` takes of the area called `area`.
    pub(crate) fn of(selection: &Selection, area: Option<String>) -> Wanted {
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
        Wanted {
            area,
            variables: selection.variables().iter().map(|variable| variable.name).collect(),
            derived_hash: hash(columns.iter().flat_map(|(name, sql)| [name.as_str(), sql])),
            derived,
            filters_hash: filters_hash(&filters),
            filters: describe(&filters),
        }
    }

    /// Whether the attempt `row` gave all that is wanted. `covers(stored, asked)` tells whether the first area contains the
    /// second, both by name.
    pub(crate) fn is_met_by(&self, row: &LedgerRow, covers: &dyn Fn(&str, &str) -> bool) -> bool {
        let has_variables = || {
            let stored: HashSet<&str> = row.variables.split(' ').collect();
            self.variables.iter().all(|name| stored.contains(name))
        };
        self.has_area(row, covers) && self.filters_as(row) && has_variables()
    }

    /// Whether the attempt `row` took all of the area that is wanted.
    pub(crate) fn has_area(&self, row: &LedgerRow, covers: &dyn Fn(&str, &str) -> bool) -> bool {
        match (&row.area, &self.area) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(stored), Some(asked)) => stored == asked || covers(stored, asked),
        }
    }

    /// Whether `row` went through the same filters and derived the same columns.
    pub(crate) fn filters_as(&self, row: &LedgerRow) -> bool {
        row.filters_hash == self.filters_hash && row.derived_hash == self.derived_hash
    }
}

/// Tells one choice of filters from another, as the ledger's `filters_hash` does.
pub(crate) fn filters_hash(filters: &[Rule]) -> String {
    hash(filters.iter().flat_map(|rule| [rule.predicate.name.as_str(), rule.predicate.sql.as_str()]))
}

/// 16 hexadecimal digits over the texts in their order. A byte that no text has stands between them.
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
    use crate::testing::row;

    fn wanted(filters: &str, variables: &[&str], area: Option<&str>) -> Wanted {
        let variables: Vec<_> = variables.iter().map(|name| variable(name).unwrap()).collect();
        let selection = Selection::bind(&variables, &[], &choose(filters).unwrap()).unwrap();
        Wanted::of(&selection, area.map(str::to_owned))
    }

    fn stored(wanted: &Wanted) -> LedgerRow {
        LedgerRow {
            area: wanted.area.clone(),
            variables: wanted.variables.join(" "),
            derived_hash: wanted.derived_hash.clone(),
            filters_hash: wanted.filters_hash.clone(),
            ..row(1, "a")
        }
    }

    #[test]
    fn more_variables_or_other_filters_are_not_done_and_fewer_variables_are() {
        let first = stored(&wanted("night,strong", &["h_canopy", "dem_h"], None));
        let is_done = |wanted: Wanted| wanted.is_met_by(&first, &|_, _| false);
        assert!(is_done(wanted("night,strong", &["dem_h"], None)));
        assert!(!is_done(wanted("night,strong", &["dem_h", "asr"], None)));
        assert!(!is_done(wanted("strong,night", &["dem_h"], None)), "their order decides what is counted for whom");
        assert!(!is_done(wanted("none", &["dem_h"], None)));
    }

    #[test]
    fn an_area_is_done_when_what_is_stored_covers_it() {
        let covers = |stored: &str, asked: &str| stored == "big" && asked == "small";
        let is_done = |stored_area, asked| {
            let row = stored(&wanted("none", &[], stored_area));
            wanted("none", &[], asked).is_met_by(&row, &covers)
        };
        assert!(is_done(None, None) && is_done(None, Some("small")) && is_done(Some("big"), Some("small")));
        assert!(is_done(Some("small"), Some("small")));
        assert!(!is_done(Some("small"), Some("big")) && !is_done(Some("big"), None));
    }
}
