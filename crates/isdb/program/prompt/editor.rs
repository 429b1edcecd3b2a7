//! The line editor: statements of several lines, completion of the names of tables and columns, and a history.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::prelude::SessionContext;
use rustyline::completion::Completer;
use rustyline::config::{Behavior, CompletionType, Config};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};

use crate::program::error::CliError;
use crate::program::prompt::command::{is_complete, names};
use crate::program::prompt::history;

const PROMPT: &str = "isdb> ";
const HISTORY_LENGTH: usize = 1000;

/// Input of the user.
pub(crate) enum Input {
    /// Complete statements, or a command.
    Text(String),
    /// Ctrl-C: the line is dropped.
    Cancelled,
    /// Ctrl-D.
    End,
}

/// Reads from the terminal, even if standard output is redirected.
pub(crate) struct Editor {
    lines: rustyline::Editor<Names, FileHistory>,
    history: Option<PathBuf>,
    names: SharedNames,
}

impl Editor {
    /// Creates an editor that completes nothing yet.
    pub(crate) fn new() -> Result<Editor, CliError> {
        let config = Config::builder()
            .auto_add_history(true)
            .behavior(Behavior::PreferTerm)
            .completion_type(CompletionType::List)
            .max_history_size(HISTORY_LENGTH)?
            .build();
        let mut lines = rustyline::Editor::with_config(config)?;
        let names = SharedNames::default();
        lines.set_helper(Some(Names(Arc::clone(&names))));
        let history = history::file();
        if let Some(file) = &history {
            // The file does not exist the first time.
            let _ = lines.load_history(file);
        }
        Ok(Editor { lines, history, names })
    }

    /// Completes the tables and columns of a session, as soon as another thread has opened its tables.
    pub(crate) fn complete_with(&self, session: SessionContext) {
        let known = Arc::clone(&self.names);
        tokio::spawn(async move {
            let names = names(&session).await;
            *known.lock().unwrap_or_else(PoisonError::into_inner) = names;
        });
    }

    /// Waits for complete input.
    pub(crate) fn read(&mut self) -> Result<Input, CliError> {
        match tokio::task::block_in_place(|| self.lines.readline(PROMPT)) {
            Ok(text) => {
                if let Some(file) = &self.history {
                    // A history that cannot be written does not prevent the answer.
                    let _ = self.lines.append_history(file);
                }
                Ok(Input::Text(text))
            }
            Err(ReadlineError::Interrupted) => Ok(Input::Cancelled),
            Err(ReadlineError::Eof) => Ok(Input::End),
            Err(error) => Err(error.into()),
        }
    }
}

/// Names that are known by and by.
type SharedNames = Arc<Mutex<Vec<String>>>;

/// The names that Tab completes.
struct Names(SharedNames);

impl Completer for Names {
    type Candidate = String;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let (start, word) = word_before(line, pos);
        let begins = |name: &&String| name.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word));
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = if word.is_empty() { Vec::new() } else { names.iter().filter(begins).cloned().collect() };
        Ok((start, found))
    }
}

/// Returns the start of the word before `pos`, and the word up to `pos`.
fn word_before(line: &str, pos: usize) -> (usize, &str) {
    let before = line.get(..pos).unwrap_or(line);
    let start = before
        .rfind(|c: char| !c.is_alphanumeric() && c != '_')
        .map_or(0, |at| at + before.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8));
    (start, before.get(start..).unwrap_or_default())
}

impl Validator for Names {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match is_complete(context.input()) {
            true => ValidationResult::Valid(None),
            false => ValidationResult::Incomplete,
        })
    }
}

impl Hinter for Names {
    type Hint = String;
}

impl Highlighter for Names {}

impl Helper for Names {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tab_completes_the_word_before_the_cursor() {
        assert_eq!(word_before("SELECT cano", 11), (7, "cano"));
        assert_eq!(word_before("SELECT max(cano) FROM", 15), (11, "cano"));
        assert_eq!(word_before("é·h_", 6), (4, "h_"));
        assert_eq!(word_before("SELECT ", 7), (7, ""));
        assert_eq!(word_before("lat", 3), (0, "lat"));
    }
}
