//! Codes that the product does not have: `beam = 'GT1L'` holds for no segment, and `<> 'GT1L'` for all.

use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{Expr, Operator};
use isdb_schema::catalogue::{Fill, named};
use isdb_schema::codes::{Codes, codes, ledger_codes};

use super::comparison::Comparison;
use super::constant::{constant, text, written};
use super::{Origin, View, refuse};

pub(super) fn check(comparison: &Comparison<'_>, view: &View<'_>) -> Result<()> {
    let Some(column) = comparison.column().filter(|_| comparison.is_of_values()) else { return Ok(()) };
    let Some(origin) = (view.origin)(column) else { return Ok(()) };
    let Some(codes) = of(&origin) else { return Ok(()) };
    for value in comparison.with.iter().filter_map(|value| constant(value)).filter(|value| !value.is_null()) {
        let is_code = match value.try_as_str().flatten() {
            Some(text) => codes.has_word(text),
            None => whole(&value).is_some_and(|number| codes.has_number(number)),
        };
        let is_fill = whole(&value).is_some_and(|number| fill(&origin) == Some(number));
        // What is not fill is what is not NULL, so that `<> 127` is right by the way.
        if !(is_code || is_fill && comparison.op == Operator::NotEq) {
            let problem = format!("{} has no value {}", column.name, written(&value));
            return Err(refuse(problem, hint(&column.name, &codes, &value, is_fill)));
        }
    }
    Ok(())
}

/// Refuses a pattern that no word of a code fits: `beam LIKE 'GT1%'`.
pub(super) fn check_pattern(part: &Expr, view: &View<'_>) -> Result<()> {
    let Expr::Like(like) = part else { return Ok(()) };
    let (Expr::Column(column), Some(pattern)) = (like.expr.as_ref(), text(&like.pattern)) else { return Ok(()) };
    let Some(Codes::Words(words)) = (view.origin)(column).as_ref().and_then(of) else { return Ok(()) };
    let pattern = if like.case_insensitive { pattern.to_lowercase() } else { pattern.to_owned() };
    if like.escape_char.is_some() || words.iter().any(|word| fits(word, &pattern)) {
        return Ok(());
    }
    let problem = format!("no value of {} is like '{pattern}'", column.name);
    Err(refuse(problem, format!("the values are {}", Codes::Words(words))))
}

/// Whether the whole of `word` fits `pattern`, in which `%` stands for anything and `_` for one character.
fn fits(word: &str, pattern: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => word.is_empty(),
        Some('%') => word
            .char_indices()
            .map(|(at, _)| at)
            .chain([word.len()])
            .any(|at| word.get(at..).is_some_and(|end| fits(end, rest.as_str()))),
        Some(c) => {
            let mut others = word.chars();
            others.next().is_some_and(|first| (c == '_' || c == first) && fits(others.as_str(), rest.as_str()))
        }
    }
}

/// The codes of a stored column.
pub(super) fn of(origin: &Origin) -> Option<Codes> {
    let own = origin.is_of_ledger.then(|| ledger_codes(&origin.column)).flatten();
    own.or_else(|| codes(&origin.column))
}

/// The number by which the product says that nothing was measured.
pub(super) fn fill(origin: &Origin) -> Option<i64> {
    match named(&origin.column)?.fill? {
        Fill::Int(fill) => Some(fill),
        Fill::Float(_) => None,
    }
}

fn hint(column: &str, codes: &Codes, value: &ScalarValue, is_fill: bool) -> String {
    if is_fill {
        return format!("what the product marks as fill is NULL here: write {column} IS NULL");
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

/// The whole number that `value` is.
pub(super) fn whole(value: &ScalarValue) -> Option<i64> {
    let number = super::constant::number(value)?;
    match value.cast_to(&DataType::Int64).ok()? {
        #[expect(clippy::cast_precision_loss, reason = "codes are small; a large number is none")]
        ScalarValue::Int64(Some(integer)) if integer as f64 == number => Some(integer),
        _ => None,
    }
}
