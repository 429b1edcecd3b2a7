//! Fragments of an array: names, timestamps, sizes and extents, without reading cells.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tiledb_sys as sys;

use crate::array::open::OpenArray;
use crate::array::timestamped_name::last_timestamp;
use crate::context::{Context, c_text};
use crate::error::{Error, Result};
use crate::literal::Literal;
use crate::schema::layout::{ArrayLayout, Domain};
use crate::vfs::Vfs;

const ACTION: &str = "list the fragments of";

/// A timestamp later than every fragment. The largest integer is not used, because libtiledb reads it as "now".
const END_OF_TIME_MS: u64 = 1 << 63;

/// A fragment may be ahead of the clock by at most this much; the clock is then waited for. Several commits in one millisecond
/// get increasing timestamps, so a small lead is normal; a larger one means a wrong clock.
const LARGEST_WAIT_MS: u64 = 1_000;

/// A fragment: the cells of one write, stored in a folder of the array.
#[derive(Clone, Debug, PartialEq)]
pub struct Fragment {
    /// The folder's name, `__<first>_<last>_<uuid>_<version>`.
    pub name: String,
    /// The folder's URI.
    pub uri: String,
    /// The first and last timestamp of its writes, in milliseconds since 1970.
    pub timestamps: (u64, u64),
    /// Cells stored, including cells deleted later.
    pub cells: u64,
    /// Size on disk in bytes.
    pub bytes: u64,
    /// The lowest and highest coordinate per dimension, in the layout's order.
    pub domain: Vec<(Literal, Literal)>,
}

/// Returns every committed fragment of the array at `uri`, whatever its timestamp.
///
/// # Errors
/// [`Error::FutureFragment`] if a fragment is stamped more than a second ahead of the local clock; libtiledb does not
/// list such fragments.
pub fn list_fragments(ctx: &Context, uri: &str) -> Result<Vec<Fragment>> {
    // Opened for writing, because libtiledb then reads the schemas only; all have the same dimensions.
    let open = OpenArray::new(ctx, uri, sys::TILEDB_WRITE, None)?;
    let (layout, _) = open.layout_and_columns(uri)?;
    list_until(ctx, uri, &layout, END_OF_TIME_MS)
}

/// Returns the fragments whose last timestamp is at most `end_ms`.
pub(super) fn list_until(ctx: &Context, uri: &str, layout: &ArrayLayout, end_ms: u64) -> Result<Vec<Fragment>> {
    wait_for_clock(ctx, uri, end_ms)?;
    let c_uri = c_text(uri)?;
    // SAFETY: a live context, a URI that outlives the call, a valid out pointer.
    let info = ctx.make(ACTION, uri, sys::tiledb_fragment_info_free, |c, out| unsafe {
        sys::tiledb_fragment_info_alloc(c, c_uri.as_ptr(), out)
    })?;
    let i = info.as_ptr();
    // SAFETY: a live object.
    ctx.check(unsafe { sys::tiledb_fragment_info_load(ctx.as_ptr(), i) }, ACTION, uri)?;
    // SAFETY: a loaded object and a valid out pointer.
    let count: u32 = ctx.get(ACTION, uri, |c, out| unsafe { sys::tiledb_fragment_info_get_fragment_num(c, i, out) })?;
    let mut fragments = Vec::new();
    for index in 0..count {
        let fragment = describe(ctx, uri, layout, i, index)?;
        if fragment.timestamps.1 <= end_ms {
            fragments.push(fragment);
        }
    }
    Ok(fragments)
}

/// Reads one entry of libtiledb's fragment list.
fn describe(
    ctx: &Context,
    uri: &str,
    layout: &ArrayLayout,
    info: *mut sys::tiledb_fragment_info_t,
    index: u32,
) -> Result<Fragment> {
    let c = ctx.as_ptr();
    let mut name = std::ptr::null_mut();
    let (mut first, mut last) = (0, 0);
    // SAFETY: a loaded object, an index below its count, valid out pointers; the caller owns the name.
    unsafe {
        ctx.check(sys::tiledb_fragment_info_get_fragment_name_v2(c, info, index, &mut name), ACTION, uri)?;
    }
    let name = ctx.take_text(name).unwrap_or_default();
    // SAFETY: as above.
    let own_uri =
        ctx.get_text(ACTION, uri, |c, out| unsafe { sys::tiledb_fragment_info_get_fragment_uri(c, info, index, out) })?;
    // SAFETY: as above.
    unsafe {
        ctx.check(sys::tiledb_fragment_info_get_timestamp_range(c, info, index, &mut first, &mut last), ACTION, uri)?;
    }
    // SAFETY: as above.
    let cells =
        ctx.get(ACTION, uri, |c, out| unsafe { sys::tiledb_fragment_info_get_cell_num(c, info, index, out) })?;
    // SAFETY: as above.
    let bytes =
        ctx.get(ACTION, uri, |c, out| unsafe { sys::tiledb_fragment_info_get_fragment_size(c, info, index, out) })?;
    let mut domain = Vec::with_capacity(layout.dimensions.len());
    for (dimension, at) in layout.dimensions.iter().zip(0_u32..) {
        // Two coordinates of up to 8 bytes.
        let mut limits = [0_u64; 2];
        let out = limits.as_mut_ptr().cast();
        // SAFETY: as above; two values of the dimension's type are written.
        let code = unsafe { sys::tiledb_fragment_info_get_non_empty_domain_from_index(c, info, index, at, out) };
        ctx.check(code, ACTION, uri)?;
        let [low, high] = match dimension.domain {
            Domain::Float32 { .. } => {
                let [a, b, c, d, e, f, g, h] = limits[0].to_ne_bytes();
                [[a, b, c, d], [e, f, g, h]].map(|bytes| Literal::Float(f32::from_ne_bytes(bytes).into()))
            }
            Domain::Float64 { .. } => limits.map(|bits| Literal::Float(f64::from_bits(bits))),
            Domain::TimestampNs { .. } => limits.map(|bits| Literal::TimestampNs(bits.cast_signed())),
            Domain::Int64 { .. } => limits.map(|bits| Literal::Int(bits.cast_signed())),
        };
        domain.push((low, high));
    }
    Ok(Fragment { name, uri: own_uri, timestamps: (first, last), cells, bytes, domain })
}

/// Waits until no fragment up to `end_ms` is ahead of the local clock. libtiledb lists fragments up to its own "now" only, and a
/// fragment missing from the list would mean rows missing from a result.
fn wait_for_clock(ctx: &Context, uri: &str, end_ms: u64) -> Result<()> {
    if end_ms <= now_ms() {
        return Ok(());
    }
    let vfs = Vfs::new(ctx)?;
    let folder = format!("{}/__fragments", uri.trim_end_matches('/'));
    let latest = if vfs.is_dir(&folder)? { vfs.list(&folder)? } else { Vec::new() }
        .into_iter()
        .filter_map(|fragment| last_timestamp(&fragment).map(|last| (last, fragment)))
        .filter(|(last, _)| *last <= end_ms)
        .max();
    let Some((last, fragment)) = latest else { return Ok(()) };
    let ahead_ms = last.saturating_sub(now_ms());
    if ahead_ms > LARGEST_WAIT_MS {
        return Err(Error::FutureFragment { uri: fragment, ahead_ms });
    }
    if ahead_ms > 0 {
        std::thread::sleep(Duration::from_millis(ahead_ms + 1));
    }
    Ok(())
}

/// The local clock, in milliseconds since 1970.
pub(super) fn now_ms() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}
