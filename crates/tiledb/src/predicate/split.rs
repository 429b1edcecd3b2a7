//! The split of a predicate into ranges of dimensions and a condition on attributes.

use arrow::datatypes::Schema;

use crate::array::Array;
use crate::literal::Literal;
use crate::predicate::attribute::AttributeKind;
use crate::predicate::interval::{Axis, Intervals};
use crate::predicate::pushdown::Pushdown;
use crate::predicate::tree::{Op, Predicate};
use crate::schema::column::ADDED_LATER;
use crate::schema::layout::ArrayLayout;

impl Array {
    /// Returns the part of `predicate` that this array can answer, as for [`Pushdown::new`].
    pub fn pushdown(&self, predicate: &Predicate) -> Pushdown {
        Pushdown::new(predicate, &self.schema(), self.layout())
    }
}

impl Pushdown {
    /// Returns a set of cells that an array of this schema and layout can read: every cell for which `predicate` is true,
    /// and as few others as its ranges and conditions allow. Columns that the array does not have, and types that
    /// conditions do not support, restrict nothing.
    ///
    /// The result is exact where an engine that compares floats in Arrow's total order agrees with TileDB, which follows IEEE
    /// 754. They differ in NaN, which Arrow orders above (or, negative, below) every number, and in −0.0, which Arrow orders
    /// below 0.0.
    pub fn new(predicate: &Predicate, schema: &Schema, layout: &ArrayLayout) -> Self {
        Splitter { schema, layout }.split(&predicate.normal_form())
    }
}

struct Splitter<'a> {
    schema: &'a Schema,
    layout: &'a ArrayLayout,
}

impl Splitter<'_> {
    /// Splits a predicate in normal form.
    fn split(&self, predicate: &Predicate) -> Pushdown {
        match predicate {
            Predicate::Constant(Some(true)) => Pushdown::everything(),
            Predicate::Constant(_) => Pushdown::nothing(),
            Predicate::And(parts) => {
                parts.iter().map(|part| self.split(part)).fold(Pushdown::everything(), Pushdown::and)
            }
            Predicate::Or(parts) => {
                let parts = parts.iter().map(|part| self.split(part));
                parts.fold(Pushdown::nothing(), |either, part| either.or(part, self.layout))
            }
            Predicate::Compare { column, op, value } => self.compare(column, *op, value),
            Predicate::In { column, values, negated } => self.in_list(column, values, *negated),
            Predicate::IsNull { column, negated } => self.is_null(column, *negated),
            // The normal form has no Not.
            Predicate::Opaque | Predicate::Not(_) => Pushdown::unsupported(),
        }
    }

    fn compare(&self, column: &str, op: Op, value: &Literal) -> Pushdown {
        if let Some((dimension, axis)) = self.dimension(column) {
            return match keys(axis, op, value) {
                Some(keys) => self.range(dimension, axis, keys),
                None => Pushdown::unsupported(),
            };
        }
        match self.attribute(column) {
            Some((kind, nullable)) => kind.compare(column, nullable, op, value),
            None => Pushdown::unsupported(),
        }
    }

    fn in_list(&self, column: &str, values: &[Literal], negated: bool) -> Pushdown {
        if let Some((dimension, axis)) = self.dimension(column) {
            let op = if negated { Op::NotEq } else { Op::Eq };
            let parts = values.iter().map(|value| keys(axis, op, value));
            let Some(parts) = parts.collect::<Option<Vec<_>>>() else { return Pushdown::unsupported() };
            let keys = if negated {
                parts.iter().fold(Intervals::new(i64::MIN, i64::MAX), |all, part| all.intersect(part))
            } else {
                parts.iter().fold(Intervals::none(), |all, part| all.union(part))
            };
            return self.range(dimension, axis, keys);
        }
        match self.attribute(column) {
            Some((kind, nullable)) => kind.in_list(column, nullable, values, negated),
            None => Pushdown::unsupported(),
        }
    }

    fn is_null(&self, column: &str, negated: bool) -> Pushdown {
        match self.schema.field_with_name(column) {
            Ok(field) if !field.is_nullable() && negated => Pushdown::everything(),
            Ok(field) if !field.is_nullable() => Pushdown::nothing(),
            Ok(field) if !negated && field.metadata().contains_key(ADDED_LATER) => Pushdown::unsupported(),
            Ok(field) if AttributeKind::from_field(field).is_some() => {
                Pushdown::condition(Predicate::IsNull { column: column.to_owned(), negated })
            }
            _ => Pushdown::unsupported(),
        }
    }

    fn range(&self, dimension: usize, axis: Axis, keys: Intervals) -> Pushdown {
        let (keys, widened) = keys.with_whole_zeros(axis);
        let range = Pushdown::range(dimension, keys, self.layout);
        if widened { range.inexact() } else { range }
    }

    fn dimension(&self, name: &str) -> Option<(usize, Axis)> {
        let index = self.layout.dimensions.iter().position(|dimension| dimension.name == name)?;
        Some((index, self.layout.dimensions.get(index)?.domain.axis()))
    }

    /// The attribute `name`, if a condition supports its type, and whether it is nullable.
    fn attribute(&self, name: &str) -> Option<(AttributeKind, bool)> {
        let field = self.schema.field_with_name(name).ok()?;
        Some((AttributeKind::from_field(field)?, field.is_nullable()))
    }
}

/// The keys of a dimension for which the comparison is true in Arrow's order; `None` for NaN and a value of another type.
pub(super) fn keys(axis: Axis, op: Op, value: &Literal) -> Option<Intervals> {
    const MIN: i128 = i64::MIN as i128;
    const MAX: i128 = i64::MAX as i128;
    let key = match (axis, value) {
        (Axis::Float64, Literal::Float(_)) => i128::from(axis.key(value)?),
        (Axis::Int64, Literal::Int(_) | Literal::UInt(_)) => value.integer()?,
        (Axis::TimestampNs, Literal::TimestampNs(value)) => i128::from(*value),
        _ => return None,
    };
    let between = |low: i128, high: i128| match (i64::try_from(low.max(MIN)), i64::try_from(high.min(MAX))) {
        (Ok(low), Ok(high)) => Intervals::new(low, high),
        _ => Intervals::none(),
    };
    Some(match op {
        Op::Eq => between(key, key),
        Op::NotEq => between(MIN, key - 1).union(&between(key + 1, MAX)),
        Op::Lt => between(MIN, key - 1),
        Op::LtEq => between(MIN, key),
        Op::Gt => between(key + 1, MAX),
        Op::GtEq => between(key, MAX),
    })
}
