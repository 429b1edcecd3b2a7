//! `isdb filters`: the presets that ingest and query can apply, and the SQL of each.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use isdb_schema::filters::{Preset, preset_sql, presets};

use crate::cli::{Filters, Format};
use crate::failure::{Failure, SUCCESS};
use crate::output;

pub(crate) async fn run(arguments: Filters) -> Result<u8, Failure> {
    let Some(list) = arguments.name else {
        let count = output::write_batch(all()?, arguments.format.unwrap_or(Format::Table)).await?;
        eprintln!("filters: {count}; one in full: isdb filters NAME; several combine: --filters strong,night");
        return Ok(SUCCESS);
    };
    output::print(&preset_sql(&list)?.join("\n"))?;
    Ok(SUCCESS)
}

/// One row per preset.
fn all() -> Result<RecordBatch, Failure> {
    let column = |text: &dyn Fn(&Preset) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(presets().iter().map(text)))
    };
    let parameters = |preset: &Preset| {
        let told = preset.parameters.iter().map(|parameter| format!("{}={}", parameter.name, parameter.default));
        told.collect::<Vec<_>>().join(", ")
    };
    Ok(RecordBatch::try_from_iter([
        ("filter", column(&|preset| preset.name.to_owned())),
        ("releases", column(&|preset| preset.releases.to_string())),
        ("parameters", column(&parameters)),
        ("keeps", column(&|preset| preset.about.clone())),
    ])?)
}
