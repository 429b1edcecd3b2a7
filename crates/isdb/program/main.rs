//! The `isdb` command: parses, resolves what is in force, runs one command, and turns its end into an exit code.

// What goes to standard output is data: a caller must learn when it cannot be written (`output::print`).
#![deny(clippy::print_stdout)]

use std::io::ErrorKind;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tokio::runtime::Runtime;

#[macro_use]
mod messages;

mod citation;
mod cli;
mod commands;
mod earthdata;
mod estimate;
mod failure;
mod instant;
mod interrupt;
mod limits;
mod logs;
mod output;
mod progress;
mod prompt;
mod report;
mod session;
mod settings;
mod worklist;

use crate::cli::{Cli, Command};
use crate::failure::{FAILED, Failure, INTERRUPTED, SUCCESS};
use crate::interrupt::Interrupts;
use crate::settings::Settings;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long a write in flight may take to end after Ctrl-C …
const PATIENCE: Duration = Duration::from_secs(30);
/// … and a read, which leaves nothing behind, or only what the next download goes on with.
const PATIENCE_WITH_READS: Duration = Duration::from_secs(2);

/// In builds with debug assertions a test names here the point at which the process shall die.
const DIE_AT: &str = "ISDB_TEST_DIE_AT";

fn main() -> ExitCode {
    if cfg!(debug_assertions)
        && let Ok(point) = std::env::var(DIE_AT)
    {
        isdb_store::fault::arm(&point);
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(answer) => return not_run(&answer),
    };
    let started = logs::start(&cli.logs).and_then(|()| start().map_err(Failure::Runtime));
    let (runtime, interrupts) = match started {
        Ok(started) => started,
        Err(failure) => {
            failure::tell(&failure);
            return ExitCode::from(FAILED);
        }
    };
    let writes_nothing =
        matches!(cli.command, Command::Query(_) | Command::Search(_) | Command::Download(_) | Command::Login(_));
    let patience = if writes_nothing { PATIENCE_WITH_READS } else { PATIENCE };
    let ended = runtime.block_on(async {
        // A prompt takes Ctrl-C for the statement that runs.
        let has_prompt = matches!(&cli.command, Command::Query(arguments) if commands::query::has_prompt(arguments));
        tokio::select! {
            ended = run(cli, &interrupts) => Some(ended),
            () = interrupts.next(), if !has_prompt => None,
        }
    });
    if ended.is_none() {
        eprintln!("interrupted");
    }
    runtime.shutdown_timeout(patience);
    match ended {
        Some(Ok(code)) => ExitCode::from(code),
        Some(Err(failure)) if failure.is_broken_pipe() => ExitCode::from(SUCCESS),
        Some(Err(failure)) => {
            failure::tell(&failure);
            ExitCode::from(FAILED)
        }
        None => ExitCode::from(INTERRUPTED),
    }
}

/// Prints help, the version, or what is wrong with the command line.
fn not_run(answer: &clap::Error) -> ExitCode {
    match answer.print() {
        Err(source) if !answer.use_stderr() && source.kind() != ErrorKind::BrokenPipe => {
            failure::tell(&Failure::Stdout(source));
            ExitCode::from(FAILED)
        }
        _ => ExitCode::from(u8::try_from(answer.exit_code()).unwrap_or(FAILED)),
    }
}

fn start() -> std::io::Result<(Runtime, Interrupts)> {
    Ok((Runtime::new()?, Interrupts::listen()?))
}

async fn run(cli: Cli, interrupts: &Interrupts) -> Result<u8, Failure> {
    let settings = || Settings::resolve(&cli.place);
    match cli.command {
        Command::Ingest(arguments) => commands::ingest::run(arguments, settings()?).await,
        Command::Query(arguments) => commands::query::run(arguments, settings()?, interrupts).await,
        Command::Search(arguments) => commands::search::run(arguments, settings::named(&cli.place)?).await,
        Command::Download(arguments) => commands::download::run(arguments).await,
        Command::Login(arguments) => commands::login::run(arguments).await,
        Command::Info(arguments) => commands::info::run(arguments, settings()?).await,
        Command::Variables(arguments) => commands::variables::run(arguments, settings::named(&cli.place)?).await,
        Command::Filters(arguments) => commands::filters::run(arguments).await,
        Command::Init(arguments) => commands::config::init(&arguments.path),
        Command::Config(cli::Config::Check { path }) => commands::config::check(&path),
        Command::Config(cli::Config::Schema) => commands::config::schema(),
        Command::Consolidate(arguments) => commands::consolidate::run(arguments, settings()?).await,
        Command::Vacuum(arguments) => commands::vacuum::run(arguments, settings()?).await,
        Command::AddVariable(arguments) => commands::add_variable::run(arguments, settings()?).await,
        Command::Remove(arguments) => commands::remove::run(arguments, settings()?).await,
    }
}
