//! Checks of a statement before it runs, and explanations of its errors.

pub(crate) mod advice;
pub(crate) mod lint;
pub(crate) mod name_parts;
pub(crate) mod problem;
pub(crate) mod read_only;
pub(crate) mod reads;
