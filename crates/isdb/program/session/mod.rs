//! SQL of the command line: statements over one state of a database, with warnings, row counts, and explanations of errors and of
//! empty results.
//!
//! `opened` is what statements read; `statements` splits text into statements; `execution` runs one; `restriction` warns of filters that do not apply; `names`
//! explains unknown names; `no_rows` explains empty results; `views` keeps the views that statements create.

mod execution;
mod names;
mod no_rows;
mod opened;
mod restriction;
mod statements;
mod views;

pub(crate) use execution::{Session, with_geometry};
pub(crate) use names::{tables, unknown_table};
pub(crate) use opened::{Opened, QueryOptions, Source};
pub(crate) use statements::{complete, statements};
pub(crate) use views::has_rows;
