//! The rows of a beam: decoded columns become a record batch, with laser, orientation and position checked row by row.

pub(crate) mod batch;
mod dictionary;
pub(crate) mod laser;
pub(crate) mod orientation;
