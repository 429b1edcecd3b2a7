//! The schemas of an array over time, and the attributes that were added later.

use tiledb_sys as sys;

use crate::array::open::OpenArray;
use crate::array::timestamped_name::last_timestamp;
use crate::context::Context;
use crate::error::Result;
use crate::schema::column::Column;
use crate::vfs::Vfs;

/// Sets `schemas_without` of each column. Fragments written with a schema that lacks an attribute lack it too.
pub(super) fn count_schemas_without(ctx: &Context, uri: &str, columns: &mut [Column]) -> Result<()> {
    let timestamps = schema_timestamps(ctx, uri)?;
    if timestamps.len() < 2 {
        return Ok(());
    }
    for timestamp in timestamps {
        let open = OpenArray::new(ctx, uri, sys::TILEDB_READ, Some(timestamp))?;
        let (_, present) = open.layout_and_columns(uri)?;
        for column in columns.iter_mut().filter(|column| !present.iter().any(|other| other.name == column.name)) {
            column.schemas_without += 1;
        }
    }
    Ok(())
}

/// Returns the timestamp from which each schema of the array is valid, in milliseconds since 1970.
pub(super) fn schema_timestamps(ctx: &Context, uri: &str) -> Result<Vec<u64>> {
    let (vfs, folder) = (Vfs::new(ctx)?, format!("{}/__schema", uri.trim_end_matches('/')));
    // Arrays of old TileDB versions have a single schema, stored elsewhere.
    let files = if vfs.is_dir(&folder)? { vfs.list(&folder)? } else { Vec::new() };
    Ok(files.iter().filter_map(|file| last_timestamp(file)).collect())
}
