//! The segments nearest to a position: `ORDER BY distance_m(latitude, longitude, 61, 25.5) LIMIT 20`.
//!
//! A sort with a limit would read every segment. [`rule::NearestRule`] replaces its input by the node [`node::Nearest`], and
//! [`planner::NearestPlanner`] plans that as [`exec::NearestExec`], which reads the segments in a small circle around the position
//! first, and in circles of twice the size until one has as many rows as the limit. All conditions of the statement are below the node,
//! so that they apply before rows are counted; `functions::distance_comparisons` makes the array read the box of a circle only.

mod circles;
mod exec;
mod node;
pub(crate) mod planner;
pub(crate) mod rule;
#[cfg(test)]
mod tests;
