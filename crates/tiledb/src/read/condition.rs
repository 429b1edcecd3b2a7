//! Predicates as TileDB's query conditions, which evaluate them exactly.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::ptr;

use tiledb_sys as sys;

use crate::array::library::LibraryArray;
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::literal::Literal;
use crate::predicate::{Op, Predicate};
use crate::schema::column::Column;
use crate::schema::physical::PhysicalType;

type NativeCondition = Handle<sys::tiledb_query_condition_t>;

const ACTION: &str = "create a condition on";

/// Returns the form of `predicate` that TileDB can evaluate on `array`: a constant, or a normal form without lists of floats and
/// Booleans, with the Ors in the order that TileDB needs.
///
/// # Errors
/// [`Error::UnknownColumn`], [`Error::NotRepresentable`], [`Error::Condition`].
pub(super) fn resolve(predicate: &Predicate, array: &LibraryArray) -> Result<Predicate> {
    resolve_normal_form(&predicate.normal_form().with_keys(array)?, array)
}

fn resolve_normal_form(predicate: &Predicate, array: &LibraryArray) -> Result<Predicate> {
    Ok(match predicate {
        Predicate::Constant(_) => predicate.clone(),
        Predicate::Compare { column, value, .. } => {
            bytes(scalar(array, column)?, value)?;
            predicate.clone()
        }
        Predicate::In { column, values, negated } => {
            let physical = scalar(array, column)?.physical;
            // TileDB compares the bytes of set members, but 0.0 and -0.0 are equal floats. Sets of Booleans have at most two
            // members.
            if !physical.is_float() && physical != PhysicalType::Bool {
                values.iter().try_for_each(|value| bytes(array.column(column)?, value).map(|_| ()))?;
                return Ok(predicate.clone());
            }
            let op = if *negated { Op::NotEq } else { Op::Eq };
            let compare = |value: &Literal| {
                let compare = Predicate::Compare { column: column.clone(), op, value: value.clone() };
                resolve_normal_form(&compare, array)
            };
            let parts = values.iter().map(compare).collect::<Result<Vec<_>>>()?;
            if *negated { Predicate::all(parts) } else { Predicate::any(parts) }
        }
        Predicate::IsNull { column, negated } => {
            let column = array.column(column)?;
            if !negated && column.schemas_without > 0 {
                let reason = "TileDB cannot evaluate IS NULL on an attribute that was added later";
                return Err(Error::Condition { column: column.name.clone(), reason });
            }
            if column.nullable { predicate.clone() } else { Predicate::Constant(Some(*negated)) }
        }
        Predicate::And(parts) => {
            let parts = parts.iter().map(|part| resolve_normal_form(part, array)).collect::<Result<Vec<_>>>()?;
            Predicate::all(parts)
        }
        Predicate::Or(parts) => {
            let parts = parts.iter().map(|part| resolve_normal_form(part, array)).collect::<Result<Vec<_>>>()?;
            // Flattened, because TileDB ignores an Or directly inside an Or.
            let mut either = Predicate::any(parts);
            if let Predicate::Or(parts) = &mut either {
                // In a fragment that lacks the attribute of a test, that test resets the results of the tests before it in an
                // Or, so such tests come first. Fragments that lack one attribute lack all attributes added after it.
                parts.sort_by_key(|part| Reverse(schemas_without(part, array)));
            }
            either
        }
        Predicate::Opaque | Predicate::Not(_) => return Err(cannot_evaluate(predicate)),
    })
}

fn cannot_evaluate(predicate: &Predicate) -> Error {
    Error::Condition { column: predicate.to_string(), reason: "TileDB cannot evaluate this predicate" }
}

/// The column `name`, which must not be a list.
fn scalar<'a>(array: &'a LibraryArray, name: &str) -> Result<&'a Column> {
    let column = array.column(name)?;
    if column.width > 1 {
        let reason = "TileDB cannot compare lists";
        return Err(Error::Condition { column: name.to_owned(), reason });
    }
    Ok(column)
}

fn bytes(column: &Column, value: &Literal) -> Result<Vec<u8>> {
    let bytes = value.to_bytes(column.physical);
    bytes.ok_or_else(|| Error::NotRepresentable {
        column: column.name.clone(),
        data_type: column.data_type(),
        value: value.clone(),
    })
}

/// How many schemas lack the attribute of this test.
fn schemas_without(predicate: &Predicate, array: &LibraryArray) -> usize {
    match predicate {
        Predicate::Compare { column, .. } | Predicate::In { column, .. } | Predicate::IsNull { column, .. } => {
            array.column(column).map_or(0, |column| column.schemas_without)
        }
        _ => 0,
    }
}

/// Builds TileDB's condition from a [resolved](resolve) predicate; `None` for constants, which the caller handles.
pub(super) fn native(predicate: &Predicate, array: &LibraryArray) -> Result<Option<NativeCondition>> {
    match predicate {
        Predicate::Constant(_) => Ok(None),
        Predicate::Compare { column, op, value } => {
            let column = array.column(column)?;
            compare(array, column, op.to_tiledb(), Some(&bytes(column, value)?)).map(Some)
        }
        Predicate::In { column, values, negated } => {
            let column = array.column(column)?;
            let mut set = values.iter().map(|value| bytes(column, value)).collect::<Result<BTreeSet<_>>>()?;
            // One value is compared faster, and TileDB refuses a set of only the empty text.
            if set.len() == 1 {
                let op = if *negated { Op::NotEq } else { Op::Eq };
                return compare(array, column, op.to_tiledb(), set.pop_first().as_deref()).map(Some);
            }
            member(array, column, &set, if *negated { sys::TILEDB_NOT_IN } else { sys::TILEDB_IN }).map(Some)
        }
        Predicate::IsNull { column, negated } => {
            let op = if *negated { sys::TILEDB_NE } else { sys::TILEDB_EQ };
            compare(array, array.column(column)?, op, None).map(Some)
        }
        Predicate::And(parts) => join(array, parts, sys::TILEDB_AND),
        Predicate::Or(parts) => join(array, parts, sys::TILEDB_OR),
        Predicate::Opaque | Predicate::Not(_) => Err(cannot_evaluate(predicate)),
    }
}

/// Joins the two halves recursively, because each join copies its operands.
fn join(
    array: &LibraryArray,
    parts: &[Predicate],
    op: sys::tiledb_query_condition_combination_op_t,
) -> Result<Option<NativeCondition>> {
    if let [part] = parts {
        return native(part, array);
    }
    let (left, right) = parts.split_at(parts.len() / 2);
    let (left, right) = (join(array, left, op)?, join(array, right, op)?);
    let (Some(left), Some(right)) = (left, right) else { return Ok(None) };
    // SAFETY: two live conditions and a valid out pointer.
    let both = array.ctx().make(ACTION, array.uri(), sys::tiledb_query_condition_free, |c, out| unsafe {
        sys::tiledb_query_condition_combine(c, left.as_ptr(), right.as_ptr(), op, out)
    })?;
    Ok(Some(both))
}

/// Compares a column with a value, or with NULL.
fn compare(
    array: &LibraryArray,
    column: &Column,
    op: sys::tiledb_query_condition_op_t,
    value: Option<&[u8]>,
) -> Result<NativeCondition> {
    let (ctx, uri, name) = (array.ctx(), array.uri(), column.c_name.as_ptr());
    // SAFETY: a live context and a valid out pointer.
    let condition = ctx.make(ACTION, uri, sys::tiledb_query_condition_free, |c, out| unsafe {
        sys::tiledb_query_condition_alloc(c, out)
    })?;
    let (value, size) = value.map_or((ptr::null(), 0), |value| (value.as_ptr().cast(), value.len() as u64));
    // SAFETY: a live condition, a name and a value that outlive the call.
    let code = unsafe { sys::tiledb_query_condition_init(ctx.as_ptr(), condition.as_ptr(), name, value, size, op) };
    ctx.check(code, ACTION, uri)?;
    compare_keys(array, column, &condition)?;
    Ok(condition)
}

/// Makes the condition on a dictionary column one on its keys: libtiledb would look for texts otherwise.
fn compare_keys(array: &LibraryArray, column: &Column, condition: &NativeCondition) -> Result<()> {
    if column.enumeration.is_none() {
        return Ok(());
    }
    // SAFETY: a live condition.
    let code = unsafe { sys::tiledb_query_condition_set_use_enumeration(array.ctx().as_ptr(), condition.as_ptr(), 0) };
    array.ctx().check(code, ACTION, array.uri())
}

/// Tests whether a column is a member of a set.
fn member(
    array: &LibraryArray,
    column: &Column,
    set: &BTreeSet<Vec<u8>>,
    op: sys::tiledb_query_condition_op_t,
) -> Result<NativeCondition> {
    let data: Vec<u8> = set.iter().flatten().copied().collect();
    let starts = set.iter().scan(0_u64, |next, value| {
        let start = *next;
        *next += value.len() as u64;
        Some(start)
    });
    let offsets: Vec<u64> = starts.collect();
    let (data_size, offsets_size) = (data.len() as u64, size_of_val(offsets.as_slice()) as u64);
    let name = column.c_name.as_ptr();
    // SAFETY: a name, values and their offsets that outlive the call, with their sizes in bytes.
    let condition = array.ctx().make(ACTION, array.uri(), sys::tiledb_query_condition_free, |c, out| unsafe {
        let (data, offsets) = (data.as_ptr().cast(), offsets.as_ptr().cast());
        sys::tiledb_query_condition_alloc_set_membership(c, name, data, data_size, offsets, offsets_size, op, out)
    })?;
    compare_keys(array, column, &condition)?;
    Ok(condition)
}
