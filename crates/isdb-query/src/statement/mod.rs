//! Checks of a statement before it runs, and explanations of its errors.

mod column_names;
mod element_names;
pub(crate) mod error_hint;
pub(crate) mod error_message;
pub(crate) mod lint;
pub(crate) mod name_parts;
pub(crate) mod read_only;
pub(crate) mod sources;
pub(crate) mod stored_columns;
