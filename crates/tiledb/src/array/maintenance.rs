//! Consolidated fragment metadata, which keeps arrays fast to open.

use tiledb_sys as sys;

use crate::context::{Context, c_text};
use crate::error::Result;

/// Copies the footers of all fragments into one file, which saves one request per fragment on every open. Cells are not
/// rewritten.
///
/// # Errors
/// [`crate::Error::Library`] if the array does not exist or cannot be written.
pub fn consolidate_fragment_metadata(ctx: &Context, uri: &str) -> Result<()> {
    let config = ctx.config_with(&[("sm.consolidation.mode", "fragment_meta")])?;
    let c_uri = c_text(uri)?;
    // SAFETY: live objects, a string that outlives the call.
    let code = unsafe { sys::tiledb_array_consolidate(ctx.as_ptr(), c_uri.as_ptr(), config.as_ptr()) };
    ctx.check(code, "consolidate the fragment metadata of", uri)
}

/// Removes consolidated fragment metadata that a newer file replaces.
///
/// # Errors
/// [`crate::Error::Library`] if the array does not exist or cannot be written.
pub fn vacuum_fragment_metadata(ctx: &Context, uri: &str) -> Result<()> {
    let config = ctx.config_with(&[("sm.vacuum.mode", "fragment_meta")])?;
    let c_uri = c_text(uri)?;
    // SAFETY: live objects, a string that outlives the call.
    let code = unsafe { sys::tiledb_array_vacuum(ctx.as_ptr(), c_uri.as_ptr(), config.as_ptr()) };
    ctx.check(code, "vacuum the fragment metadata of", uri)
}
