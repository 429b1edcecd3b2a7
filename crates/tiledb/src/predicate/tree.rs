//! The predicate tree.

use std::cmp::Ordering;

use tiledb_sys as sys;

use crate::literal::Literal;

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
    /// The operator that is true where this one is false, for values that are not NULL.
    pub fn negated(self) -> Self {
        match self {
            Self::Eq => Self::NotEq,
            Self::NotEq => Self::Eq,
            Self::Lt => Self::GtEq,
            Self::LtEq => Self::Gt,
            Self::Gt => Self::LtEq,
            Self::GtEq => Self::Lt,
        }
    }

    /// The operator with its two sides exchanged: `1 < x` is `x > 1`.
    pub fn swapped(self) -> Self {
        match self {
            Self::Lt => Self::Gt,
            Self::LtEq => Self::GtEq,
            Self::Gt => Self::Lt,
            Self::GtEq => Self::LtEq,
            Self::Eq | Self::NotEq => self,
        }
    }

    /// Whether the comparison holds for values in this order.
    pub(crate) fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Eq => order.is_eq(),
            Self::NotEq => order.is_ne(),
            Self::Lt => order.is_lt(),
            Self::LtEq => order.is_le(),
            Self::Gt => order.is_gt(),
            Self::GtEq => order.is_ge(),
        }
    }

    /// TileDB's operator.
    pub(crate) fn to_tiledb(self) -> sys::tiledb_query_condition_op_t {
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

/// A predicate on dimensions and scalar attributes.
///
/// NULL follows SQL: a comparison with a NULL cell is neither true nor false, even under [`Predicate::Not`], which negates
/// operators instead (`NOT a < 1` is evaluated as `a >= 1`). Text compares byte by byte.
///
/// The order of floats depends on who evaluates the predicate. As the condition of a read they follow IEEE 754: NaN satisfies
/// `NotEq` only (including a `NotEq` that comes from a `Not`), and −0.0 equals 0.0. [`Array::pushdown`](crate::Array::pushdown)
/// assumes an engine that may follow Arrow's total order instead.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicate {
    /// True, false or (`None`) NULL for every cell.
    Constant(Option<bool>),
    /// A predicate that this tree cannot express, so that only the caller can evaluate it. A read refuses it; a pushdown
    /// keeps a superset.
    Opaque,
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
        /// The values. If empty, the predicate is false, and its negation true, even for NULL.
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
    And(Vec<Predicate>),
    /// At least one is true; false if empty.
    Or(Vec<Predicate>),
    /// The predicate is false; NULL stays NULL.
    Not(Box<Predicate>),
}

impl Predicate {
    /// Always true.
    pub const TRUE: Self = Self::Constant(Some(true));
    /// Always false.
    pub const FALSE: Self = Self::Constant(Some(false));
    /// Always NULL, and so never true, with or without `Not`.
    pub const NULL: Self = Self::Constant(None);

    /// Joins `parts` with And, without nested `And`s and neutral constants.
    pub fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        join(parts, true)
    }

    /// Joins `parts` with Or, without nested Ors and neutral constants.
    pub fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        join(parts, false)
    }
}

/// Joins with And (`all`) or Or. True is neutral in an And and decides an Or; false the other way round.
fn join(parts: impl IntoIterator<Item = Predicate>, all: bool) -> Predicate {
    let mut flat = Vec::new();
    for part in parts {
        match part {
            Predicate::Constant(Some(value)) if value == all => {}
            Predicate::Constant(Some(value)) => return Predicate::Constant(Some(value)),
            Predicate::And(inner) if all => flat.extend(inner),
            Predicate::Or(inner) if !all => flat.extend(inner),
            other => flat.push(other),
        }
    }
    match (flat.len(), all) {
        (0, _) => Predicate::Constant(Some(all)),
        (1, _) => flat.swap_remove(0),
        (_, true) => Predicate::And(flat),
        (_, false) => Predicate::Or(flat),
    }
}
