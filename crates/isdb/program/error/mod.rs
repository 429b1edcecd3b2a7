//! Errors of the program: the error that ends a command, advice on it, and the printing of both on standard error.

mod archive_hint;
mod cli_error;
mod hint;
mod print;

pub(crate) use archive_hint::{archive_hint, shared_cause_hint};
pub(crate) use cli_error::CliError;
pub(crate) use print::{causes, print_error, print_warning};
