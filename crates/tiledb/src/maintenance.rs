//! Keeping an array quick to open: one file of fragment metadata in place of many.

use tiledb_sys as sys;

use crate::context::{Context, c_text};
use crate::error::Result;

/// Gathers the footers of all fragments in one file, which spares every open a request per fragment. Cells are not touched.
///
/// # Errors
/// [`crate::Error::Library`] if there is no array or it cannot be written.
pub fn consolidate_fragment_metadata(ctx: &Context, uri: &str) -> Result<()> {
    let config = ctx.config_with(&[("sm.consolidation.mode", "fragment_meta")])?;
    let c_uri = c_text(uri)?;
    // SAFETY: live objects, a string that outlives the call.
    let code = unsafe { sys::tiledb_array_consolidate(ctx.as_ptr(), c_uri.as_ptr(), config.as_ptr()) };
    ctx.check(code, "consolidate the fragment metadata of", uri)
}

/// Removes gathered fragment metadata that a newer one replaces.
///
/// # Errors
/// [`crate::Error::Library`] if there is no array or it cannot be written.
pub fn vacuum_fragment_metadata(ctx: &Context, uri: &str) -> Result<()> {
    let config = ctx.config_with(&[("sm.vacuum.mode", "fragment_meta")])?;
    let c_uri = c_text(uri)?;
    // SAFETY: live objects, a string that outlives the call.
    let code = unsafe { sys::tiledb_array_vacuum(ctx.as_ptr(), c_uri.as_ptr(), config.as_ptr()) };
    ctx.check(code, "vacuum the fragment metadata of", uri)
}
