//! The format of a result: the requested one, otherwise by the ending of the file, otherwise a table.

use std::io::IsTerminal;
use std::path::Path;

use clap::ValueEnum;

use crate::program::cli::Format;
use crate::program::error::CliError;

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

    /// Returns the format for the file `path`: the one called `name`, as `--format` accepts it, or by the ending.
    ///
    /// # Errors
    /// For an unknown name or ending.
    pub(crate) fn named(name: Option<&str>, path: &Path) -> Result<Format, CliError> {
        let Some(name) = name else { return Format::choose(None, Some(path)) };
        Format::from_str(name, true).map_err(|_| {
            let names = Format::value_variants().iter().filter_map(Format::to_possible_value);
            let names: Vec<String> = names.map(|value| value.get_name().to_owned()).collect();
            CliError::Message(format!("expected one of {}, found `{name}`", names.join(", ")))
        })
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
