//! Conditions on dictionary columns, as conditions on their keys.

use arrow::array::StringArray;

use crate::description::Description;
use crate::error::{Error, Result};
use crate::literal::Literal;
use crate::predicate::tree::Predicate;

impl Predicate {
    /// Returns a predicate in normal form with the same result, in which dictionary columns are compared with keys instead of texts.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`], and [`Error::NotRepresentable`] if a dictionary column is compared with another type than text.
    pub(crate) fn with_keys(&self, array: &Description) -> Result<Self> {
        let texts = |column: &str| array.column(column).map(|column| column.enumeration.clone());
        Ok(match self {
            Self::Compare { column, op, value } => match texts(column)? {
                Some(texts) => {
                    let text = text(array, column, value)?;
                    is_one_of(column, keys(&texts, |own| op.holds(own.cmp(text))))
                }
                None => self.clone(),
            },
            Self::In { column, values, negated } => match texts(column)? {
                Some(texts) => {
                    let values = values.iter().map(|value| text(array, column, value)).collect::<Result<Vec<_>>>()?;
                    is_one_of(column, keys(&texts, |own| values.contains(&own) != *negated))
                }
                None => self.clone(),
            },
            Self::And(parts) => Self::all(parts.iter().map(|part| part.with_keys(array)).collect::<Result<Vec<_>>>()?),
            Self::Or(parts) => Self::any(parts.iter().map(|part| part.with_keys(array)).collect::<Result<Vec<_>>>()?),
            _ => self.clone(),
        })
    }
}

/// The keys of the texts that match, ascending.
fn keys(texts: &StringArray, matches: impl Fn(&str) -> bool) -> Vec<Literal> {
    let matching = texts.iter().flatten().zip(0_u64..).filter(|(text, _)| matches(text));
    matching.map(|(_, key)| Literal::UInt(key)).collect()
}

fn is_one_of(column: &str, keys: Vec<Literal>) -> Predicate {
    if keys.is_empty() {
        return Predicate::FALSE;
    }
    Predicate::In { column: column.to_owned(), values: keys, negated: false }
}

fn text<'v>(array: &Description, column: &str, value: &'v Literal) -> Result<&'v str> {
    match value {
        Literal::Text(text) => Ok(text),
        other => Err(Error::NotRepresentable {
            column: column.to_owned(),
            data_type: array.column(column)?.data_type(),
            value: other.clone(),
        }),
    }
}
