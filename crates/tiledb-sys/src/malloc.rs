//! glibc's allocator, from which libtiledb takes the memory of every tile.

use core::ffi::c_int;

/// Most bytes that stay at the top of the heap before they are given back.
pub const M_TRIM_THRESHOLD: c_int = -1;
/// The size from which an allocation is a mapping of its own.
pub const M_MMAP_THRESHOLD: c_int = -3;
/// The greatest number of arenas.
pub const M_ARENA_MAX: c_int = -8;

unsafe extern "C" {
    pub fn mallopt(parameter: c_int, value: c_int) -> c_int;
}
