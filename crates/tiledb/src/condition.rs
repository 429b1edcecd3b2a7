//! Conditions on cell values, and their translation into TileDB's query conditions.

use std::collections::BTreeSet;
use std::ptr;

use tiledb_sys as sys;

use crate::array::Array;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::literal::Literal;
use crate::schema::column::Column;
use crate::schema::physical::PhysicalType;

/// A comparison of a column with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Equal.
    Eq,
    /// Not equal.
    NotEq,
    /// Less.
    Lt,
    /// Less or equal.
    LtEq,
    /// Greater.
    Gt,
    /// Greater or equal.
    GtEq,
}

impl Op {
    fn negated(self) -> Self {
        match self {
            Self::Eq => Self::NotEq,
            Self::NotEq => Self::Eq,
            Self::Lt => Self::GtEq,
            Self::LtEq => Self::Gt,
            Self::Gt => Self::LtEq,
            Self::GtEq => Self::Lt,
        }
    }

    fn code(self) -> sys::tiledb_query_condition_op_t {
        match self {
            Self::Eq => sys::TILEDB_EQ,
            Self::NotEq => sys::TILEDB_NE,
            Self::Lt => sys::TILEDB_LT,
            Self::LtEq => sys::TILEDB_LE,
            Self::Gt => sys::TILEDB_GT,
            Self::GtEq => sys::TILEDB_GE,
        }
    }
}

/// A condition on dimensions and scalar attributes. A read returns the cells for which it is TRUE.
///
/// NULL follows SQL: a comparison with a NULL cell is neither true nor false, even under [`Condition::Not`], which negates
/// operators instead (`NOT a < 1` is evaluated as `a >= 1`). Floats follow IEEE 754: NaN satisfies `NotEq` only (including a
/// `NotEq` that comes from a `Not`), and −0.0 equals 0.0. Text compares byte by byte.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// Compares a column with one value.
    Compare {
        /// The column.
        column: String,
        /// The comparison.
        op: Op,
        /// The right-hand side.
        value: Literal,
    },
    /// The column is one of `values` (or, negated, none of them).
    In {
        /// The column.
        column: String,
        /// The values. If empty, the condition is false, and its negation true, even for NULL.
        values: Vec<Literal>,
        /// `NOT IN`.
        negated: bool,
    },
    /// The cell is NULL (or, negated, is not); for lists the whole list. TileDB cannot evaluate `IS NULL` on an attribute that
    /// was [added later](crate::ADDED_LATER).
    IsNull {
        /// The column.
        column: String,
        /// `IS NOT NULL`.
        negated: bool,
    },
    /// All are true; true if empty.
    And(Vec<Condition>),
    /// At least one is true; false if empty.
    Or(Vec<Condition>),
    /// The condition is false; NULL stays NULL.
    Not(Box<Condition>),
}

/// A condition in the form that TileDB evaluates: without negation and nested constants, and no And inside an And.
pub(crate) enum BoundCondition {
    True,
    False,
    Test(Test),
    All(Vec<BoundCondition>),
    Any(Vec<BoundCondition>),
}

/// One test of one column.
pub(crate) struct Test {
    column: Column,
    op: sys::tiledb_query_condition_op_t,
    values: Values,
}

enum Values {
    Null,
    One(Vec<u8>),
    Set(BTreeSet<Vec<u8>>),
}

impl Condition {
    /// Resolves the condition against `array`'s columns.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`], [`Error::NotRepresentable`], [`Error::Condition`].
    pub(crate) fn bind(&self, array: &Array) -> Result<BoundCondition> {
        self.bind_as(array, false)
    }

    /// Resolves the condition or its negation. Negation is pushed down to the tests, so a test of a NULL cell may yield false
    /// instead of NULL: And and Or turn neither into TRUE.
    fn bind_as(&self, array: &Array, negate: bool) -> Result<BoundCondition> {
        match self {
            Self::Compare { column, op, value } => {
                let column = scalar(array, column)?;
                let op = if negate { op.negated() } else { *op };
                compare(column, op, value)
            }
            Self::In { column, values, negated } => member(scalar(array, column)?, values, *negated != negate),
            Self::IsNull { column, negated } => {
                let column = array.column(column)?;
                let is_null = *negated == negate;
                if is_null && column.schemas_without > 0 {
                    let reason = "TileDB cannot evaluate IS NULL on an attribute that was added later";
                    return Err(Error::Condition { column: column.name.clone(), reason });
                }
                Ok(match (column.nullable, is_null) {
                    (true, true) => test(column, sys::TILEDB_EQ, Values::Null),
                    (true, false) => test(column, sys::TILEDB_NE, Values::Null),
                    (false, true) => BoundCondition::False,
                    (false, false) => BoundCondition::True,
                })
            }
            Self::And(parts) => combine(array, parts, negate, !negate),
            Self::Or(parts) => combine(array, parts, negate, negate),
            Self::Not(part) => part.bind_as(array, !negate),
        }
    }
}

fn scalar<'a>(array: &'a Array, name: &str) -> Result<&'a Column> {
    let column = array.column(name)?;
    if column.width > 1 {
        let reason = "TileDB cannot compare lists";
        return Err(Error::Condition { column: name.to_owned(), reason });
    }
    Ok(column)
}

fn test(column: &Column, op: sys::tiledb_query_condition_op_t, values: Values) -> BoundCondition {
    BoundCondition::Test(Test { column: column.clone(), op, values })
}

fn bytes(column: &Column, value: &Literal) -> Result<Vec<u8>> {
    let bytes = value.to_bytes(column.physical);
    bytes.ok_or_else(|| Error::NotRepresentable {
        column: column.name.clone(),
        data_type: column.data_type(),
        value: value.clone(),
    })
}

fn compare(column: &Column, op: Op, value: &Literal) -> Result<BoundCondition> {
    Ok(test(column, op.code(), Values::One(bytes(column, value)?)))
}

fn member(column: &Column, values: &[Literal], negated: bool) -> Result<BoundCondition> {
    // TileDB compares the bytes of set members, but 0.0 and -0.0 are equal floats. Sets of Booleans have at most two members.
    let one_by_one = column.physical.is_float() || column.physical == PhysicalType::Bool;
    if values.is_empty() {
        Ok(if negated { BoundCondition::True } else { BoundCondition::False })
    } else if one_by_one {
        let op = if negated { Op::NotEq } else { Op::Eq };
        let tests = values.iter().map(|value| compare(column, op, value)).collect::<Result<Vec<_>>>()?;
        Ok(fold(tests, negated))
    } else {
        let mut set = values.iter().map(|value| bytes(column, value)).collect::<Result<BTreeSet<_>>>()?;
        // One value is compared faster, and TileDB refuses a set of only the empty text.
        if set.len() == 1 {
            let op = if negated { Op::NotEq } else { Op::Eq };
            let only = set.pop_first().unwrap_or_default();
            return Ok(test(column, op.code(), Values::One(only)));
        }
        let op = if negated { sys::TILEDB_NOT_IN } else { sys::TILEDB_IN };
        Ok(test(column, op, Values::Set(set)))
    }
}

fn combine(array: &Array, parts: &[Condition], negate: bool, all: bool) -> Result<BoundCondition> {
    let parts = parts.iter().map(|part| part.bind_as(array, negate)).collect::<Result<Vec<_>>>()?;
    Ok(fold(parts, all))
}

/// Joins `parts` by And (`all`) or Or, flattened: TileDB ignores an Or directly inside an Or.
fn fold(parts: Vec<BoundCondition>, all: bool) -> BoundCondition {
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts {
        match (part, all) {
            (BoundCondition::True, true) | (BoundCondition::False, false) => {}
            (BoundCondition::False, true) => return BoundCondition::False,
            (BoundCondition::True, false) => return BoundCondition::True,
            (BoundCondition::All(inner), true) | (BoundCondition::Any(inner), false) => flat.extend(inner),
            (other, _) => flat.push(other),
        }
    }
    if !all {
        // In a fragment that lacks its attribute, a test resets the results of the tests before it in an Or, so these tests come
        // first. Fragments that lack one attribute lack all attributes added after it.
        flat.sort_by_key(|part| std::cmp::Reverse(part.schemas_without()));
    }
    match (flat.len(), all) {
        (0, true) => BoundCondition::True,
        (0, false) => BoundCondition::False,
        (1, _) => flat.swap_remove(0),
        (_, true) => BoundCondition::All(flat),
        (_, false) => BoundCondition::Any(flat),
    }
}

type NativeCondition = Handle<sys::tiledb_query_condition_t>;

const ACTION: &str = "create a condition on";

impl BoundCondition {
    /// How many schemas lack the attribute of this test.
    fn schemas_without(&self) -> usize {
        if let Self::Test(test) = self { test.column.schemas_without } else { 0 }
    }

    /// Builds TileDB's condition; `None` for constants, which the caller handles.
    pub(crate) fn native(&self, ctx: &Context, uri: &str) -> Result<Option<NativeCondition>> {
        match self {
            Self::True | Self::False => Ok(None),
            Self::Test(test) => test.native(ctx, uri).map(Some),
            Self::All(parts) => join(ctx, uri, parts, sys::TILEDB_AND),
            Self::Any(parts) => join(ctx, uri, parts, sys::TILEDB_OR),
        }
    }
}

/// Joins the two halves recursively, because each join copies its operands.
fn join(
    ctx: &Context,
    uri: &str,
    parts: &[BoundCondition],
    op: sys::tiledb_query_condition_combination_op_t,
) -> Result<Option<NativeCondition>> {
    if let [part] = parts {
        return part.native(ctx, uri);
    }
    let (left, right) = parts.split_at(parts.len() / 2);
    let (left, right) = (join(ctx, uri, left, op)?, join(ctx, uri, right, op)?);
    let (Some(left), Some(right)) = (left, right) else { return Ok(None) };
    // SAFETY: two live conditions and a place to write to.
    let both = ctx.make(ACTION, uri, sys::tiledb_query_condition_free, |c, out| unsafe {
        sys::tiledb_query_condition_combine(c, left.as_ptr(), right.as_ptr(), op, out)
    })?;
    Ok(Some(both))
}

impl Test {
    fn native(&self, ctx: &Context, uri: &str) -> Result<NativeCondition> {
        let name = self.column.c_name.as_ptr();
        if let Values::Set(values) = &self.values {
            let data: Vec<u8> = values.iter().flatten().copied().collect();
            let starts = values.iter().scan(0_u64, |next, value| {
                let start = *next;
                *next += value.len() as u64;
                Some(start)
            });
            let offsets: Vec<u64> = starts.collect();
            let (data_size, offsets_size) = (data.len() as u64, size_of_val(offsets.as_slice()) as u64);
            // SAFETY: a name, values and their offsets that outlive the call, with their sizes in bytes.
            return ctx.make(ACTION, uri, sys::tiledb_query_condition_free, |c, out| unsafe {
                let (data, offsets) = (data.as_ptr().cast(), offsets.as_ptr().cast());
                sys::tiledb_query_condition_alloc_set_membership(
                    c,
                    name,
                    data,
                    data_size,
                    offsets,
                    offsets_size,
                    self.op,
                    out,
                )
            });
        }
        // SAFETY: a live context and a place to write to.
        let condition = ctx.make(ACTION, uri, sys::tiledb_query_condition_free, |c, out| unsafe {
            sys::tiledb_query_condition_alloc(c, out)
        })?;
        let (value, size) = match &self.values {
            Values::One(bytes) => (bytes.as_ptr().cast(), bytes.len() as u64),
            Values::Null | Values::Set(_) => (ptr::null(), 0),
        };
        // SAFETY: a live condition, a name and a value that outlive the call.
        let code =
            unsafe { sys::tiledb_query_condition_init(ctx.as_ptr(), condition.as_ptr(), name, value, size, self.op) };
        ctx.check(code, ACTION, uri)?;
        Ok(condition)
    }
}
