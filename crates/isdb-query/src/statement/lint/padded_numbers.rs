//! Warns about releases and revisions that are not padded with zeros. They are texts, `'007'` and `'01'`, so `release = '7'` and
//! `release >= '7'` compare texts.

use super::columns::Columns;
use super::comparison::Comparison;
use super::constant::constant;
use super::warning::Warning;
use crate::sql_text::sql_literal;

/// Columns of granules with a fixed number of digits.
const DIGITS: [(&str, usize); 2] = [("release", 3), ("revision", 2)];

pub(super) fn check(comparison: &Comparison<'_>, columns: &Columns<'_>) -> Option<Warning> {
    let column = comparison.column()?;
    let number = comparison.constants.iter().filter_map(|value| constant(value)).find_map(|value| {
        let digits = value.try_as_str().flatten().map_or_else(|| value.to_string(), str::to_owned);
        let is_number = digits.trim().bytes().all(|byte| byte.is_ascii_digit()) && !digits.is_empty();
        is_number.then_some((value, digits))
    });
    let (value, digits) = number?;
    let origin = (columns.origin)(column)?;
    let (name, width) = DIGITS.iter().find(|(name, _)| *name == origin.column)?;
    let padded = format!("{:0>width$}", digits.trim(), width = width);
    let is_padded = value.try_as_str().flatten() == Some(padded.as_str());
    (!is_padded && padded.len() == *width).then(|| Warning {
        text: format!(
            "{} {} {} compares texts, and a {name} is written with {width} digits",
            column.name,
            comparison.op,
            sql_literal(&value)
        ),
        hint: format!("write {} {} '{padded}'", column.name, comparison.op),
    })
}
