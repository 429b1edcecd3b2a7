//! Refuses comparisons with codes that the product does not have: `beam = 'GT1L'` is true for no segment, `<> 'GT1L'` for all.

use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{Expr, Operator};
use isdb_schema::catalogue::{Fill, named};
use isdb_schema::codes::{Codes, codes, ledger_codes};

use super::column_origin::ColumnOrigin;
use super::columns::Columns;
use super::comparison::Comparison;
use super::constant::{as_integer, constant, literal_text};
use crate::error::Error;
use crate::sql_text::sql_literal;

pub(super) fn check(comparison: &Comparison<'_>, columns: &Columns<'_>) -> Result<()> {
    let Some(column) = comparison.column().filter(|_| comparison.is_equality()) else { return Ok(()) };
    let Some(origin) = (columns.origin)(column) else { return Ok(()) };
    let Some(codes) = column_codes(&origin) else { return Ok(()) };
    for value in comparison.constants.iter().filter_map(|value| constant(value)).filter(|value| !value.is_null()) {
        let is_code = match value.try_as_str().flatten() {
            Some(text) => codes.has_word(text),
            None => as_integer(&value).is_some_and(|number| codes.has_number(number)),
        };
        let is_fill = as_integer(&value).is_some_and(|number| integer_fill(&origin) == Some(number));
        // A fill value is NULL in a database, so `<> 127` is true for every value that is not NULL, as intended.
        if !(is_code || is_fill && comparison.op == Operator::NotEq) {
            let problem = format!("{} has no value {}", column.name, sql_literal(&value));
            return Err(Error::statement(problem, hint(&column.name, &codes, &value, is_fill)).into());
        }
    }
    Ok(())
}

/// Refuses a pattern that no code matches: `beam LIKE 'GT1%'`.
pub(super) fn check_pattern(part: &Expr, columns: &Columns<'_>) -> Result<()> {
    let Expr::Like(like) = part else { return Ok(()) };
    let (Expr::Column(column), Some(pattern)) = (like.expr.as_ref(), literal_text(&like.pattern)) else {
        return Ok(());
    };
    let Some(Codes::Words(words)) = (columns.origin)(column).as_ref().and_then(column_codes) else { return Ok(()) };
    let pattern = if like.case_insensitive { pattern.to_lowercase() } else { pattern.to_owned() };
    if like.escape_char.is_some() || words.iter().any(|word| matches_pattern(word, &pattern)) {
        return Ok(());
    }
    let problem = format!("no value of {} is like '{pattern}'", column.name);
    Err(Error::statement(problem, format!("the values are {}", Codes::Words(words))).into())
}

/// Whether `word` matches the SQL pattern: `%` is any text, `_` is one character.
fn matches_pattern(word: &str, pattern: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => word.is_empty(),
        Some('%') => word
            .char_indices()
            .map(|(at, _)| at)
            .chain([word.len()])
            .any(|at| word.get(at..).is_some_and(|end| matches_pattern(end, rest.as_str()))),
        Some(c) => {
            let mut others = word.chars();
            others
                .next()
                .is_some_and(|first| (c == '_' || c == first) && matches_pattern(others.as_str(), rest.as_str()))
        }
    }
}

/// Returns the codes of a stored column.
pub(super) fn column_codes(origin: &ColumnOrigin) -> Option<Codes> {
    let own = origin.is_in_ledger.then(|| ledger_codes(&origin.column)).flatten();
    own.or_else(|| codes(&origin.column))
}

/// Returns the integer that the product stores for a missing value.
pub(super) fn integer_fill(origin: &ColumnOrigin) -> Option<i64> {
    match named(&origin.column)?.fill? {
        Fill::Int(fill) => Some(fill),
        Fill::Float(_) => None,
    }
}

fn hint(column: &str, codes: &Codes, value: &ScalarValue, is_fill: bool) -> String {
    if is_fill {
        return format!("fill values of the product are NULL here: write {column} IS NULL");
    }
    let lower = value.try_as_str().flatten().map(|text| text.trim().to_lowercase());
    match lower.filter(|lower| codes.has_word(lower)) {
        Some(lower) => format!("write '{lower}'; expected one of {codes}"),
        None if codes.is_long() => format!("`isdb variables {column}` lists the codes of the product"),
        None => match codes {
            Codes::Range(..) => format!("expected {codes}"),
            _ => format!("expected one of {codes}"),
        },
    }
}
