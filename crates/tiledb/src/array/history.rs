//! The schemas of an array over time, and the attributes that were added later.

use crate::array::open::OpenArray;
use crate::array::outline::{Outline, schema_timestamps};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::schema::column::Column;
use crate::schema::field_metadata;
use crate::schema::layout::ArrayLayout;

/// Sets `schemas_without` of each column. Fragments written with a schema that lacks an attribute lack it too.
pub(super) fn count_schemas_without(ctx: &Context, uri: &str, columns: &mut [Column]) -> Result<()> {
    // Most arrays have one schema, and need no outline.
    if schema_timestamps(ctx, uri)?.len() < 2 {
        return Ok(());
    }
    count_in_outline(&Outline::new(ctx, uri)?, uri, columns)
}

/// Sets `schemas_without` of each column of the array at `uri`, whose outline this is.
pub(super) fn count_in_outline(outline: &Outline, uri: &str, columns: &mut [Column]) -> Result<()> {
    let timestamps = outline.schema_timestamps();
    for timestamp in timestamps.iter().filter(|_| timestamps.len() > 1) {
        let (_, present) = outline.open(*timestamp)?.layout_and_columns(uri)?;
        for column in columns.iter_mut().filter(|column| !present.iter().any(|other| other.name == column.name)) {
            column.schemas_without += 1;
        }
    }
    Ok(())
}

/// Returns layout and columns of an array that is open for writing at `timestamp_ms`, with what the metadata of its
/// fields say of the columns.
///
/// # Errors
/// [`Error::Batch`] if the array has a schema later than `timestamp_ms`.
pub(crate) fn columns_to_write(open: &OpenArray, uri: &str, timestamp_ms: u64) -> Result<(ArrayLayout, Vec<Column>)> {
    let timestamps = schema_timestamps(open.ctx(), uri)?;
    // libtiledb writes with the newest schema, whatever the timestamp. An only schema also applies to the time before it.
    if let Some(newest) = timestamps.iter().max().filter(|newest| timestamps.len() > 1 && **newest > timestamp_ms) {
        let reason = format!("expected a timestamp at or after the newest schema ({newest}), found {timestamp_ms}");
        return Err(Error::Batch { uri: uri.to_owned(), reason });
    }
    let (layout, mut columns) = open.layout_and_columns(uri)?;
    // libtiledb reads no metadata of an array that is open for writing.
    let outline = Outline::new(open.ctx(), uri)?;
    let entries = outline.open(timestamp_ms)?.metadata(uri)?;
    field_metadata::restore(&mut columns, &entries)?;
    Ok((layout, columns))
}
