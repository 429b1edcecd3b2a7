//! Attributes that an array gets after cells were stored: adding them, and knowing which those are. In cells stored before,
//! they are NULL.

use arrow::datatypes::{Field, Schema};
use tiledb_sys as sys;

use crate::array::{Array, Open, put_metadata};
use crate::column::Column;
use crate::context::{Context, c_text};
use crate::error::{Error, Result};
use crate::fragment::last_moment;
use crate::metadata;
use crate::schema;
use crate::vfs::Vfs;

const ACTION: &str = "add attributes to";

impl Array {
    /// Adds attributes to the array at `uri`, stored as [`Array::create`] would, and their field metadata. Snapshots from
    /// `timestamp_ms` (milliseconds since 1970) on have them; earlier ones do not. Cells that are stored already hold NULL.
    ///
    /// The metadata is written first: without its attribute it means nothing to anybody.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a field that is not nullable, that the array has already or that cannot be stored,
    /// [`Error::Library`] if the array cannot be changed, or not at a moment that is not after its last change.
    pub fn add_attributes(ctx: &Context, uri: &str, timestamp_ms: u64, fields: &[Field]) -> Result<()> {
        if fields.is_empty() {
            return Ok(());
        }
        let newest = schema_moments(ctx, uri)?.into_iter().max().unwrap_or(0);
        if newest >= timestamp_ms || newest.to_string() >= timestamp_ms.to_string() {
            let message = format!("its newest schema is of {newest}, and would hide one of {timestamp_ms}");
            return Err(Error::Library { action: ACTION, uri: uri.to_owned(), message });
        }
        let open = Open::new(ctx, uri, sys::TILEDB_READ, Some(timestamp_ms))?;
        let (_, mut columns) = open.stored(uri)?;
        drop(open);
        let stored = columns.len();
        for field in fields {
            let unsupported = |reason: &str| Error::Unsupported { column: field.name().clone(), reason: reason.into() };
            if !field.is_nullable() {
                return Err(unsupported("cells that are stored already could not be NULL in it"));
            }
            if columns.iter().any(|column| column.name == *field.name()) {
                return Err(unsupported("the array has it already"));
            }
            columns.push(Column::of(field, false)?);
        }
        let (_, added) = columns.split_at(stored);
        // SAFETY: a live context and a place to write to.
        let evolution = ctx.make(ACTION, uri, sys::tiledb_array_schema_evolution_free, |c, out| unsafe {
            sys::tiledb_array_schema_evolution_alloc(c, out)
        })?;
        let (c, e) = (ctx.as_ptr(), evolution.as_ptr());
        // SAFETY: a live evolution.
        let code = unsafe { sys::tiledb_array_schema_evolution_set_timestamp_range(c, e, timestamp_ms, timestamp_ms) };
        ctx.check(code, ACTION, uri)?;
        for column in added {
            let attribute = schema::build_attribute(ctx, uri, column)?;
            // SAFETY: both alive; the evolution copies the attribute.
            let code = unsafe { sys::tiledb_array_schema_evolution_add_attribute(c, e, attribute.as_ptr()) };
            ctx.check(code, ACTION, uri)?;
        }
        let entries = metadata::of_fields(&Schema::new(fields.to_vec()), &columns)?;
        put_metadata(ctx, uri, timestamp_ms, &entries)?;
        let c_uri = c_text(uri)?;
        // SAFETY: a live context and evolution, a URI that outlives the call.
        ctx.check(unsafe { sys::tiledb_array_evolve(c, c_uri.as_ptr(), e) }, ACTION, uri)
    }
}

/// Counts on each attribute how many schemas of the array lack it: fragments written with those do, too.
pub(crate) fn count_lacking(ctx: &Context, uri: &str, columns: &mut [Column]) -> Result<()> {
    let moments = schema_moments(ctx, uri)?;
    if moments.len() < 2 {
        return Ok(());
    }
    for moment in moments {
        let open = Open::new(ctx, uri, sys::TILEDB_READ, Some(moment))?;
        let (_, then) = open.stored(uri)?;
        for column in columns.iter_mut().filter(|column| !then.iter().any(|other| other.name == column.name)) {
            column.lacking_in += 1;
        }
    }
    Ok(())
}

/// From when each schema of the array is in force, in milliseconds since 1970.
fn schema_moments(ctx: &Context, uri: &str) -> Result<Vec<u64>> {
    let (vfs, folder) = (Vfs::new(ctx)?, format!("{}/__schema", uri.trim_end_matches('/')));
    // Arrays of old TileDB versions keep their one schema elsewhere.
    let files = if vfs.is_dir(&folder)? { vfs.list(&folder)? } else { Vec::new() };
    Ok(files.iter().filter_map(|file| last_moment(file)).collect())
}
