//! The prompt: reads statements and commands, and runs them over one state of the database.
//!
//! `editor` reads lines, `history` keeps them, `command` runs the commands that begin with a backslash, and `run` is the loop.

mod command;
mod editor;
mod history;
mod run;

pub(crate) use run::run;
