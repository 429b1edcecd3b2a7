//! Commands of the prompt, which begin with a backslash: tables, columns, and help. Some words that no SQL begins with are commands, too.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field};
use datafusion::logical_expr::TableType;
use datafusion::prelude::SessionContext;

use crate::program::cli::Format;
use crate::program::error::CliError;
use crate::program::output;
use crate::program::session::{Session, complete, tables, unknown_table};

/// The text of `\?`.
pub(crate) const HELP: &str = "\
\\d         tables and views
\\d NAME    columns of a table, with types, units and meaning
\\r         open the newest state of the database
\\q         quit, as exit, quit and Ctrl-D do
\\?         this help, as help is
Anything else is SQL, over as many lines as it takes, and ends with ;
Tab completes names, Ctrl-C drops the line or cancels the running query, arrow keys recall earlier lines.
";

const HELP_WORD: &str = "help";

/// A command of the prompt.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PromptCommand {
    /// `\d`
    Tables,
    /// `\d NAME`
    Describe(String),
    /// `\r`
    Refresh,
    /// `\?`
    Help,
    /// `\q`
    Quit,
}

impl PromptCommand {
    /// Parses a command; None for SQL. A trailing `;` is ignored.
    pub(crate) fn parse(text: &str) -> Option<Result<PromptCommand, String>> {
        let text = text.trim().trim_end_matches([';', ' ']);
        if is_word(text) {
            return Some(Ok(if text.eq_ignore_ascii_case(HELP_WORD) {
                PromptCommand::Help
            } else {
                PromptCommand::Quit
            }));
        }
        let mut words = text.strip_prefix('\\')?.split_whitespace();
        Some(match (words.next().unwrap_or_default(), words.next(), words.next()) {
            ("d", None, None) => Ok(PromptCommand::Tables),
            ("d", Some(table), None) => Ok(PromptCommand::Describe(table.to_owned())),
            ("r", None, None) => Ok(PromptCommand::Refresh),
            ("?" | "h" | "help", None, None) => Ok(PromptCommand::Help),
            ("q", None, None) => Ok(PromptCommand::Quit),
            _ => Err(text.to_owned()),
        })
    }
}

/// Whether Enter ends the input: after a command, and where a statement ends.
pub(crate) fn is_complete(typed: &str) -> bool {
    let command = typed.trim();
    command.starts_with('\\') || is_word(command) || complete(typed)
}

/// Whether a text is a command in one word, as other prompts have them.
fn is_word(text: &str) -> bool {
    [HELP_WORD, "exit", "quit"].into_iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Writes the tables and views of the session, with the number of their columns.
pub(crate) async fn list_tables(session: &Session, format: Format) -> Result<(), CliError> {
    let (mut names, mut kinds, mut columns) = (Vec::new(), Vec::new(), Vec::new());
    for name in tables(session.context()) {
        let provider = session.context().table_provider(name.as_str()).await?;
        kinds.push(if provider.table_type() == TableType::View { "view" } else { "table" });
        columns.push(provider.schema().fields().len().to_string());
        names.push(name);
    }
    write(format, [("name", texts(names)), ("kind", texts(kinds)), ("columns", texts(columns))]).await
}

/// Writes the columns of `table`: name, type, units and meaning.
pub(crate) async fn describe(session: &Session, table: &str, format: Format) -> Result<(), CliError> {
    if let Some(unknown) = unknown_table(session.context(), &format!("SELECT * FROM {table}")).await {
        return Err(unknown);
    }
    let schema = session.context().table(table).await?.schema().clone();
    let fields = schema.fields();
    let units =
        |field: &Field| field.metadata().get("units").filter(|units| *units != "1").cloned().unwrap_or_default();
    let columns = [
        ("column", texts(fields.iter().map(|field| field.name().clone()))),
        ("type", texts(fields.iter().map(|field| type_name(field.data_type())))),
        ("units", texts(fields.iter().map(|field| units(field)))),
        ("meaning", texts(fields.iter().map(|field| meaning(field)))),
    ];
    write(format, columns).await
}

/// Returns the names that Tab completes: tables and their columns, each once.
pub(crate) async fn names(session: &SessionContext) -> Vec<String> {
    let mut names = tables(session);
    for table in names.clone() {
        if let Ok(provider) = session.table_provider(table.as_str()).await {
            names.extend(provider.schema().fields().iter().map(|field| field.name().clone()));
        }
    }
    names.sort();
    names.dedup();
    names
}

async fn write<const N: usize>(format: Format, columns: [(&str, ArrayRef); N]) -> Result<(), CliError> {
    output::write_batch(RecordBatch::try_from_iter(columns)?, format).await?;
    Ok(())
}

fn texts<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

/// Returns the name of a type: `float32`, `float32[18]`, `text`, `time (UTC)`.
fn type_name(kind: &DataType) -> String {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".to_owned(),
        DataType::Dictionary(_, value) => type_name(value),
        DataType::Timestamp(_, Some(zone)) => format!("time ({zone})"),
        DataType::Timestamp(_, None) => "time".to_owned(),
        DataType::FixedSizeList(item, width) => format!("{}[{width}]", type_name(item.data_type())),
        DataType::List(item) | DataType::LargeList(item) => format!("{}[]", type_name(item.data_type())),
        kind => kind.to_string().to_lowercase(),
    }
}

/// Returns the long name and the description of a column, and the meanings of a flag's values.
fn meaning(field: &Field) -> String {
    let metadata = |key: &str| field.metadata().get(key).map_or("", String::as_str);
    let values = metadata("flag_values").split_whitespace().zip(metadata("flag_meanings").split_whitespace());
    let values: Vec<String> = values.map(|(value, meaning)| format!("{value} {meaning}")).collect();
    let parts = [metadata("long_name").to_owned(), metadata("description").to_owned(), values.join(", ")];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use isdb_schema::catalogue::variable;

    use super::*;

    #[test]
    fn a_command_begins_with_a_backslash_or_is_a_word_that_no_statement_is() {
        assert_eq!(PromptCommand::parse("help"), Some(Ok(PromptCommand::Help)));
        assert_eq!(PromptCommand::parse(" Quit; "), Some(Ok(PromptCommand::Quit)));
        assert_eq!(PromptCommand::parse("exit"), Some(Ok(PromptCommand::Quit)));
        assert_eq!(PromptCommand::parse("help me;"), None);
        assert!(["help", "EXIT", "\\d atl08", "SELECT 1;"].into_iter().all(is_complete));
        assert!(!["SELECT 1", "exit the", "helper"].into_iter().any(is_complete));
        assert_eq!(PromptCommand::parse("\\d"), Some(Ok(PromptCommand::Tables)));
        assert_eq!(PromptCommand::parse(" \\d atl08; "), Some(Ok(PromptCommand::Describe("atl08".to_owned()))));
        assert_eq!(PromptCommand::parse("\\?"), Some(Ok(PromptCommand::Help)));
        assert_eq!(PromptCommand::parse("\\q"), Some(Ok(PromptCommand::Quit)));
        assert_eq!(PromptCommand::parse("\\r"), Some(Ok(PromptCommand::Refresh)));
        assert_eq!(PromptCommand::parse("\\dt x y"), Some(Err("\\dt x y".to_owned())));
        assert_eq!(PromptCommand::parse("SELECT '\\d';"), None);
        for command in ["\\d ", "\\d NAME", "\\r", "\\q", "\\?"] {
            assert!(HELP.contains(command), "{command} is in the help");
        }
    }

    #[test]
    fn a_column_is_described_by_its_type_and_the_meaning_of_its_values() {
        let night = variable("night_flag").unwrap().field();
        let meaning = meaning(&night);
        assert!(meaning.starts_with("night flag; ") && meaning.ends_with("; 0 day, 1 night"), "{meaning}");
        let profile = variable("canopy_h_metrics").unwrap().field();
        assert_eq!(type_name(profile.data_type()), "float32[18]");
    }
}
