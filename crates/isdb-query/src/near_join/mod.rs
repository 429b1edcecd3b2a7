//! Joins on `near`: `FROM atl08 a JOIN 'plots.csv' p ON near(a.latitude, a.longitude, p.latitude, p.longitude, 500)`.
//!
//! DataFusion would compare every segment with every plot. [`rule::NearJoinRule`] replaces such a join by the node [`node::NearJoin`], which
//! [`planner::NearJoinPlanner`] plans as [`exec::NearJoinExec`]: it reads one side, the plots, into an index of circles, then the other side
//! only in the ranges of these circles, and searches the index for each row.

mod call;
mod condition;
mod exec;
mod indexed;
mod matcher;
mod node;
pub(crate) mod planner;
mod probe;
pub(crate) mod rule;
mod shape;
#[cfg(test)]
mod tests;
