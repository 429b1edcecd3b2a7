//! SQL predicates as coordinate ranges and a TileDB query condition.
//! A translation keeps every row the predicate keeps; it says itself whether it keeps others too. The scan reads with
//! it, and DataFusion filters again whatever is not exact.

use arrow::datatypes::{DataType, Schema};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Between, BinaryExpr, Expr, Operator, expr::InList};
use tiledb::{ArrayLayout, Condition};

use crate::interval::{Axis, Intervals};
use crate::predicate::column::{AttributeKind, Value, can_see_through};
use crate::predicate::pushed::Pushed;

/// What predicates may speak of: the dimensions and attributes of one array.
#[derive(Debug)]
pub(crate) struct Vocabulary<'a> {
    schema: &'a Schema,
    layout: &'a ArrayLayout,
}

/// A column under a comparison, with the type it is compared as.
struct Operand<'e> {
    name: &'e str,
    compared_as: Option<&'e DataType>,
}

impl<'a> Vocabulary<'a> {
    /// The columns of an array, dimensions included in `schema`.
    pub(crate) fn new(schema: &'a Schema, layout: &'a ArrayLayout) -> Self {
        Self { schema, layout }
    }

    /// The tightest superset of the rows for which `predicate` is TRUE that an array can be asked for.
    pub(crate) fn translate(&self, predicate: &Expr) -> Pushed {
        self.walk(predicate, false)
    }

    /// NOT is carried down to the comparisons, where it has an exact opposite: the complement of a superset would lose
    /// rows.
    fn walk(&self, expr: &Expr, negated: bool) -> Pushed {
        match expr {
            Expr::Alias(alias) => self.walk(&alias.expr, negated),
            Expr::Not(inner) => self.walk(inner, !negated),
            Expr::Literal(ScalarValue::Boolean(value), _) => match value {
                Some(value) if *value != negated => Pushed::everything(),
                _ => Pushed::nothing(),
            },
            Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::And | Operator::Or), right }) => {
                let (left, right) = (self.walk(left, negated), self.walk(right, negated));
                if (*op == Operator::And) == negated { left.or(right, self.layout) } else { left.and(right) }
            }
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                let Some(op) = (if negated { op.negate() } else { Some(*op) }) else { return Pushed::unknown() };
                match (&**left, &**right) {
                    (column, Expr::Literal(value, _)) => self.compare(column, op, value),
                    (Expr::Literal(value, _), column) => match op.swap() {
                        Some(op) => self.compare(column, op, value),
                        None => Pushed::unknown(),
                    },
                    _ => Pushed::unknown(),
                }
            }
            Expr::Between(between) => self.between(between, negated),
            Expr::InList(list) => self.in_list(list, negated),
            Expr::IsNull(column) => self.is_null(column, negated),
            Expr::IsNotNull(column) => self.is_null(column, !negated),
            _ => Pushed::unknown(),
        }
    }

    fn between(&self, between: &Between, negated: bool) -> Pushed {
        let (Expr::Literal(low, _), Expr::Literal(high, _)) = (&*between.low, &*between.high) else {
            return Pushed::unknown();
        };
        if between.negated == negated {
            let above = self.compare(&between.expr, Operator::GtEq, low);
            above.and(self.compare(&between.expr, Operator::LtEq, high))
        } else {
            let below = self.compare(&between.expr, Operator::Lt, low);
            below.or(self.compare(&between.expr, Operator::Gt, high), self.layout)
        }
    }

    fn in_list(&self, list: &InList, negated: bool) -> Pushed {
        let negated = list.negated != negated;
        let mut values = Vec::with_capacity(list.list.len());
        for item in &list.list {
            match item {
                Expr::Literal(value, _) if value.is_null() && negated => return Pushed::nothing(),
                Expr::Literal(value, _) if value.is_null() => {}
                Expr::Literal(value, _) => values.push(value),
                _ => return Pushed::unknown(),
            }
        }
        let Some(operand) = operand(&list.expr) else { return Pushed::unknown() };
        if let Some((dimension, axis)) = self.dimension(&operand) {
            let op = if negated { Operator::NotEq } else { Operator::Eq };
            let parts = values.iter().map(|value| axis_keys(axis, op, &Value::of(value)?));
            let Some(parts) = parts.collect::<Option<Vec<_>>>() else { return Pushed::unknown() };
            let keys = if negated {
                parts.iter().fold(Intervals::new(i64::MIN, i64::MAX), |all, part| all.intersect(part))
            } else {
                parts.iter().fold(Intervals::none(), |all, part| all.union(part))
            };
            return self.range(dimension, axis, keys);
        }
        let Some((kind, nullable)) = self.attribute(&operand) else { return Pushed::unknown() };
        match values.into_iter().map(Value::of).collect::<Option<Vec<_>>>() {
            Some(values) => kind.in_list(operand.name, nullable, values, negated),
            None => Pushed::unknown(),
        }
    }

    fn is_null(&self, column: &Expr, negated: bool) -> Pushed {
        let Expr::Column(column) = column else { return Pushed::unknown() };
        match self.schema.field_with_name(&column.name) {
            Ok(field) if !field.is_nullable() && negated => Pushed::everything(),
            Ok(field) if !field.is_nullable() => Pushed::nothing(),
            Ok(field) if !negated && field.metadata().contains_key(tiledb::ADDED_LATER) => Pushed::unknown(),
            Ok(field) if AttributeKind::of(field).is_some() => {
                Pushed::condition(Condition::IsNull { column: column.name.clone(), negated })
            }
            _ => Pushed::unknown(),
        }
    }

    fn compare(&self, column: &Expr, op: Operator, value: &ScalarValue) -> Pushed {
        use Operator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
        if !matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq) {
            return Pushed::unknown();
        }
        if value.is_null() {
            return Pushed::nothing();
        }
        let (Some(operand), Some(value)) = (operand(column), Value::of(value)) else { return Pushed::unknown() };
        if let Some((dimension, axis)) = self.dimension(&operand) {
            return match axis_keys(axis, op, &value) {
                Some(keys) => self.range(dimension, axis, keys),
                None => Pushed::unknown(),
            };
        }
        match self.attribute(&operand) {
            Some((kind, nullable)) => kind.compare(operand.name, nullable, op, value),
            None => Pushed::unknown(),
        }
    }

    fn range(&self, dimension: usize, axis: Axis, keys: Intervals) -> Pushed {
        let (keys, widened) = keys.with_whole_zeros(axis);
        let range = Pushed::range(dimension, keys, self.layout);
        if widened { range.inexact() } else { range }
    }

    /// The dimension an operand names, when comparing the operand is comparing the dimension.
    fn dimension(&self, operand: &Operand<'_>) -> Option<(usize, Axis)> {
        let index = self.layout.dimensions.iter().position(|dimension| dimension.name == operand.name)?;
        let axis = Axis::of(&self.layout.dimensions.get(index)?.domain);
        let field = self.schema.field_with_name(operand.name).ok()?;
        let plain = operand.compared_as.is_none_or(|target| can_see_through(field.data_type(), target));
        plain.then_some((index, axis))
    }

    /// The attribute an operand names, when a condition can be put on it.
    fn attribute(&self, operand: &Operand<'_>) -> Option<(AttributeKind, bool)> {
        let field = self.schema.field_with_name(operand.name).ok()?;
        let seen = operand.compared_as.is_none_or(|target| can_see_through(field.data_type(), target));
        Some((AttributeKind::of(field).filter(|_| seen)?, field.is_nullable()))
    }
}

/// The column below casts.
fn operand(expr: &Expr) -> Option<Operand<'_>> {
    match expr {
        Expr::Column(column) => Some(Operand { name: &column.name, compared_as: None }),
        Expr::Cast(cast) => match &*cast.expr {
            Expr::Column(column) => Some(Operand { name: &column.name, compared_as: Some(cast.field.data_type()) }),
            _ => None,
        },
        Expr::TryCast(cast) => match &*cast.expr {
            Expr::Column(column) => Some(Operand { name: &column.name, compared_as: Some(cast.field.data_type()) }),
            _ => None,
        },
        _ => None,
    }
}

/// The keys of a dimension that compare so, in Arrow's order; `None` when the value is of another type.
pub(super) fn axis_keys(axis: Axis, op: Operator, value: &Value) -> Option<Intervals> {
    let key = match (axis, value) {
        (Axis::Float64, Value::Float(v)) => i128::from(axis.key(&tiledb::Literal::Float(*v))?),
        (Axis::Int64, Value::Int(v)) | (Axis::TimestampNs, Value::Nanoseconds(v)) => *v,
        _ => return None,
    };
    let between = |low: i128, high: i128| {
        let (Ok(low), Ok(high)) = (i64::try_from(low.max(MIN)), i64::try_from(high.min(MAX))) else {
            return Intervals::none();
        };
        Intervals::new(low, high)
    };
    const MIN: i128 = i64::MIN as i128;
    const MAX: i128 = i64::MAX as i128;
    Some(match op {
        Operator::Eq => between(key, key),
        Operator::NotEq => between(MIN, key - 1).union(&between(key + 1, MAX)),
        Operator::Lt => between(MIN, key - 1),
        Operator::LtEq => between(MIN, key),
        Operator::Gt => between(key + 1, MAX),
        Operator::GtEq => between(key, MAX),
        _ => return None,
    })
}
