//! The product catalogue: every variable of `land_segments` in ATL08 releases 004 to 007, as a compile-time table.
//!
//! The granule reader decodes the variables that it lists, the storage creates their columns, and `isdb variables`
//! describes them. `variable` has the type of a row, `row` the shorthand in which `along_track`, `canopy` and `terrain`
//! list the rows of the product's groups, `labels` their longer code lists. `table` joins the groups, `search` finds
//! variables by a part of their name.

mod along_track;
mod canopy;
mod labels;
mod row;
mod search;
mod table;
mod terrain;
#[cfg(test)]
mod tests;
mod variable;

pub use search::matching;
pub use table::{named, variable, variables};
pub use variable::{Dtype, Fill, Flags, Labels, Releases, Variable, Vertical};
