//! Conditions, evaluated on the statistics of a tile and on its cells. Floats compare as in IEEE 754 and NULL never matches, as in
//! libtiledb.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::{BooleanBuffer, Buffer};
use arrow::datatypes::UInt8Type;

use super::compare::{
    Values, by_type, compare, compare_other, compare_range, search, search_bits, search_range, search_text, sorted,
    sorted_bytes, valid,
};
use super::verdict::{TileStatistics, Verdict};
use crate::description::Description;
use crate::error::{Error, Result};
use crate::literal::Literal;
use crate::predicate::{Op, Predicate};
use crate::schema::column::Column;
use crate::schema::physical::PhysicalType;

/// A condition on the cells of an array.
#[derive(Clone, Debug)]
pub(super) enum Test {
    Constant(bool),
    /// The value of a column compared with one of its type.
    Compare {
        column: Arc<Column>,
        op: Op,
        value: Buffer,
    },
    /// Whether the value is one of some of its type, ascending.
    In {
        column: Arc<Column>,
        values: Values,
        negated: bool,
    },
    IsNull {
        column: Arc<Column>,
        negated: bool,
    },
    All(Vec<Test>),
    Any(Vec<Test>),
}

impl Test {
    /// Converts a predicate to the types of the array's columns.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`], [`Error::NotRepresentable`], [`Error::Condition`].
    pub(super) fn new(predicate: &Predicate, array: &Description) -> Result<Self> {
        Self::from_normal_form(&predicate.normal_form().with_keys(array)?, array)
    }

    fn from_normal_form(predicate: &Predicate, array: &Description) -> Result<Self> {
        Ok(match predicate {
            Predicate::Constant(value) => Self::Constant(*value == Some(true)),
            Predicate::Compare { column, op, value } => {
                let column = scalar(array, column)?;
                let value = Buffer::from(bytes(&column, value)?.as_slice());
                Self::Compare { column, op: *op, value }
            }
            Predicate::In { column, values, negated } => {
                let column = scalar(array, column)?;
                let values = values.iter().map(|value| bytes(&column, value)).collect::<Result<Vec<_>>>()?;
                let physical = column.value_type();
                let values = by_type!(physical, sorted(values), sorted_bytes(physical, values));
                Self::In { column, values, negated: *negated }
            }
            Predicate::IsNull { column, negated } => {
                let column = array.column(column)?;
                if column.nullable {
                    Self::IsNull { column: Arc::new(column.clone()), negated: *negated }
                } else {
                    Self::Constant(*negated)
                }
            }
            Predicate::And(parts) => Self::All(Self::parts(parts, array)?),
            Predicate::Or(parts) => Self::Any(Self::parts(parts, array)?),
            Predicate::Opaque | Predicate::Not(_) => {
                let reason = "TileDB cannot evaluate this predicate";
                return Err(Error::Condition { column: predicate.to_string(), reason });
            }
        })
    }

    fn parts(parts: &[Predicate], array: &Description) -> Result<Vec<Self>> {
        parts.iter().map(|part| Self::from_normal_form(part, array)).collect()
    }

    /// The conditions that must all be true.
    pub(super) fn into_conjuncts(self) -> Vec<Self> {
        match self {
            Self::All(parts) => parts.into_iter().flat_map(Self::into_conjuncts).collect(),
            Self::Constant(true) => Vec::new(),
            other => vec![other],
        }
    }

    /// Calls `visit` with each column that is compared, perhaps several times.
    pub(super) fn columns<'t>(&'t self, visit: &mut impl FnMut(&'t Column)) {
        match self {
            Self::Constant(_) => {}
            Self::Compare { column, .. } | Self::In { column, .. } | Self::IsNull { column, .. } => visit(column),
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.columns(visit)),
        }
    }

    /// Decides from the statistics of a tile, which `statistics` returns for a column.
    pub(super) fn verdict<'a>(&self, statistics: &impl Fn(&Column) -> TileStatistics<'a>) -> Verdict {
        let decide = |column: &Column, decide: &dyn Fn(&TileStatistics<'a>) -> Verdict| {
            let statistics = statistics(column);
            if statistics.nulls.is_some_and(|nulls| nulls >= statistics.cells) {
                return Verdict::Never;
            }
            match decide(&statistics) {
                Verdict::Always if statistics.nulls != Some(0) => Verdict::Maybe,
                verdict => verdict,
            }
        };
        match self {
            Self::Constant(true) => Verdict::Always,
            Self::Constant(false) => Verdict::Never,
            Self::Compare { column, op, value } => decide(column, &|statistics| {
                by_type!(column.value_type(), compare_range(*op, value, statistics), Verdict::Maybe)
            }),
            Self::In { column, values: Values::Primitive(values), negated } => decide(column, &|statistics| {
                by_type!(column.value_type(), search_range(values, *negated, statistics), Verdict::Maybe)
            }),
            Self::In { column, .. } => decide(column, &|_| Verdict::Maybe),
            Self::IsNull { column, negated } => {
                let statistics = statistics(column);
                match statistics.nulls {
                    Some(0) => Verdict::from(*negated),
                    Some(nulls) if nulls >= statistics.cells => Verdict::from(!negated),
                    _ => Verdict::Maybe,
                }
            }
            Self::All(parts) => parts.iter().map(|part| part.verdict(statistics)).fold(Verdict::Always, Verdict::and),
            Self::Any(parts) => parts.iter().map(|part| part.verdict(statistics)).fold(Verdict::Never, Verdict::or),
        }
    }

    /// Evaluates the condition on cells, whose columns `cells` returns.
    pub(super) fn mask(&self, rows: usize, cells: &impl Fn(&str) -> Option<ArrayRef>) -> BooleanBuffer {
        let nothing = || BooleanBuffer::new_unset(rows);
        match self {
            Self::Constant(true) => BooleanBuffer::new_set(rows),
            Self::Constant(false) => nothing(),
            Self::Compare { column, op, value } => cells(&column.name).map_or_else(nothing, |array| {
                let array = keys_of(array);
                valid(
                    &array,
                    by_type!(column.value_type(), compare(&array, *op, value), compare_other(&array, *op, value)),
                )
            }),
            Self::In { column, values, negated } => cells(&column.name).map_or_else(nothing, |array| {
                let array = keys_of(array);
                let found = match values {
                    Values::Primitive(values) => {
                        by_type!(column.value_type(), search(&array, values), search_bits(&array, values))
                    }
                    Values::Text(values) => search_text(&array, values),
                };
                valid(&array, if *negated { !&found } else { found })
            }),
            Self::IsNull { column, negated } => cells(&column.name).map_or_else(nothing, |array| {
                let valid = array.nulls().map_or_else(|| BooleanBuffer::new_set(rows), |nulls| nulls.inner().clone());
                if *negated { valid } else { !&valid }
            }),
            Self::All(parts) => {
                let masks = parts.iter().map(|part| part.mask(rows, cells));
                masks.reduce(|a, b| &a & &b).unwrap_or_else(|| BooleanBuffer::new_set(rows))
            }
            Self::Any(parts) => {
                let masks = parts.iter().map(|part| part.mask(rows, cells));
                masks.reduce(|a, b| &a | &b).unwrap_or_else(nothing)
            }
        }
    }
}

/// The keys of a dictionary; other arrays as they are.
fn keys_of(array: ArrayRef) -> ArrayRef {
    match array.as_dictionary_opt::<UInt8Type>() {
        Some(dictionary) => Arc::new(dictionary.keys().clone()),
        None => array,
    }
}

/// The column `name`, which must not be a list.
fn scalar(array: &Description, name: &str) -> Result<Arc<Column>> {
    let column = array.column(name)?;
    if column.width > 1 {
        return Err(Error::Condition { column: name.to_owned(), reason: "TileDB cannot compare lists" });
    }
    Ok(Arc::new(column.clone()))
}

fn bytes(column: &Column, value: &Literal) -> Result<Vec<u8>> {
    value.to_bytes(column.value_type()).ok_or_else(|| Error::NotRepresentable {
        column: column.name.clone(),
        data_type: column.data_type(),
        value: value.clone(),
    })
}
