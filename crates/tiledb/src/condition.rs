//! Conditions on cell values: bound to an array's columns, freed of negation and constants, and handed to TileDB.

use std::collections::BTreeSet;
use std::ptr;

use tiledb_sys as sys;

use crate::array::Array;
use crate::column::{Column, Physical};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::literal::Literal;

/// How a column is compared with a value.
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

/// A test of each cell, on dimensions and scalar attributes. Cells for which it is TRUE are read.
///
/// NULL follows SQL: a comparison with a NULL cell is neither true nor false, also under [`Condition::Not`], which
/// therefore turns operators around (`NOT a < 1` reads as `a >= 1`). Floats follow IEEE 754: NaN passes `NotEq` only (also
/// where that came from a `Not`), and −0.0 equals 0.0. Text compares byte by byte.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// The column against one value.
    Compare {
        /// The column.
        column: String,
        /// The comparison.
        op: Op,
        /// The value on the right.
        value: Literal,
    },
    /// The column is one of `values` (or none of them).
    In {
        /// The column.
        column: String,
        /// The set; empty holds nothing, so that its negation is true even for NULL.
        values: Vec<Literal>,
        /// Whether membership is the failure.
        negated: bool,
    },
    /// The cell is NULL (or is not); for lists the whole list. Whether it is NULL cannot be asked of an attribute that was
    /// [added later](crate::ADDED_LATER).
    IsNull {
        /// The column.
        column: String,
        /// Whether NULL is the failure.
        negated: bool,
    },
    /// All hold; true if empty.
    And(Vec<Condition>),
    /// At least one holds; false if empty.
    Or(Vec<Condition>),
    /// It does not hold, and neither is it NULL.
    Not(Box<Condition>),
}

/// A condition in the form TileDB evaluates: no negation, no constants inside, no And in an And.
pub(crate) enum Bound {
    True,
    False,
    Test(Test),
    All(Vec<Bound>),
    Any(Vec<Bound>),
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
    /// Binds to `array`'s columns.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`], [`Error::NotRepresentable`], [`Error::Condition`].
    pub(crate) fn bind(&self, array: &Array) -> Result<Bound> {
        self.bind_as(array, false)
    }

    /// Binds the condition or its negation. With the negation pushed down to the tests, a test of NULL that is false is as
    /// good as one that is NULL: And and Or never turn it into TRUE.
    fn bind_as(&self, array: &Array, negate: bool) -> Result<Bound> {
        match self {
            Self::Compare { column, op, value } => {
                let column = scalar(array, column)?;
                let op = if negate { op.negated() } else { *op };
                compare(column, op, value)
            }
            Self::In { column, values, negated } => member(scalar(array, column)?, values, *negated != negate),
            Self::IsNull { column, negated } => {
                let column = array.column(column)?;
                let wants_null = *negated == negate;
                if wants_null && column.lacking_in > 0 {
                    let reason = "it was added later, and TileDB passes over the cells from before that are NULL in it";
                    return Err(Error::Condition { column: column.name.clone(), reason });
                }
                Ok(match (column.nullable, wants_null) {
                    (true, true) => test(column, sys::TILEDB_EQ, Values::Null),
                    (true, false) => test(column, sys::TILEDB_NE, Values::Null),
                    (false, true) => Bound::False,
                    (false, false) => Bound::True,
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
        let reason = "TileDB compares single values, not lists";
        return Err(Error::Condition { column: name.to_owned(), reason });
    }
    Ok(column)
}

fn test(column: &Column, op: sys::tiledb_query_condition_op_t, values: Values) -> Bound {
    Bound::Test(Test { column: column.clone(), op, values })
}

fn bytes(column: &Column, value: &Literal) -> Result<Vec<u8>> {
    let bytes = value.to_bytes(column.physical);
    bytes.ok_or_else(|| Error::NotRepresentable {
        column: column.name.clone(),
        data_type: column.data_type(),
        value: value.clone(),
    })
}

fn compare(column: &Column, op: Op, value: &Literal) -> Result<Bound> {
    Ok(test(column, op.code(), Values::One(bytes(column, value)?)))
}

fn member(column: &Column, values: &[Literal], negated: bool) -> Result<Bound> {
    // Sets compare bytes, but 0.0 and -0.0 are equal floats; a set of Booleans is hardly one.
    let one_by_one = column.physical.is_float() || column.physical == Physical::Bool;
    if values.is_empty() {
        Ok(if negated { Bound::True } else { Bound::False })
    } else if one_by_one {
        let op = if negated { Op::NotEq } else { Op::Eq };
        let tests = values.iter().map(|value| compare(column, op, value)).collect::<Result<Vec<_>>>()?;
        Ok(fold(tests, negated))
    } else {
        let mut set = values.iter().map(|value| bytes(column, value)).collect::<Result<BTreeSet<_>>>()?;
        // One value is compared faster, and TileDB takes no set of nothing but the empty text.
        if set.len() == 1 {
            let op = if negated { Op::NotEq } else { Op::Eq };
            let only = set.pop_first().unwrap_or_default();
            return Ok(test(column, op.code(), Values::One(only)));
        }
        let op = if negated { sys::TILEDB_NOT_IN } else { sys::TILEDB_IN };
        Ok(test(column, op, Values::Set(set)))
    }
}

fn combine(array: &Array, parts: &[Condition], negate: bool, all: bool) -> Result<Bound> {
    let parts = parts.iter().map(|part| part.bind_as(array, negate)).collect::<Result<Vec<_>>>()?;
    Ok(fold(parts, all))
}

/// All (or any) of `parts`, flattened: TileDB loses an Or right inside an Or.
fn fold(parts: Vec<Bound>, all: bool) -> Bound {
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts {
        match (part, all) {
            (Bound::True, true) | (Bound::False, false) => {}
            (Bound::False, true) => return Bound::False,
            (Bound::True, false) => return Bound::True,
            (Bound::All(inner), true) | (Bound::Any(inner), false) => flat.extend(inner),
            (other, _) => flat.push(other),
        }
    }
    if !all {
        // In a fragment without its attribute, a test takes back what the ones before it in an Or have found. Fragments that
        // lack one attribute lack those that were added later still.
        flat.sort_by_key(|part| std::cmp::Reverse(part.lacking_in()));
    }
    match (flat.len(), all) {
        (0, true) => Bound::True,
        (0, false) => Bound::False,
        (1, _) => flat.swap_remove(0),
        (_, true) => Bound::All(flat),
        (_, false) => Bound::Any(flat),
    }
}

type Native = Handle<sys::tiledb_query_condition_t>;

const ACTION: &str = "make a condition on";

impl Bound {
    /// How many schemas do not have the attribute of this very test.
    fn lacking_in(&self) -> usize {
        if let Self::Test(test) = self { test.column.lacking_in } else { 0 }
    }

    /// TileDB's condition; `None` for the constants, which the caller has dealt with.
    pub(crate) fn native(&self, ctx: &Context, uri: &str) -> Result<Option<Native>> {
        match self {
            Self::True | Self::False => Ok(None),
            Self::Test(test) => test.native(ctx, uri).map(Some),
            Self::All(parts) => joined(ctx, uri, parts, sys::TILEDB_AND),
            Self::Any(parts) => joined(ctx, uri, parts, sys::TILEDB_OR),
        }
    }
}

/// Joins halves, since every join copies what it joins.
fn joined(
    ctx: &Context,
    uri: &str,
    parts: &[Bound],
    op: sys::tiledb_query_condition_combination_op_t,
) -> Result<Option<Native>> {
    if let [part] = parts {
        return part.native(ctx, uri);
    }
    let (left, right) = parts.split_at(parts.len() / 2);
    let (left, right) = (joined(ctx, uri, left, op)?, joined(ctx, uri, right, op)?);
    let (Some(left), Some(right)) = (left, right) else { return Ok(None) };
    // SAFETY: two live conditions and a place to write to.
    let both = ctx.make(ACTION, uri, sys::tiledb_query_condition_free, |c, out| unsafe {
        sys::tiledb_query_condition_combine(c, left.as_ptr(), right.as_ptr(), op, out)
    })?;
    Ok(Some(both))
}

impl Test {
    fn native(&self, ctx: &Context, uri: &str) -> Result<Native> {
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
