//! Errors and warnings on standard error.

use std::error::Error;

use datafusion::error::DataFusionError;
use datafusion::parquet::errors::ParquetError;
use isdb_query::Warning;

use super::cli_error::CliError;

/// Prints a warning with its hint.
pub(crate) fn print_warning(warning: &Warning) {
    eprintln!("warning: {}", warning.text);
    eprintln!("hint: {}", warning.hint);
}

/// Whether `error` only adds the name of the layer that passed on its cause.
fn is_wrapper(error: &(dyn Error + 'static)) -> bool {
    matches!(error.downcast_ref(), Some(ParquetError::External(_)))
        || matches!(error.downcast_ref(), Some(DataFusionError::External(_)))
        || matches!(error.downcast_ref(), Some(DataFusionError::ParquetError(parquet)) if parquet.source().is_some())
}

/// Prints an error in one line, then each of its causes and the hint.
pub(crate) fn print_error(error: &CliError) {
    eprintln!("error: {error}");
    for cause in causes(error) {
        eprintln!("  cause: {cause}");
    }
    if let Some(hint) = error.hint() {
        eprintln!("hint: {hint}");
    }
}

/// The texts of the causes of an error that say more than the text before.
pub(crate) fn causes(error: &CliError) -> Vec<String> {
    let mut causes = Vec::new();
    let mut last = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        let is_wrapper = is_wrapper(error);
        // Wrappers often repeat the text of the error inside.
        if !is_wrapper && !last.contains(&text) {
            causes.push(text.clone());
            last = text;
        }
        cause = error.source();
    }
    causes
}
