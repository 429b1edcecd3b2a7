//! Filters, region and period of a session: as metadata of a file, and a warning where they do not apply.

use isdb_query::{StatementSources, ViewOptions};
use isdb_region::Region;
use isdb_schema::filters::describe;

use crate::program::output::Origin;

/// Returns the origin of the rows of the statement `sql`. It contains the options only if the statement reads the views that they apply
/// to.
pub(super) fn origin(options: &ViewOptions, sql: &str, reads_view: bool) -> Origin {
    let applied = |text: Option<String>| text.filter(|_| reads_view);
    Origin {
        sql: Some(sql.to_owned()),
        filters: applied((!options.filters.is_empty()).then(|| describe(&options.filters))),
        region: applied(options.region.as_ref().map(Region::to_text)),
        period: applied((!options.period.is_everything()).then(|| options.period.to_string())),
        ..Origin::default()
    }
}

/// Warns that no option applies to a statement that reads the database, of which they restrict `views`.
pub(super) fn warning(options: &ViewOptions, sources: StatementSources, views: &str) -> Option<String> {
    if sources.reads_views || !sources.reads_tables {
        return None;
    }
    let given = [
        (!options.filters.is_empty(), "filters"),
        (options.region.is_some(), "region"),
        (!options.period.is_everything(), "period"),
    ];
    let given: Vec<&str> = given.into_iter().filter_map(|(is_given, name)| is_given.then_some(name)).collect();
    let (names, verb) = match given.as_slice() {
        [] => return None,
        ["filters"] => ("filters".to_owned(), "apply"),
        [one] => ((*one).to_owned(), "applies"),
        [most @ .., last] => (format!("{} and {last}", most.join(", ")), "apply"),
    };
    Some(format!("the {names} {verb} to {views}, which this statement does not read"))
}

#[cfg(test)]
mod tests {
    use isdb_schema::filters::choose;
    use isdb_schema::period::Period;

    use super::*;

    #[test]
    fn the_warning_names_the_given_options_only() {
        let region = Region::parse("0,0,1,1").ok();
        let period = Period { start: Some(0), end: None };
        let filters = choose("night").unwrap();
        let bare = StatementSources { reads_views: false, reads_tables: true };
        let only_region = ViewOptions { region: region.clone(), ..ViewOptions::default() };
        let views = "atl08, atl08_20m and atl08_unique";
        let does_not = "to atl08, atl08_20m and atl08_unique, which this statement does not read";
        assert_eq!(warning(&only_region, bare, views).unwrap(), format!("the region applies {does_not}"));
        let all = ViewOptions { filters, region, period };
        assert_eq!(warning(&all, bare, views).unwrap(), format!("the filters, region and period apply {does_not}"));
        for silent in [
            StatementSources { reads_views: true, reads_tables: true },
            StatementSources { reads_views: false, reads_tables: false },
        ] {
            assert_eq!(warning(&all, silent, views), None);
        }
        assert_eq!(warning(&ViewOptions::default(), bare, views), None);
    }
}
