//! The read path over real arrays: SQL with its plans, and pushdown against no pushdown.

mod filters;
mod sqllogic;
mod support;
