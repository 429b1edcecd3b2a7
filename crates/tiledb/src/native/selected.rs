//! What a request selects: its columns, and its ranges by dimension.

use super::array::NativeArray;
use super::test::Test;
use crate::error::{Error, Result};
use crate::literal::Literal;
use crate::predicate::{DimensionRange, Intervals, Ranges};
use crate::schema::column::Column;

/// A column of a read, each once.
#[derive(Debug)]
pub(super) struct ReadColumn {
    pub(super) column: Column,
    /// Whether it is part of the batches.
    pub(super) is_output: bool,
}

/// Returns the columns to read: the dimensions first, at their positions in the layout, then those of the output and the tests; and for
/// each column of the output, which of them it is.
pub(super) fn columns(array: &NativeArray, names: &[String], tests: &[Test]) -> Result<(Vec<ReadColumn>, Vec<usize>)> {
    let dimensions = array.layout.dimensions.iter().map(|dimension| array.column(&dimension.name));
    let mut columns = Vec::new();
    for column in dimensions {
        columns.push(ReadColumn { column: column?.clone(), is_output: false });
    }
    let mut place = |name: &str| -> Result<usize> {
        if let Some(at) = columns.iter().position(|column| column.column.name == name) {
            return Ok(at);
        }
        columns.push(ReadColumn { column: array.column(name)?.clone(), is_output: false });
        Ok(columns.len() - 1)
    };
    let output = names.iter().map(|name| place(name)).collect::<Result<Vec<_>>>()?;
    let mut tested = Vec::new();
    tests.iter().for_each(|test| test.columns(&mut |column| tested.push(column.name.as_str())));
    for name in tested {
        place(name)?;
    }
    for (at, column) in columns.iter_mut().enumerate() {
        column.is_output = output.contains(&at);
    }
    Ok((columns, output))
}

/// The intervals of a request's ranges per dimension.
pub(super) fn dimension_ranges(array: &NativeArray, ranges: &[DimensionRange]) -> Result<Ranges> {
    let mut restricted = Ranges::new();
    for range in ranges {
        let position = array.layout.dimensions.iter().position(|dimension| dimension.name == range.dimension);
        let unknown = || Error::UnknownColumn { uri: array.uri.clone(), column: range.dimension.clone() };
        let position = position.ok_or_else(unknown)?;
        let domain = array.layout.dimensions.get(position).ok_or_else(unknown)?.domain;
        let key = |value: &Literal| {
            domain.axis().key(value).ok_or_else(|| Error::NotRepresentable {
                column: range.dimension.clone(),
                data_type: domain.value_type().to_arrow(),
                value: value.clone(),
            })
        };
        let own = Intervals::with_both_zeros(domain.axis(), vec![(key(&range.low)?, key(&range.high)?)]);
        let united = restricted.get(position).map_or_else(|| own.clone(), |others| others.union(&own));
        restricted.insert(position, united);
    }
    Ok(restricted)
}
