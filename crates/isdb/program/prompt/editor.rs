//! The line editor: a statement over as many lines as it takes, Tab for the names of tables and columns, and a history.

use std::path::PathBuf;

use rustyline::completion::Completer;
use rustyline::config::{Behavior, CompletionType, Config};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};

use crate::failure::Failure;
use crate::prompt::history;
use crate::session::complete;

const PROMPT: &str = "isdb> ";
const REMEMBERED: usize = 1000;

/// What a person did.
pub(crate) enum Asked {
    /// Typed something whole.
    Text(String),
    /// Ctrl-C: what was typed is to be forgotten.
    Cancelled,
    /// Ctrl-D.
    End,
}

/// Asks at the terminal, even where standard output goes elsewhere.
pub(crate) struct Editor {
    lines: rustyline::Editor<Words, FileHistory>,
    history: Option<PathBuf>,
}

impl Editor {
    /// An editor that completes with `names`.
    pub(crate) fn new(names: Vec<String>) -> Result<Editor, Failure> {
        let config = Config::builder()
            .auto_add_history(true)
            .behavior(Behavior::PreferTerm)
            .completion_type(CompletionType::List)
            .max_history_size(REMEMBERED)?
            .build();
        let mut lines = rustyline::Editor::with_config(config)?;
        lines.set_helper(Some(Words { names }));
        let history = history::file();
        if let Some(file) = &history {
            // The first time there is none.
            let _ = lines.load_history(file);
        }
        Ok(Editor { lines, history })
    }

    /// From now on completes with `names`.
    pub(crate) fn complete_with(&mut self, names: Vec<String>) {
        self.lines.set_helper(Some(Words { names }));
    }

    /// Waits for something whole.
    pub(crate) fn ask(&mut self) -> Result<Asked, Failure> {
        match tokio::task::block_in_place(|| self.lines.readline(PROMPT)) {
            Ok(text) => {
                if let Some(file) = &self.history {
                    // A history that cannot be kept is no reason to answer nothing.
                    let _ = self.lines.append_history(file);
                }
                Ok(Asked::Text(text))
            }
            Err(ReadlineError::Interrupted) => Ok(Asked::Cancelled),
            Err(ReadlineError::Eof) => Ok(Asked::End),
            Err(error) => Err(error.into()),
        }
    }
}

/// The names that Tab completes.
struct Words {
    names: Vec<String>,
}

impl Completer for Words {
    type Candidate = String;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let (start, word) = word_before(line, pos);
        let begins = |name: &&String| name.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word));
        let found = if word.is_empty() { Vec::new() } else { self.names.iter().filter(begins).cloned().collect() };
        Ok((start, found))
    }
}

/// Where the word that ends at `pos` begins, and what there is of it.
fn word_before(line: &str, pos: usize) -> (usize, &str) {
    let before = line.get(..pos).unwrap_or(line);
    let start = before
        .rfind(|c: char| !c.is_alphanumeric() && c != '_')
        .map_or(0, |at| at + before.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8));
    (start, before.get(start..).unwrap_or_default())
}

impl Validator for Words {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match complete(context.input()) {
            true => ValidationResult::Valid(None),
            false => ValidationResult::Incomplete,
        })
    }
}

impl Hinter for Words {
    type Hint = String;
}

impl Highlighter for Words {}

impl Helper for Words {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tab_completes_the_word_at_the_cursor() {
        assert_eq!(word_before("SELECT cano", 11), (7, "cano"));
        assert_eq!(word_before("SELECT max(cano) FROM", 15), (11, "cano"));
        assert_eq!(word_before("é·h_", 6), (4, "h_"));
        assert_eq!(word_before("SELECT ", 7), (7, ""));
        assert_eq!(word_before("lat", 3), (0, "lat"));
    }
}
