//! The format of a result: the requested one, otherwise by the ending of the file, otherwise a table.

use std::io::IsTerminal;
use std::path::Path;

use crate::cli::Format;
use crate::error::CliError;

impl Format {
    /// Returns the format for the file `output`, or for standard output.
    ///
    /// # Errors
    /// For an unknown ending, and for a binary format on a terminal.
    pub(crate) fn choose(requested: Option<Format>, output: Option<&Path>) -> Result<Format, CliError> {
        let format = match (requested, output) {
            (Some(format), _) => format,
            (None, None) => Format::Table,
            (None, Some(path)) => {
                Format::from_ending(path).ok_or_else(|| CliError::UnknownEnding { path: path.to_owned() })?
            }
        };
        if format.is_binary() && output.is_none() && std::io::stdout().is_terminal() {
            return Err(CliError::BinaryToTerminal);
        }
        Ok(format)
    }

    /// Whether the format is binary: a file or stream holds one result.
    pub(crate) fn is_binary(self) -> bool {
        matches!(self, Format::Parquet | Format::Arrow | Format::FlatGeobuf | Format::GeoPackage)
    }

    fn from_ending(path: &Path) -> Option<Format> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        Some(match ending.as_str() {
            "txt" => Format::Table,
            "csv" => Format::Csv,
            "json" => Format::Json,
            "ndjson" | "jsonl" => Format::Ndjson,
            "parquet" => Format::Parquet,
            "arrow" | "feather" => Format::Arrow,
            "geojson" => Format::GeoJson,
            "fgb" => Format::FlatGeobuf,
            "gpkg" => Format::GeoPackage,
            _ => return None,
        })
    }
}
