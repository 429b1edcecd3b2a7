//! Hints for errors of DataFusion that are hard to understand by themselves.

use datafusion::error::DataFusionError;
use isdb_schema::suggest::{did_you_mean, function_counterpart};

use crate::error::Error;

/// An explanation of a message of DataFusion.
struct Explanation {
    /// Parts that the message contains.
    message: &'static [&'static str],
    /// Message to show instead, if the original is about the engine and not about the statement.
    problem: Option<&'static str>,
    /// What to write instead.
    hint: &'static str,
}

const SUBQUERY: &str = "join instead: number the rows of each group with row_number() OVER (PARTITION BY plot ORDER BY distance) \
                        in a subquery, and keep those with 1 (sql/queries/own_plots.sql joins plots and segments)";
const TIMES: &str = "times are written '2019-07-28' or '2019-07-28T12:30:00Z', in UTC";

/// Explanations; the first match is used.
const EXPLANATIONS: &[Explanation] = &[
    Explanation {
        message: &["ScalarSubquery("],
        problem: Some("the engine has no plan for this subquery, which uses columns of the outer query"),
        hint: SUBQUERY,
    },
    Explanation {
        message: &["OuterReferenceColumn("],
        problem: Some("the engine has no plan for this subquery, which uses columns of the outer query"),
        hint: SUBQUERY,
    },
    Explanation {
        message: &["PGOverlap"],
        problem: Some("&& is not an operator"),
        hint: "write AND between conditions",
    },
    Explanation {
        message: &["'sum'", "Boolean"],
        problem: Some("sum adds numbers, and a condition is TRUE or FALSE"),
        hint: "write count(*) FILTER (WHERE canopy_h > 5)",
    },
    Explanation {
        message: &["'avg'", "Boolean"],
        problem: Some("avg takes numbers, and a condition is TRUE or FALSE"),
        hint: "write avg(CASE WHEN canopy_h > 5 THEN 1.0 ELSE 0.0 END) for a share",
    },
    Explanation {
        message: &["failed to match any signature", "Utf8"],
        problem: Some("an aggregate of numbers has a text as argument"),
        hint: "write TRY_CAST(column AS DOUBLE), which is NULL for a text such as 'NA'",
    },
    Explanation {
        message: &["Column in ORDER BY must be in GROUP BY"],
        problem: None,
        hint: "give the column a name with AS, and write that name after ORDER BY",
    },
    Explanation {
        message: &["must appear in the GROUP BY clause"],
        problem: None,
        hint: "write an aggregate, such as avg(canopy_h), or name the column after GROUP BY too",
    },
    Explanation { message: &["Error parsing timestamp from"], problem: None, hint: TIMES },
    Explanation { message: &["FETCH clause"], problem: None, hint: "write LIMIT 10 at the end of the statement" },
];

fn explanation(message: &str) -> Option<&'static Explanation> {
    EXPLANATIONS.iter().find(|explanation| explanation.message.iter().all(|part| message.contains(part)))
}

/// Returns a message about the statement for a `message` about the engine.
pub(crate) fn plain_problem(message: &str) -> Option<&'static str> {
    if message == "TOP" {
        return Some("SELECT TOP is not supported");
    }
    if unknown_show(message).is_some() {
        return Some("SHOW has nothing of that name");
    }
    explanation(message)?.problem
}

/// Returns what to write instead of a statement that failed with `error`. None if nothing is known beyond
/// [`error_message`](crate::error_message).
#[must_use]
pub fn error_hint(error: &DataFusionError) -> Option<String> {
    if let Some((_, hint)) = Error::find_statement(error) {
        return Some(hint.to_owned());
    }
    let message = error.find_root().message();
    if let Some(function) = unknown_function(&message) {
        return function_counterpart(function).map(str::to_owned);
    }
    if let Some(shown) = unknown_show(&message) {
        let near = did_you_mean(&shown.to_lowercase(), ["tables", "columns", "functions", "all"]);
        return Some(format!("SHOW TABLES lists the tables and views, DESCRIBE atl08 the columns of one{near}"));
    }
    if message == "TOP" {
        return Some("write LIMIT 10 at the end of the statement".to_owned());
    }
    explanation(&message).map(|explanation| explanation.hint.to_owned())
}

/// Returns the word after SHOW that `message` calls an unknown variable.
fn unknown_show(message: &str) -> Option<&str> {
    message.strip_prefix('\'')?.strip_suffix("' is not a variable which can be viewed with 'SHOW'")
}

/// Returns the name of the unknown function that `message` reports.
pub(crate) fn unknown_function(message: &str) -> Option<&str> {
    message.strip_prefix("Invalid function '")?.split('\'').next()
}
