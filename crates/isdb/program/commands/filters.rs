//! `isdb filters`: the presets that ingest and query can apply, and their SQL.

use std::sync::Arc;

use crate::filters::{Preset, preset_sql, presets};
use arrow::array::{ArrayRef, RecordBatch, StringArray};

use crate::program::cli::{Filters, Format};
use crate::program::error::CliError;
use crate::program::exit_code::SUCCESS;
use crate::program::output;

pub(crate) async fn run(arguments: Filters) -> Result<u8, CliError> {
    let Some(list) = arguments.name else {
        let count = output::write_batch(rows()?, arguments.format.unwrap_or(Format::Table)).await?;
        eprintln!("filters: {count}; one in full: isdb filters NAME; several combine: --filters strong,night");
        return Ok(SUCCESS);
    };
    output::print(&preset_sql(&list)?.join("\n"))?;
    Ok(SUCCESS)
}

/// Returns a row for each preset.
pub(crate) fn rows() -> Result<RecordBatch, CliError> {
    let column = |text: &dyn Fn(&Preset) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(presets().iter().map(text)))
    };
    let parameters = |preset: &Preset| {
        let parameters = preset.parameters.iter().map(|parameter| format!("{}={}", parameter.name, parameter.default));
        parameters.collect::<Vec<_>>().join(", ")
    };
    Ok(RecordBatch::try_from_iter([
        ("filter", column(&|preset| preset.name.to_owned())),
        ("releases", column(&|preset| preset.releases.to_string())),
        ("parameters", column(&parameters)),
        ("keeps", column(&|preset| preset.about.clone())),
    ])?)
}
