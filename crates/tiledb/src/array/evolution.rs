//! Schema evolution: adds attributes to an array that already has cells. They are NULL in those cells.

use arrow::datatypes::{Field, Schema};
use tiledb_sys as sys;

use crate::array::open::OpenArray;
use crate::array::outline::schema_timestamps;
use crate::array::snapshot::{Array, put_metadata};
use crate::context::{Context, c_text};
use crate::error::{Error, Result};
use crate::schema::column::Column;
use crate::schema::{ENUMERATION, build, field_metadata};

const ACTION: &str = "add attributes to";

impl Array {
    /// Adds attributes to the array at `uri`, with the types and field metadata that [`Array::create`] would give them.
    /// Snapshots at or after `timestamp_ms` (milliseconds since 1970) have the attributes; earlier ones do not. The
    /// attributes are NULL in existing cells.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a field that is not nullable, that the array already has or that cannot be stored,
    /// [`Error::Library`] if the array cannot be changed, or if `timestamp_ms` is not after its newest schema.
    pub fn add_attributes(ctx: &Context, uri: &str, timestamp_ms: u64, fields: &[Field]) -> Result<()> {
        if fields.is_empty() {
            return Ok(());
        }
        let newest = schema_timestamps(ctx, uri)?.into_iter().max().unwrap_or(0);
        if newest >= timestamp_ms || newest.to_string() >= timestamp_ms.to_string() {
            let message = format!("expected a timestamp after the newest schema ({newest}), found {timestamp_ms}");
            return Err(Error::Library { action: ACTION, uri: uri.to_owned(), message });
        }
        // Opened for writing, because libtiledb then reads the schemas only. It has the newest schema.
        let open = OpenArray::new(ctx, uri, sys::TILEDB_WRITE, Some(timestamp_ms))?;
        let (_, mut columns) = open.layout_and_columns(uri)?;
        drop(open);
        let stored = columns.len();
        for field in fields {
            let unsupported = |reason: &str| Error::Unsupported { column: field.name().clone(), reason: reason.into() };
            if !field.is_nullable() {
                return Err(unsupported("an attribute added to existing cells must be nullable"));
            }
            if field.metadata().contains_key(ENUMERATION) {
                return Err(unsupported("a dictionary column cannot be added to an array"));
            }
            if columns.iter().any(|column| column.name == *field.name()) {
                return Err(unsupported("the array already has this column"));
            }
            columns.push(Column::from_field(field, false)?);
        }
        let (_, added) = columns.split_at(stored);
        // SAFETY: a live context and a valid out pointer.
        let evolution = ctx.make(ACTION, uri, sys::tiledb_array_schema_evolution_free, |c, out| unsafe {
            sys::tiledb_array_schema_evolution_alloc(c, out)
        })?;
        let (c, e) = (ctx.as_ptr(), evolution.as_ptr());
        // SAFETY: a live evolution.
        let code = unsafe { sys::tiledb_array_schema_evolution_set_timestamp_range(c, e, timestamp_ms, timestamp_ms) };
        ctx.check(code, ACTION, uri)?;
        for column in added {
            let attribute = build::attribute(ctx, uri, column)?;
            // SAFETY: both alive; the evolution copies the attribute.
            let code = unsafe { sys::tiledb_array_schema_evolution_add_attribute(c, e, attribute.as_ptr()) };
            ctx.check(code, ACTION, uri)?;
        }
        let entries = field_metadata::entries(&Schema::new(fields.to_vec()), &columns)?;
        // The metadata is written first: without its attribute it has no effect.
        put_metadata(ctx, uri, timestamp_ms, &entries)?;
        let c_uri = c_text(uri)?;
        // SAFETY: a live context and evolution, a URI that outlives the call.
        ctx.check(unsafe { sys::tiledb_array_evolve(c, c_uri.as_ptr(), e) }, ACTION, uri)
    }
}
