//! The prompt: asks for statements and commands, runs them over one snapshot, and goes on whatever becomes of them.

use std::sync::Arc;

use isdb_query::{QueryResources, ViewOptions};
use isdb_store::Location;
use tokio::runtime::Runtime;

use crate::cli::Format;
use crate::failure::{self, Failure, SUCCESS};
use crate::instant::instant_of_commit;
use crate::interrupt::Interrupts;
use crate::session::{Session, statements};

mod command;
mod editor;
mod history;

use command::{Command, HELP};
use editor::{Asked, Editor};

/// Asks until Ctrl-D or `\q`.
pub(crate) async fn run(
    location: &Location,
    at: Option<u64>,
    shown: &Arc<ViewOptions>,
    resources: &QueryResources,
    format: Format,
    interrupts: &Interrupts,
) -> Result<u8, Failure> {
    let mut session = Session::open(location, at, shown, resources).await?;
    let mut editor = Editor::new(command::names(&session).await)?;
    eprintln!("isdb {}. Statements end with ; and \\? shows help.", env!("CARGO_PKG_VERSION"));
    tell_state(&session);
    loop {
        let text = match editor.ask()? {
            Asked::Text(text) => text,
            Asked::Cancelled => continue,
            Asked::End => return Ok(SUCCESS),
        };
        let answered = match Command::parse(&text) {
            None => run_all(&session, &text, format, interrupts).await,
            Some(Ok(Command::Quit)) => return Ok(SUCCESS),
            Some(Ok(Command::Help)) => {
                eprint!("{HELP}");
                Ok(())
            }
            Some(Ok(Command::Tables)) => command::list_tables(&session, format).await,
            Some(Ok(Command::Describe(table))) => command::describe(&session, &table, format).await,
            Some(Ok(Command::Refresh)) => match Session::open(location, None, shown, resources).await {
                Ok(newest) => {
                    newest.adopt_views(&session).await;
                    session = newest;
                    editor.complete_with(command::names(&session).await);
                    tell_state(&session);
                    Ok(())
                }
                Err(failure) => Err(failure),
            },
            Some(Err(unknown)) => {
                eprintln!("error: there is no command {unknown}");
                eprintln!("hint: \\? lists the commands");
                Ok(())
            }
        };
        match answered {
            Err(failure) if failure.is_broken_pipe() => return Err(failure),
            Err(failure) => failure::tell(&failure),
            Ok(()) => {}
        }
    }
}

/// Runs the statements of `text` up to the first that fails, or to Ctrl-C.
async fn run_all(session: &Session, text: &str, format: Format, interrupts: &Interrupts) -> Result<(), Failure> {
    // A runtime for this text alone: a join that runs away may keep its threads busy for long after it was given up.
    let engine = Runtime::new().map_err(Failure::Runtime)?;
    let all = async {
        for statement in statements(text) {
            let started = session.start(statement, engine.handle()).await?;
            session.write(started, format, None).await?;
        }
        Ok(())
    };
    let ended = tokio::select! {
        ended = all => ended,
        () = interrupts.next() => {
            eprintln!("cancelled");
            Ok(())
        }
    };
    engine.shutdown_background();
    ended
}

fn tell_state(session: &Session) {
    let timestamp = session.timestamp();
    eprintln!("state: {timestamp} ({})", instant_of_commit(timestamp));
}
