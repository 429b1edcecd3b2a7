//! The `isdb` command: parses arguments, resolves settings, runs one command, and ends with an exit code.
//!
//! `cli` has the arguments and `settings` combines them with the config; `commands` has a file for each command, `session` and
//! `prompt` run SQL, `grid` makes rasters of it and `map` pictures; `output`, `report`, `progress` and `messages` print; `error` prints the error that ends a command. The work is
//! done by the library `isdb`. `embed` is what other front ends share with the command.

// Standard output is data: an error while it is written must be reported (`output::print`).
#![deny(clippy::print_stdout)]

use std::ffi::OsString;
use std::io::ErrorKind;
use std::time::Duration;

use clap::Parser;
use tokio::runtime::Runtime;

#[macro_use]
mod messages;

mod aligned;
mod archive;
mod cli;
mod commands;
pub mod embed;
mod error;
mod exit_code;
mod grid;
mod interrupt;
mod log_filter;
mod logs;
mod map;
mod output;
mod progress;
mod prompt;
mod report;
mod session;
mod settings;
mod units;

use crate::program::cli::{Cli, Command, ConfigCommand};
use crate::program::error::{CliError, print_error};
use crate::program::exit_code::{FAILED, INTERRUPTED, SUCCESS};
use crate::program::interrupt::Interrupts;
use crate::program::settings::{Settings, optional_location};

/// Time that a running write may take to end after Ctrl-C …
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// … and a read or download. Reads leave nothing behind; a later download resumes a partial one.
const READ_TIMEOUT: Duration = Duration::from_secs(2);

/// In builds with debug assertions, a test sets this variable to the point at which the process is to die.
const DIE_AT: &str = "ISDB_TEST_DIE_AT";

/// Runs the `isdb` command with `arguments`, of which the first is the name of the program. Returns its exit code
/// (`docs/reference/exit-codes.md`).
pub fn run_command(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    if cfg!(debug_assertions)
        && let Ok(point) = std::env::var(DIE_AT)
    {
        isdb_store::fault::arm(&point);
    }
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return print_usage(&error),
    };
    let started = logs::start(&cli.logs).and_then(|()| start().map_err(CliError::Runtime));
    let (runtime, interrupts) = match started {
        Ok(started) => started,
        Err(error) => {
            print_error(&error);
            return FAILED;
        }
    };
    let writes_nothing = matches!(
        cli.command,
        Command::Query(_)
            | Command::Grid(_)
            | Command::Map(_)
            | Command::Search(_)
            | Command::Download(_)
            | Command::Login(_)
    );
    let timeout = if writes_nothing { READ_TIMEOUT } else { WRITE_TIMEOUT };
    let result = runtime.block_on(async {
        // At a prompt, Ctrl-C cancels the running statement only.
        let has_prompt = matches!(&cli.command, Command::Query(arguments) if commands::query::has_prompt(arguments));
        tokio::select! {
            result = run(cli, &interrupts) => Some(result),
            () = interrupts.next(), if !has_prompt => None,
        }
    });
    if result.is_none() {
        eprintln!("interrupted");
    }
    runtime.shutdown_timeout(timeout);
    match result {
        Some(Ok(code)) => code,
        Some(Err(error)) if error.is_broken_pipe() => SUCCESS,
        Some(Err(error)) => {
            print_error(&error);
            error.exit_code()
        }
        None => INTERRUPTED,
    }
}

/// Prints help, the version, or the error of the command line.
fn print_usage(error: &clap::Error) -> u8 {
    match error.print() {
        Err(source) if !error.use_stderr() && source.kind() != ErrorKind::BrokenPipe => {
            print_error(&CliError::Stdout(source));
            FAILED
        }
        _ => u8::try_from(error.exit_code()).unwrap_or(FAILED),
    }
}

fn start() -> std::io::Result<(Runtime, Interrupts)> {
    Ok((Runtime::new()?, Interrupts::listen()?))
}

async fn run(cli: Cli, interrupts: &Interrupts) -> Result<u8, CliError> {
    let settings = || Settings::resolve(&cli.database);
    match cli.command {
        Command::Ingest(arguments) => commands::ingest::run(arguments, settings()?, &cli.database).await,
        Command::Query(arguments) => commands::query::run(arguments, &cli.database, interrupts).await,
        Command::Grid(arguments) => commands::grid::run(arguments, settings()?).await,
        Command::Map(arguments) => commands::map::run(arguments, settings()?).await,
        Command::Search(arguments) => commands::search::run(arguments, optional_location(&cli.database)?).await,
        Command::Download(arguments) => commands::download::run(arguments).await,
        Command::Login(arguments) => commands::login::run(arguments).await,
        Command::Info(arguments) => commands::info::run(arguments, settings()?).await,
        Command::Variables(arguments) => commands::variables::run(arguments, optional_location(&cli.database)?).await,
        Command::Filters(arguments) => commands::filters::run(arguments).await,
        Command::Init(arguments) => commands::config::init(&arguments.path, arguments.from.as_deref()),
        Command::Config(ConfigCommand::Check { path }) => commands::config::check(&path),
        Command::Config(ConfigCommand::Schema) => commands::config::schema(),
        Command::Consolidate(arguments) => commands::consolidate::run(arguments, settings()?).await,
        Command::Vacuum(arguments) => commands::vacuum::run(arguments, settings()?).await,
        Command::Tag(arguments) => commands::tag::run(arguments, settings()?).await,
        Command::Check(arguments) => commands::check::run(arguments, settings()?).await,
        Command::Repair(arguments) => commands::repair::run(arguments, settings()?).await,
        Command::Copy(arguments) => commands::copy::run(arguments, &cli.database).await,
        Command::AddVariable(arguments) => commands::add_variable::run(arguments, settings()?).await,
        Command::Remove(arguments) => commands::remove::run(arguments, settings()?).await,
    }
}
