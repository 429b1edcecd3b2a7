//! What an array's fragments are: names, times, sizes and extents, without reading a cell.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tiledb_sys as sys;

use crate::array::Open;
use crate::column::Physical;
use crate::context::{Context, c_text};
use crate::error::{Error, Result};
use crate::layout::ArrayLayout;
use crate::literal::Literal;
use crate::schema;
use crate::vfs::Vfs;

const ACTION: &str = "list the fragments of";

/// A later end than any fragment's. (The largest integer would mean "now".)
const OPEN_END_MS: u64 = 1 << 63;

/// How far ahead of the clock a fragment is waited for: the haste of several commits in one millisecond, not a wrong clock.
const PATIENCE_MS: u64 = 1_000;

/// One write: a folder of an array.
#[derive(Clone, Debug, PartialEq)]
pub struct Fragment {
    /// The folder's name, `__<first>_<last>_<uuid>_<version>`.
    pub name: String,
    /// The folder.
    pub uri: String,
    /// First and last moment written at, in milliseconds since 1970.
    pub timestamps: (u64, u64),
    /// Cells stored, those deleted later included.
    pub cells: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// The lowest and highest coordinate per dimension, in the layout's order.
    pub domain: Vec<(Literal, Literal)>,
}

/// Every committed fragment on disk, whenever it was written.
///
/// # Errors
/// [`Error::FutureFragment`] if one is stamped more than a second ahead of this machine's clock; libtiledb tells nothing
/// about such a fragment.
pub fn list_fragments(ctx: &Context, uri: &str) -> Result<Vec<Fragment>> {
    let open = Open::new(ctx, uri, sys::TILEDB_READ, None)?;
    let (layout, _, _) = open.describe(uri)?;
    until(ctx, uri, &layout, OPEN_END_MS)
}

/// The fragments that end at `end_ms` or before.
pub(crate) fn until(ctx: &Context, uri: &str, layout: &ArrayLayout, end_ms: u64) -> Result<Vec<Fragment>> {
    await_clock(ctx, uri, end_ms)?;
    let c_uri = c_text(uri)?;
    // SAFETY: a live context, a URI that outlives the call, a place to write to.
    let info = ctx.make(ACTION, uri, sys::tiledb_fragment_info_free, |c, out| unsafe {
        sys::tiledb_fragment_info_alloc(c, c_uri.as_ptr(), out)
    })?;
    let i = info.as_ptr();
    // SAFETY: a live object.
    ctx.check(unsafe { sys::tiledb_fragment_info_load(ctx.as_ptr(), i) }, ACTION, uri)?;
    // SAFETY: a loaded object and a place to write to.
    let count: u32 = ctx.get(ACTION, uri, |c, out| unsafe { sys::tiledb_fragment_info_get_fragment_num(c, i, out) })?;
    let mut fragments = Vec::new();
    for index in 0..count {
        let fragment = one(ctx, uri, layout, i, index)?;
        if fragment.timestamps.1 <= end_ms {
            fragments.push(fragment);
        }
    }
    Ok(fragments)
}

fn one(
    ctx: &Context,
    uri: &str,
    layout: &ArrayLayout,
    info: *mut sys::tiledb_fragment_info_t,
    index: u32,
) -> Result<Fragment> {
    let c = ctx.as_ptr();
    let mut name = std::ptr::null_mut();
    let (mut first, mut last) = (0, 0);
    // SAFETY: a loaded object, an index below its count, places to write to; the name is handed over.
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
        // Every dimension type of this crate has 8 bytes.
        let mut limits = [0_u64; 2];
        let out = limits.as_mut_ptr().cast();
        // SAFETY: as above; two values of the dimension's type are written.
        let code = unsafe { sys::tiledb_fragment_info_get_non_empty_domain_from_index(c, info, index, at, out) };
        ctx.check(code, ACTION, uri)?;
        let [low, high] = limits.map(|bits| match schema::physical(dimension.domain) {
            Physical::Float64 => Literal::Float(f64::from_bits(bits)),
            Physical::TimestampNs => Literal::TimestampNs(bits.cast_signed()),
            _ => Literal::Int(bits.cast_signed()),
        });
        domain.push((low, high));
    }
    Ok(Fragment { name, uri: own_uri, timestamps: (first, last), cells, bytes, domain })
}

/// libtiledb tells about fragments up to its own "now" only. If a snapshot reaches further and a fragment lies there, the clock
/// is given a moment to catch up: a fragment left out silently would be rows left out silently.
fn await_clock(ctx: &Context, uri: &str, end_ms: u64) -> Result<()> {
    if end_ms <= now_ms() {
        return Ok(());
    }
    let vfs = Vfs::new(ctx)?;
    let folder = format!("{}/__fragments", uri.trim_end_matches('/'));
    let latest = if vfs.is_dir(&folder)? { vfs.list(&folder)? } else { Vec::new() }
        .into_iter()
        .filter_map(|fragment| last_moment(&fragment).map(|last| (last, fragment)))
        .filter(|(last, _)| *last <= end_ms)
        .max();
    let Some((last, fragment)) = latest else { return Ok(()) };
    let ahead_ms = last.saturating_sub(now_ms());
    if ahead_ms > PATIENCE_MS {
        return Err(Error::FutureFragment { uri: fragment, ahead_ms });
    }
    if ahead_ms > 0 {
        std::thread::sleep(Duration::from_millis(ahead_ms + 1));
    }
    Ok(())
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The last moment in the name of a fragment or schema, `__<first>_<last>_<uuid>…`.
pub(crate) fn last_moment(uri: &str) -> Option<u64> {
    let name = uri.trim_end_matches('/').rsplit('/').next()?;
    name.strip_prefix("__")?.split('_').nth(1)?.parse().ok()
}
