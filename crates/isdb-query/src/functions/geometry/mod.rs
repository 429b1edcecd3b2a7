//! The ST_ functions of SQL. Geometries have x = longitude and y = latitude in degrees; lengths are metres and areas square metres along
//! the WGS 84 ellipsoid. Functions that would return degrees, such as a planar distance, do not exist.
//!
//! `function` is a function of one row, `arguments` its arguments. `constructors`, `accessors`, `relations`, `measures` and `segments` are
//! the functions; `pushdown` turns conditions on points into ranges that reach an array, `metres` computes distances.

mod accessors;
mod arguments;
mod constructors;
mod function;
mod measures;
mod metres;
mod pushdown;
mod relations;
mod segments;
#[cfg(test)]
mod tests;

use datafusion::logical_expr::ScalarUDF;

/// Creates the functions.
pub(super) fn geometry_functions() -> impl Iterator<Item = ScalarUDF> {
    let definitions =
        [constructors::FUNCTIONS, accessors::FUNCTIONS, relations::FUNCTIONS, measures::FUNCTIONS, segments::FUNCTIONS];
    definitions.into_iter().flatten().map(|definition| definition.function())
}
