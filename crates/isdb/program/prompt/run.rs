//! The loop of the prompt.

use std::sync::Arc;

use crate::At;
use tokio::runtime::Runtime;

use crate::program::cli::Format;
use crate::program::error::{CliError, print_error};
use crate::program::exit_code::SUCCESS;
use crate::program::interrupt::Interrupts;
use crate::program::output::Target;
use crate::program::prompt::command::{self, HELP, PromptCommand};
use crate::program::prompt::editor::{Editor, Input};
use crate::program::session::{QueryOptions, Session, statements};

/// Reads and runs statements until Ctrl-D or `\q`. An error does not end the prompt.
pub(crate) async fn run(
    options: &Arc<QueryOptions>,
    at: Option<&At>,
    format: Format,
    interrupts: &Interrupts,
) -> Result<u8, CliError> {
    let mut session = Session::open(options, at).await?;
    let mut editor = Editor::new()?;
    editor.complete_with(session.context().clone());
    eprintln!("isdb {}. Statements end with ; and \\? shows help.", env!("CARGO_PKG_VERSION"));
    print_state(&session);
    loop {
        let text = match editor.read()? {
            Input::Text(text) => text,
            Input::Cancelled => continue,
            Input::End => return Ok(SUCCESS),
        };
        let result = match PromptCommand::parse(&text) {
            None => run_statements(&session, &text, format, interrupts).await,
            Some(Ok(PromptCommand::Quit)) => return Ok(SUCCESS),
            Some(Ok(PromptCommand::Help)) => {
                eprint!("{HELP}");
                Ok(())
            }
            Some(Ok(PromptCommand::Tables)) => command::list_tables(&session, format).await,
            Some(Ok(PromptCommand::Describe(table))) => command::describe(&session, &table, format).await,
            Some(Ok(PromptCommand::Refresh)) => match Session::open(options, None).await {
                Ok(newest) => {
                    newest.adopt_views(&session).await;
                    session = newest;
                    editor.complete_with(session.context().clone());
                    print_state(&session);
                    Ok(())
                }
                Err(error) => Err(error),
            },
            Some(Err(unknown)) => {
                eprintln!("error: unknown command {unknown}");
                eprintln!("hint: \\? lists the commands");
                Ok(())
            }
        };
        match result {
            Err(error) if error.is_broken_pipe() => return Err(error),
            Err(error) => print_error(&error),
            Ok(()) => {}
        }
    }
}

/// Runs the statements of `text` until one fails, or until Ctrl-C.
async fn run_statements(
    session: &Session,
    text: &str,
    format: Format,
    interrupts: &Interrupts,
) -> Result<(), CliError> {
    // A runtime for this text alone: an expensive join may keep its threads busy for long after it was cancelled.
    let engine = Runtime::new().map_err(CliError::Runtime)?;
    let run = async {
        for statement in statements(text) {
            let started = session.start(statement, engine.handle()).await?;
            session.write(started, &Target::new(format, None)).await?;
        }
        Ok(())
    };
    let result = tokio::select! {
        result = run => result,
        () = interrupts.next() => {
            eprintln!("cancelled");
            Ok(())
        }
    };
    engine.shutdown_background();
    result
}

fn print_state(session: &Session) {
    eprintln!("{}", session.describe());
}
