//! Messages of DataFusion's errors in one line, without planning steps and lists of candidates.

use datafusion::error::DataFusionError;
use isdb_schema::suggest::{function_counterpart, similar_names};

use crate::error::Error;
use crate::statement::error_hint;

/// Returns the message of the root cause of `error` in one line, without the kind of error, and with DataFusion's suggestion of
/// a name if that is similar to the unknown one. [`error_hint()`](crate::error_hint()) returns what to write instead.
pub fn error_message(error: &DataFusionError) -> String {
    if let Some((problem, _)) = Error::find_statement(error) {
        return problem.to_owned();
    }
    let message = error.find_root().message();
    if let Some(problem) = error_hint::plain_problem(&message) {
        return problem.to_owned();
    }
    let mut lines = message.lines().map(str::trim);
    let first = lines.next().unwrap_or_default().trim_end_matches('.');
    match lines.find_map(|line| line.strip_prefix("Did you mean ")).filter(|name| is_similar(first, name)) {
        Some(name) => format!("{first}; did you mean {name}"),
        None => first.to_owned(),
    }
}

/// Whether the suggested name, `'floor'?`, is similar to the one in `problem`. DataFusion suggests the nearest of all
/// functions, which is `cot` for `month`.
fn is_similar(problem: &str, suggestion: &str) -> bool {
    let Some(typed) = error_hint::unknown_function(problem) else { return true };
    let suggestion = suggestion.trim_matches(['\'', '?', '.']);
    function_counterpart(typed).is_none() && !similar_names(typed, [suggestion]).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::session;

    #[test]
    fn planning_steps_and_lists_of_candidates_are_left_out() {
        let root =
            DataFusionError::Plan("Invalid function 'flor'.\nDid you mean 'floor'?\nCandidates: many".to_owned());
        let above = root.context("Optimizer rule 'simplify_expressions' failed");
        assert_eq!(error_message(&above), "Invalid function 'flor'; did you mean 'floor'?");
    }

    /// Returns the error of planning or running `sql`.
    async fn error(sql: &str) -> DataFusionError {
        let context = session(2);
        let table =
            "CREATE TABLE t AS SELECT * FROM (VALUES (1.5, 'NA', 1, TIMESTAMP '2020-01-01')) AS t(h, name, n, time)";
        context.sql(table).await.unwrap();
        match context.sql(sql).await {
            Err(error) => error,
            Ok(frame) => match frame.collect().await {
                Err(error) => error,
                Ok(_) => panic!("{sql}: expected an error"),
            },
        }
    }

    #[tokio::test]
    async fn errors_of_the_engine_have_a_hint() {
        for (sql, expected, hint) in [
            ("SELECT year(time) FROM t", "Invalid function 'year'", "date_part("),
            ("SELECT month(time) FROM t", "Invalid function 'month'", "date_part("),
            ("SELECT quantile(h, 0.9) FROM t", "Invalid function 'quantile'", "percentile_cont("),
            ("SELECT mode(n) FROM t", "Invalid function 'mode'", "GROUP BY"),
            ("SELECT if(h > 1, 1, 2) FROM t", "Invalid function 'if'", "CASE WHEN"),
            ("SELECT strftime(time, '%Y') FROM t", "Invalid function 'strftime'", "to_char("),
            ("SELECT st_buffer(h, h) FROM t", "Invalid function 'st_buffer'", "ST_DWithin("),
            ("SELECT TOP 10 * FROM t", "SELECT TOP is not supported", "LIMIT 10"),
            ("SELECT sum(h > 5) FROM t", "sum adds numbers", "count(*) FILTER (WHERE"),
            ("SELECT avg(h > 5) FROM t", "avg takes numbers", "CASE WHEN"),
            ("SELECT avg(name) FROM t", "has a text as argument", "TRY_CAST("),
            ("SELECT h FROM t WHERE h > 1 && n = 1", "&& is not an operator", "write AND"),
            ("SELECT h FROM t WHERE time > '2019-06'", "2019-06", "'2019-07-28'"),
            ("SELECT name, h FROM t GROUP BY name", "must appear in the GROUP BY clause", "avg(canopy_h)"),
            ("SELECT name, count(*) + 1 FROM t GROUP BY 1 ORDER BY 2", "Column in ORDER BY", "a name with AS"),
            ("SHOW TABELS", "SHOW has nothing of that name", "did you mean tables?"),
            ("SELECT len(name) FROM t", "Invalid function 'len'", "write length("),
            (
                "SELECT (SELECT a.h FROM t AS a ORDER BY abs(a.h - b.h) LIMIT 1) FROM t AS b",
                "the engine has no plan for this subquery",
                "row_number() OVER",
            ),
            (
                "SELECT * FROM t AS b, LATERAL (SELECT a.h FROM t AS a ORDER BY abs(a.h - b.h) LIMIT 1) AS c",
                "the engine has no plan for this subquery",
                "row_number() OVER",
            ),
        ] {
            let error = error(sql).await;
            let (message, found) = (error_message(&error), error_hint::error_hint(&error).unwrap_or_default());
            assert!(message.contains(expected), "{sql}: {message}: {error}");
            assert!(!message.contains("did you mean") && message.lines().count() == 1, "{sql}: {message}");
            assert!(found.contains(hint), "{sql}: {found:?}: {error}");
        }
    }

    #[tokio::test]
    async fn only_similar_names_are_suggested() {
        let found = error_message(&error("SELECT flor(h) FROM t").await);
        assert_eq!(found, "Invalid function 'flor'; did you mean 'floor'?");
        assert_eq!(error_message(&error("SELECT biomass_of(h) FROM t").await), "Invalid function 'biomass_of'");
    }

    #[test]
    fn an_existing_function_is_not_explained_as_one_of_another_dialect() {
        let state = session(1).state();
        let names = state
            .scalar_functions()
            .keys()
            .chain(state.aggregate_functions().keys())
            .chain(state.window_functions().keys());
        for name in names {
            assert_eq!(function_counterpart(name), None, "{name}");
        }
    }
}
