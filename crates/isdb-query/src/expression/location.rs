//! Locations of errors in the SQL of an expression.

use isdb_schema::expression::Expression;

use crate::error::Error;

/// Creates an [`Error::Expression`] about a problem at the line and column `at`, from 1, of the expression's SQL.
pub fn expression_error(expression: &Expression, at: (u64, u64), problem: String) -> Error {
    Error::Expression { location: expression.location.locate(at.0, at.1), name: expression.name.clone(), problem }
}

/// Parses line and column from the end of a parser's message: `3, Column: 14`.
pub(super) fn line_and_column(at: &str) -> (u64, u64) {
    let mut numbers = at.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok());
    (numbers.next().unwrap_or(1), numbers.next().unwrap_or(1))
}

/// Returns the first name in quotes in a message, such as the name of a function.
pub(super) fn quoted_name(problem: &str) -> Option<&str> {
    problem.split('\'').nth(1)
}

/// Returns line and column, from 1, of the first `sign`.
pub(super) fn position_of_sign(sign: char, sql: &str) -> (u64, u64) {
    let column = |line: &str| line.chars().position(|c| c == sign);
    let found = sql.lines().enumerate().find_map(|(number, line)| Some((number as u64 + 1, column(line)? as u64 + 1)));
    found.unwrap_or((1, 1))
}

/// Returns line and column, from 1, of the first occurrence of `name` as a whole word; (1, 1) for none.
pub(super) fn position_of(name: &str, sql: &str) -> (u64, u64) {
    if name.is_empty() {
        return (1, 1);
    }
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    for (number, line) in sql.lines().enumerate() {
        let lower = line.to_lowercase();
        for (at, _) in lower.match_indices(&name.to_lowercase()) {
            let before = lower.get(..at).and_then(|text| text.chars().next_back());
            let after = lower.get(at + name.len()..).and_then(|text| text.chars().next());
            if !before.is_some_and(is_word) && !after.is_some_and(is_word) {
                let column = lower.get(..at).map_or(0, |text| text.chars().count());
                return (number as u64 + 1, column as u64 + 1);
            }
        }
    }
    (1, 1)
}
