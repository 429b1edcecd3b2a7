//! Which format a result is written in: the one asked for, else the one that the file's ending says, else a table.

use std::io::IsTerminal;
use std::path::Path;

use crate::cli::Format;
use crate::failure::Failure;

impl Format {
    /// The format for `asked` and the file `output`.
    ///
    /// A file whose ending says nothing is an error, and so is what only a program can read where a person would see it.
    pub(crate) fn choose(asked: Option<Format>, output: Option<&Path>) -> Result<Format, Failure> {
        let format = match (asked, output) {
            (Some(format), _) => format,
            (None, None) => Format::Table,
            (None, Some(path)) => {
                Format::of_ending(path).ok_or_else(|| Failure::UnknownEnding { path: path.to_owned() })?
            }
        };
        if format.is_binary() && output.is_none() && std::io::stdout().is_terminal() {
            return Err(Failure::BinaryToTerminal);
        }
        Ok(format)
    }

    /// Whether one result must stand alone in its file or stream, for no person to read.
    pub(crate) fn is_binary(self) -> bool {
        matches!(self, Format::Parquet | Format::Arrow)
    }

    fn of_ending(path: &Path) -> Option<Format> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        Some(match ending.as_str() {
            "txt" => Format::Table,
            "csv" => Format::Csv,
            "json" => Format::Json,
            "ndjson" | "jsonl" => Format::Ndjson,
            "parquet" => Format::Parquet,
            "arrow" | "feather" => Format::Arrow,
            _ => return None,
        })
    }
}
