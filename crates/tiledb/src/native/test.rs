//! Conditions, evaluated on the statistics of a tile and on its cells. Floats compare as in IEEE 754 and NULL never matches, as in
//! libtiledb.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray};
use arrow::buffer::{BooleanBuffer, Buffer};
use arrow::datatypes::{
    ArrowNativeType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampNanosecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use super::array::NativeArray;
use crate::error::{Error, Result};
use crate::literal::Literal;
use crate::predicate::{Op, Predicate};
use crate::schema::column::Column;
use crate::schema::physical::PhysicalType;
use crate::validity;

/// Calls a function that is generic over Arrow's primitive types with the one that represents `$physical`.
macro_rules! by_type {
    ($physical:expr, $function:ident($($argument:expr),*), $other:expr) => {
        match $physical {
            PhysicalType::Int8 => $function::<Int8Type>($($argument),*),
            PhysicalType::Int16 => $function::<Int16Type>($($argument),*),
            PhysicalType::Int32 => $function::<Int32Type>($($argument),*),
            PhysicalType::Int64 => $function::<Int64Type>($($argument),*),
            PhysicalType::UInt8 => $function::<UInt8Type>($($argument),*),
            PhysicalType::UInt16 => $function::<UInt16Type>($($argument),*),
            PhysicalType::UInt32 => $function::<UInt32Type>($($argument),*),
            PhysicalType::UInt64 => $function::<UInt64Type>($($argument),*),
            PhysicalType::Float32 => $function::<Float32Type>($($argument),*),
            PhysicalType::Float64 => $function::<Float64Type>($($argument),*),
            PhysicalType::TimestampNs => $function::<TimestampNanosecondType>($($argument),*),
            PhysicalType::Bool | PhysicalType::Text => $other,
        }
    };
}

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

/// The values of a set.
#[derive(Clone, Debug)]
pub(super) enum Values {
    /// Values of a primitive type, ascending; Booleans as bytes.
    Primitive(Buffer),
    /// Text, ascending.
    Text(Vec<Vec<u8>>),
}

/// What statistics say of a condition on every cell of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is false.
    Never,
    /// It is true.
    Always,
    /// Only the cells can tell.
    Maybe,
}

/// Statistics of one tile of a column.
pub(super) struct TileStatistics<'a> {
    /// The smallest and largest value that is not NULL, each in a vector of all tiles; `None` if they are not known.
    pub(super) range: Option<(&'a Buffer, &'a Buffer)>,
    /// The tile's place in them.
    pub(super) tile: usize,
    /// The number of NULLs; `None` if it is not known.
    pub(super) nulls: Option<u64>,
    pub(super) cells: u64,
}

impl Test {
    /// Converts a predicate to the types of the array's columns.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`], [`Error::NotRepresentable`], [`Error::Condition`].
    pub(super) fn new(predicate: &Predicate, array: &NativeArray) -> Result<Self> {
        Self::from_normal_form(&predicate.normal_form(), array)
    }

    fn from_normal_form(predicate: &Predicate, array: &NativeArray) -> Result<Self> {
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
                let values = by_type!(column.physical, sorted(values), sorted_bytes(column.physical, values));
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

    fn parts(parts: &[Predicate], array: &NativeArray) -> Result<Vec<Self>> {
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
                by_type!(column.physical, compare_range(*op, value, statistics), Verdict::Maybe)
            }),
            Self::In { column, values: Values::Primitive(values), negated } => decide(column, &|statistics| {
                by_type!(column.physical, search_range(values, *negated, statistics), Verdict::Maybe)
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
                valid(&array, by_type!(column.physical, compare(&array, *op, value), compare_other(&array, *op, value)))
            }),
            Self::In { column, values, negated } => cells(&column.name).map_or_else(nothing, |array| {
                let found = match values {
                    Values::Primitive(values) => {
                        by_type!(column.physical, search(&array, values), search_bits(&array, values))
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

impl Verdict {
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, _) | (_, Self::Never) => Self::Never,
            (Self::Always, other) => other,
            (Self::Maybe, _) => Self::Maybe,
        }
    }

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Always, _) | (_, Self::Always) => Self::Always,
            (Self::Never, other) => other,
            (Self::Maybe, _) => Self::Maybe,
        }
    }
}

impl From<bool> for Verdict {
    fn from(is_true: bool) -> Self {
        if is_true { Self::Always } else { Self::Never }
    }
}

/// The column `name`, which must not be a list.
fn scalar(array: &NativeArray, name: &str) -> Result<Arc<Column>> {
    let column = array.column(name)?;
    if column.width > 1 {
        return Err(Error::Condition { column: name.to_owned(), reason: "TileDB cannot compare lists" });
    }
    Ok(Arc::new(column.clone()))
}

fn bytes(column: &Column, value: &Literal) -> Result<Vec<u8>> {
    value.to_bytes(column.physical).ok_or_else(|| Error::NotRepresentable {
        column: column.name.clone(),
        data_type: column.data_type(),
        value: value.clone(),
    })
}

fn sorted<T: ArrowPrimitiveType>(values: Vec<Vec<u8>>) -> Values {
    let values = Buffer::from(values.concat().as_slice());
    let mut values = values.typed_data::<T::Native>().to_vec();
    values.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    Values::Primitive(Buffer::from_vec(values))
}

fn sorted_bytes(physical: PhysicalType, mut values: Vec<Vec<u8>>) -> Values {
    values.sort_unstable();
    if physical == PhysicalType::Text { Values::Text(values) } else { Values::Primitive(values.concat().into()) }
}

/// Returns the lowest and highest value of the tile, if they are known and in order. NaN is in no order.
fn range<T: ArrowNativeType>(statistics: &TileStatistics<'_>) -> Option<(T, T)> {
    let (low, high) = statistics.range?;
    let (low, high) = (low.typed_data::<T>().get(statistics.tile)?, high.typed_data::<T>().get(statistics.tile)?);
    (low <= high).then_some((*low, *high))
}

fn compare_range<T: ArrowPrimitiveType>(op: Op, value: &Buffer, statistics: &TileStatistics<'_>) -> Verdict {
    let value = value.typed_data::<T::Native>().first();
    let (Some((low, high)), Some(value)) = (range::<T::Native>(statistics), value) else { return Verdict::Maybe };
    let (is_never, is_always) = match op {
        Op::Eq => (*value < low || high < *value, low == *value && high == *value),
        Op::NotEq => (low == *value && high == *value, *value < low || high < *value),
        Op::Lt => (low >= *value, high < *value),
        Op::LtEq => (low > *value, high <= *value),
        Op::Gt => (high <= *value, low > *value),
        Op::GtEq => (high < *value, low >= *value),
    };
    match (is_never, is_always) {
        (true, _) => Verdict::Never,
        (_, true) => Verdict::Always,
        _ => Verdict::Maybe,
    }
}

fn search_range<T: ArrowPrimitiveType>(values: &Buffer, negated: bool, statistics: &TileStatistics<'_>) -> Verdict {
    let values = values.typed_data::<T::Native>();
    let Some((low, high)) = range::<T::Native>(statistics) else { return Verdict::Maybe };
    let first = values.partition_point(|value| *value < low);
    match values.get(first) {
        Some(value) if *value <= high && low == high => Verdict::from(!negated),
        Some(value) if *value <= high => Verdict::Maybe,
        _ => Verdict::from(negated),
    }
}

/// Clears the bits of NULL.
fn valid(array: &ArrayRef, mask: BooleanBuffer) -> BooleanBuffer {
    array.nulls().map_or_else(|| mask.clone(), |nulls| &mask & nulls.inner())
}

fn compare<T: ArrowPrimitiveType>(array: &ArrayRef, op: Op, value: &Buffer) -> BooleanBuffer {
    let values = array.as_primitive::<T>().values();
    let Some(value) = value.typed_data::<T::Native>().first().copied() else {
        return BooleanBuffer::new_unset(array.len());
    };
    match op {
        Op::Eq => bits(values, |cell| cell == value),
        Op::NotEq => bits(values, |cell| cell != value),
        Op::Lt => bits(values, |cell| cell < value),
        Op::LtEq => bits(values, |cell| cell <= value),
        Op::Gt => bits(values, |cell| cell > value),
        Op::GtEq => bits(values, |cell| cell >= value),
    }
}

fn search<T: ArrowPrimitiveType>(array: &ArrayRef, values: &Buffer) -> BooleanBuffer {
    let values = values.typed_data::<T::Native>();
    let order = |a: &T::Native, b: &T::Native| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Less);
    bits(array.as_primitive::<T>().values(), |cell| values.binary_search_by(|value| order(value, &cell)).is_ok())
}

fn compare_other(array: &ArrayRef, op: Op, value: &Buffer) -> BooleanBuffer {
    let matches = |order: std::cmp::Ordering| match op {
        Op::Eq => order.is_eq(),
        Op::NotEq => order.is_ne(),
        Op::Lt => order.is_lt(),
        Op::LtEq => order.is_le(),
        Op::Gt => order.is_gt(),
        Op::GtEq => order.is_ge(),
    };
    if let Some(cells) = array.as_boolean_opt() {
        let (unset, set) = (matches([0].as_slice().cmp(value)), matches([1].as_slice().cmp(value)));
        return match (unset, set) {
            (true, true) => BooleanBuffer::new_set(cells.len()),
            (false, true) => cells.values().clone(),
            (true, false) => !cells.values(),
            (false, false) => BooleanBuffer::new_unset(cells.len()),
        };
    }
    let Some(cells) = array.as_string_opt::<i64>() else { return BooleanBuffer::new_unset(array.len()) };
    BooleanBuffer::collect_bool(cells.len(), |at| matches(cells.value(at).as_bytes().cmp(value)))
}

fn search_bits(array: &ArrayRef, values: &Buffer) -> BooleanBuffer {
    let Some(cells) = array.as_boolean_opt() else { return BooleanBuffer::new_unset(array.len()) };
    match (values.contains(&0), values.contains(&1)) {
        (true, true) => BooleanBuffer::new_set(cells.len()),
        (true, false) => !cells.values(),
        (false, true) => cells.values().clone(),
        (false, false) => BooleanBuffer::new_unset(cells.len()),
    }
}

fn search_text(array: &ArrayRef, values: &[Vec<u8>]) -> BooleanBuffer {
    let Some(cells) = array.as_string_opt::<i64>() else { return BooleanBuffer::new_unset(array.len()) };
    BooleanBuffer::collect_bool(cells.len(), |at| {
        values.binary_search_by(|value| value.as_slice().cmp(cells.value(at).as_bytes())).is_ok()
    })
}

/// Packs the results of a test, 64 cells at a time: first as bytes, which the compiler vectorises, then as bits.
pub(super) fn bits<T: Copy>(values: &[T], test: impl Fn(T) -> bool) -> BooleanBuffer {
    let bytes: Vec<u8> = values.iter().map(|value| u8::from(test(*value))).collect();
    validity::pack(&bytes)
}
