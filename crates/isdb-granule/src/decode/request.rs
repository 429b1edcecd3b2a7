//! The columns to decode for the requested variables.

use isdb_schema::catalogue::{Dtype, Variable, variable};
use isdb_schema::segments::selected_variables;

/// The variables from which `n_geosegments` is computed.
const SEGMENT_ENDS: [&str; 2] = ["segment_id_beg", "segment_id_end"];

/// A column to decode: a variable, and the type of the column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ColumnRequest {
    pub(crate) variable: &'static Variable,
    pub(crate) dtype: Dtype,
}

/// The variables of `variables` that are decoded with the leading columns: those of `first`, and the ends of the segment, which are among
/// the leading columns anyway.
pub(crate) fn variables_first<'v>(variables: &[&'v Variable], first: &[&Variable]) -> Vec<&'v Variable> {
    let is_first = |variable: &&&Variable| {
        SEGMENT_ENDS.contains(&variable.name) || first.iter().any(|first| first.name == variable.name)
    };
    variables.iter().filter(is_first).copied().collect()
}

/// The columns that [`assemble`](crate::rows::batch::assemble) needs, in its order: the position as doubles, the time (which becomes
/// UTC nanoseconds), both ends of the segment, then the other requested `variables`.
pub(crate) fn column_requests(variables: &[&Variable]) -> Vec<ColumnRequest> {
    let coordinates = ["latitude", "longitude", "delta_time"].map(|name| (name, Dtype::Float64));
    let leading = coordinates.into_iter().chain(SEGMENT_ENDS.map(|name| (name, Dtype::Int32)));
    let leading = leading.filter_map(|(name, dtype)| Some(ColumnRequest { variable: variable(name)?, dtype }));
    let others = selected_variables(variables).filter(|variable| !SEGMENT_ENDS.contains(&variable.name));
    leading.chain(others.map(|variable| ColumnRequest { variable, dtype: variable.dtype })).collect()
}
