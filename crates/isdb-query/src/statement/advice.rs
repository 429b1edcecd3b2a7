//! What to do about an error of DataFusion that says little by itself.

use datafusion::error::DataFusionError;
use isdb_schema::suggest::function_counterpart;

/// Part of a message, what to say in its place if it says nothing, and what to write instead.
struct Known {
    message: &'static [&'static str],
    problem: Option<&'static str>,
    hint: &'static str,
}

const SUBQUERY: &str = "join instead: number the rows of each group with row_number() OVER (PARTITION BY plot ORDER BY distance) \
                        in a subquery, and keep those with 1 (sql/queries/own_plots.sql joins plots and segments)";
const TIMES: &str = "times are written '2019-07-28' or '2019-07-28T12:30:00Z', in UTC";

/// The first that fits counts.
const KNOWN: &[Known] = &[
    Known {
        message: &["ScalarSubquery("],
        problem: Some("a subquery looks at the row outside in a way that has no plan"),
        hint: SUBQUERY,
    },
    Known {
        message: &["OuterReferenceColumn("],
        problem: Some("a subquery looks at the row outside in a way that has no plan"),
        hint: SUBQUERY,
    },
    Known { message: &["PGOverlap"], problem: Some("there is no operator &&"), hint: "write AND between conditions" },
    Known {
        message: &["'sum'", "Boolean"],
        problem: Some("sum adds numbers, and a condition is TRUE or FALSE"),
        hint: "write count(*) FILTER (WHERE canopy_h > 5)",
    },
    Known {
        message: &["'avg'", "Boolean"],
        problem: Some("avg takes numbers, and a condition is TRUE or FALSE"),
        hint: "write avg(CASE WHEN canopy_h > 5 THEN 1.0 ELSE 0.0 END) for a share",
    },
    Known {
        message: &["failed to match any signature", "Utf8"],
        problem: Some("an aggregate of numbers is given a text"),
        hint: "write TRY_CAST(column AS DOUBLE), which is NULL for a text such as 'NA'",
    },
    Known {
        message: &["Column in ORDER BY must be in GROUP BY"],
        problem: None,
        hint: "give the column a name with AS, and write that name behind ORDER BY",
    },
    Known {
        message: &["must appear in the GROUP BY clause"],
        problem: None,
        hint: "write an aggregate, such as avg(canopy_h), or name the column behind GROUP BY too",
    },
    Known { message: &["Error parsing timestamp from"], problem: None, hint: TIMES },
    Known { message: &["FETCH clause"], problem: None, hint: "write LIMIT 10 at the end of the statement" },
];

fn known(message: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.message.iter().all(|part| message.contains(part)))
}

/// What to say in place of the message, where that is about the engine and not about the statement.
pub(crate) fn problem(message: &str) -> Option<&'static str> {
    if message == "TOP" {
        return Some("SELECT TOP is not supported");
    }
    known(message)?.problem
}

/// What to do about `error`, where its message does not say so.
#[must_use]
pub fn advice(error: &DataFusionError) -> Option<String> {
    if let Some((_, hint)) = crate::error::Error::statement(error) {
        return Some(hint.to_owned());
    }
    let message = error.find_root().message();
    if let Some(function) = unknown_function(&message) {
        return function_counterpart(function).map(str::to_owned);
    }
    if message == "TOP" {
        return Some("write LIMIT 10 at the end of the statement".to_owned());
    }
    known(&message).map(|known| known.hint.to_owned())
}

/// The function that there is not.
pub(crate) fn unknown_function(message: &str) -> Option<&str> {
    message.strip_prefix("Invalid function '")?.split('\'').next()
}
