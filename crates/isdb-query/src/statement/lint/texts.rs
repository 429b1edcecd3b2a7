//! Names that have one form: releases are `'007'`, revisions `'01'`. `release = '7'` and `release >= '7'` are compared as texts.

use super::comparison::Comparison;
use super::constant::{constant, written};
use super::{View, Warning};

/// Columns of granules whose values are so many digits.
const DIGITS: [(&str, usize); 2] = [("release", 3), ("revision", 2)];

pub(super) fn check(comparison: &Comparison<'_>, view: &View<'_>) -> Option<Warning> {
    let column = comparison.column()?;
    let mut digits = DIGITS.iter();
    let odd = comparison.with.iter().filter_map(|value| constant(value)).find_map(|value| {
        let written = value.try_as_str().flatten().map_or_else(|| value.to_string(), str::to_owned);
        let is_number = written.trim().bytes().all(|byte| byte.is_ascii_digit()) && !written.is_empty();
        is_number.then_some((value, written))
    });
    let (value, digits_written) = odd?;
    let origin = (view.origin)(column)?;
    let (name, width) = digits.find(|(name, _)| *name == origin.column)?;
    let right = format!("{:0>width$}", digits_written.trim(), width = width);
    let is_right = value.try_as_str().flatten() == Some(right.as_str());
    (!is_right && right.len() == *width).then(|| Warning {
        text: format!(
            "{} {} {} compares texts, and a {name} is written with {width} digits",
            column.name,
            comparison.op,
            written(&value)
        ),
        hint: format!("write {} {} '{right}'", column.name, comparison.op),
    })
}
