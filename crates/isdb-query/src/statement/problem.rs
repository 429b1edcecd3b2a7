//! What DataFusion refused, in one line: without the steps on which it came up and without the candidates it lists.

use datafusion::error::DataFusionError;
use isdb_schema::suggest::{function_counterpart, similar_names};

use crate::statement::advice;

/// The problem at the root of `error`: its first line without what kind of error it is, and DataFusion's guess at what was
/// meant behind it, where the guess is near. What to do about it: [`advice()`].
pub fn problem(error: &DataFusionError) -> String {
    if let Some((problem, _)) = crate::error::Error::statement(error) {
        return problem.to_owned();
    }
    let message = error.find_root().message();
    if let Some(problem) = advice::problem(&message) {
        return problem.to_owned();
    }
    let mut lines = message.lines().map(str::trim);
    let first = lines.next().unwrap_or_default().trim_end_matches('.');
    match lines.find_map(|line| line.strip_prefix("Did you mean ")).filter(|guess| is_near(first, guess)) {
        Some(guess) => format!("{first}; did you mean {guess}"),
        None => first.to_owned(),
    }
}

/// Whether the name in the guess `'floor'?` is near the one in `problem`. DataFusion names the nearest of all functions, which is
/// `cot` for `month`.
fn is_near(problem: &str, guess: &str) -> bool {
    let Some(typed) = advice::unknown_function(problem) else { return true };
    let guess = guess.trim_matches(['\'', '?', '.']);
    function_counterpart(typed).is_none() && !similar_names(typed, [guess]).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::context::session;
    use crate::statement::advice;

    #[test]
    fn the_steps_above_a_problem_and_the_candidates_below_it_are_left_out() {
        let root =
            DataFusionError::Plan("Invalid function 'flor'.\nDid you mean 'floor'?\nCandidates: many".to_owned());
        let above = root.context("Optimizer rule 'simplify_expressions' failed");
        assert_eq!(problem(&above), "Invalid function 'flor'; did you mean 'floor'?");
    }

    /// The error of planning or running `sql`.
    async fn error(sql: &str) -> DataFusionError {
        let context = session(Some(2));
        let table =
            "CREATE TABLE t AS SELECT * FROM (VALUES (1.5, 'NA', 1, TIMESTAMP '2020-01-01')) AS t(h, name, n, time)";
        context.sql(table).await.unwrap();
        match context.sql(sql).await {
            Err(error) => error,
            Ok(frame) => match frame.collect().await {
                Err(error) => error,
                Ok(_) => panic!("{sql} is no error"),
            },
        }
    }

    #[tokio::test]
    async fn an_error_of_the_engine_says_what_to_write_instead() {
        for (sql, expected, hint) in [
            ("SELECT year(time) FROM t", "Invalid function 'year'", "date_part("),
            ("SELECT month(time) FROM t", "Invalid function 'month'", "date_part("),
            ("SELECT quantile(h, 0.9) FROM t", "Invalid function 'quantile'", "percentile_cont("),
            ("SELECT mode(n) FROM t", "Invalid function 'mode'", "GROUP BY"),
            ("SELECT if(h > 1, 1, 2) FROM t", "Invalid function 'if'", "CASE WHEN"),
            ("SELECT strftime(time, '%Y') FROM t", "Invalid function 'strftime'", "to_char("),
            ("SELECT st_point(h, h) FROM t", "Invalid function 'st_point'", "in_region("),
            ("SELECT TOP 10 * FROM t", "SELECT TOP is not supported", "LIMIT 10"),
            ("SELECT sum(h > 5) FROM t", "sum adds numbers", "count(*) FILTER (WHERE"),
            ("SELECT avg(h > 5) FROM t", "avg takes numbers", "CASE WHEN"),
            ("SELECT avg(name) FROM t", "is given a text", "TRY_CAST("),
            ("SELECT h FROM t WHERE h > 1 && n = 1", "there is no operator &&", "write AND"),
            ("SELECT h FROM t WHERE time > '2019-06'", "2019-06", "'2019-07-28'"),
            ("SELECT name, h FROM t GROUP BY name", "must appear in the GROUP BY clause", "avg(canopy_h)"),
            ("SELECT name, count(*) + 1 FROM t GROUP BY 1 ORDER BY 2", "Column in ORDER BY", "a name with AS"),
            ("SELECT len(name) FROM t", "Invalid function 'len'", "write length("),
            (
                "SELECT (SELECT a.h FROM t AS a ORDER BY abs(a.h - b.h) LIMIT 1) FROM t AS b",
                "has no plan",
                "row_number() OVER",
            ),
            (
                "SELECT * FROM t AS b, LATERAL (SELECT a.h FROM t AS a ORDER BY abs(a.h - b.h) LIMIT 1) AS c",
                "has no plan",
                "row_number() OVER",
            ),
        ] {
            let error = error(sql).await;
            let (told, advice) = (problem(&error), advice::advice(&error).unwrap_or_default());
            assert!(
                told.starts_with(expected) || told.ends_with(expected) || told.contains(expected),
                "{sql}: {told}: {error}"
            );
            assert!(!told.contains("did you mean") && told.lines().count() == 1, "{sql}: {told}");
            assert!(advice.contains(hint), "{sql}: {advice:?}: {error}");
        }
    }

    #[tokio::test]
    async fn a_guess_is_only_made_where_it_is_near() {
        let found = problem(&error("SELECT flor(h) FROM t").await);
        assert_eq!(found, "Invalid function 'flor'; did you mean 'floor'?");
        assert_eq!(problem(&error("SELECT biomass_of(h) FROM t").await), "Invalid function 'biomass_of'");
    }

    #[test]
    fn no_function_that_there_is_counts_as_one_of_another_dialect() {
        let state = session(Some(1)).state();
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
