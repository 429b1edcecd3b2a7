//! The granules of a search as a table, as a work list, or as rows whose columns are the keys of the work list.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, RecordBatch, StringArray, TimestampMillisecondArray, UInt64Array,
};
use isdb_cmr::{GranuleDescription, worklist};

use crate::program::cli::Format;
use crate::program::error::CliError;
use crate::program::output;

pub(crate) async fn write(
    granules: &[GranuleDescription],
    format: Format,
    file: Option<&Path>,
) -> Result<(), CliError> {
    let rows = match format {
        Format::Ndjson => return output::write_text(file, |sink| worklist::write(sink, granules)),
        Format::Table => table(granules)?,
        _ => rows(granules)?,
    };
    output::write_batch_to(rows, format, file).await?;
    Ok(())
}

/// Returns a table of the columns that people read.
fn table(granules: &[GranuleDescription]) -> Result<RecordBatch, CliError> {
    let whole_seconds = |granule: &GranuleDescription| granule.start.timestamp().saturating_mul(1000);
    let megabytes = |bytes: u64| u32::try_from(bytes / 10_000).map_or(f64::MAX, f64::from) / 100.0;
    Ok(RecordBatch::try_from_iter([
        ("granule", names(granules)),
        ("start", instants(granules.iter().map(|granule| Some(whole_seconds(granule))))),
        ("MB", Arc::new(Float64Array::from_iter(granules.iter().map(|granule| granule.bytes.map(megabytes))))),
    ])?)
}

/// Returns a table of all columns.
pub(crate) fn rows(granules: &[GranuleDescription]) -> Result<RecordBatch, CliError> {
    let checksum =
        |part: fn(&isdb_cmr::Checksum) -> &String| texts(granules, |granule| granule.checksum.as_ref().map(part));
    Ok(RecordBatch::try_from_iter([
        ("granule", names(granules)),
        ("start", instants(granules.iter().map(|granule| Some(granule.start.timestamp_millis())))),
        ("end", instants(granules.iter().map(|granule| granule.end.map(|end| end.timestamp_millis())))),
        ("bytes", Arc::new(UInt64Array::from_iter(granules.iter().map(|granule| granule.bytes)))),
        (
            "has_exact_size",
            Arc::new(BooleanArray::from_iter(granules.iter().map(|granule| Some(granule.has_exact_size)))),
        ),
        ("checksum_algorithm", checksum(|checksum| &checksum.algorithm)),
        ("checksum", checksum(|checksum| &checksum.value)),
        ("https", texts(granules, |granule| granule.https.as_ref())),
        ("s3", texts(granules, |granule| granule.s3.as_ref())),
        ("concept_id", texts(granules, |granule| Some(&granule.concept_id))),
        ("revision_id", Arc::new(UInt64Array::from_iter(granules.iter().map(|granule| granule.revision_id)))),
    ])?)
}

fn names(granules: &[GranuleDescription]) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(granules.iter().map(GranuleDescription::file_name)))
}

fn texts<'a>(
    granules: &'a [GranuleDescription],
    text: impl Fn(&'a GranuleDescription) -> Option<&'a String>,
) -> ArrayRef {
    Arc::new(StringArray::from_iter(granules.iter().map(text)))
}

fn instants(milliseconds: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(TimestampMillisecondArray::from_iter(milliseconds).with_timezone("UTC"))
}
