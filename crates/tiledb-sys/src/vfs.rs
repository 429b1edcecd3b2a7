//! The virtual file system: files and folders at any URI that libtiledb supports.

use core::ffi::{c_char, c_void};

use crate::types::{tiledb_config_t, tiledb_ctx_t, tiledb_vfs_fh_t, tiledb_vfs_mode_t, tiledb_vfs_t};

unsafe extern "C" {
    pub fn tiledb_vfs_alloc(ctx: *mut tiledb_ctx_t, config: *mut tiledb_config_t, vfs: *mut *mut tiledb_vfs_t) -> i32;
    pub fn tiledb_vfs_free(vfs: *mut *mut tiledb_vfs_t);
    pub fn tiledb_vfs_is_dir(
        ctx: *mut tiledb_ctx_t,
        vfs: *mut tiledb_vfs_t,
        uri: *const c_char,
        is_dir: *mut i32,
    ) -> i32;
    pub fn tiledb_vfs_is_file(
        ctx: *mut tiledb_ctx_t,
        vfs: *mut tiledb_vfs_t,
        uri: *const c_char,
        is_file: *mut i32,
    ) -> i32;
    pub fn tiledb_vfs_ls(
        ctx: *mut tiledb_ctx_t,
        vfs: *mut tiledb_vfs_t,
        path: *const c_char,
        callback: Option<unsafe extern "C" fn(*const c_char, *mut c_void) -> i32>,
        data: *mut c_void,
    ) -> i32;
    pub fn tiledb_vfs_file_size(
        ctx: *mut tiledb_ctx_t,
        vfs: *mut tiledb_vfs_t,
        uri: *const c_char,
        size: *mut u64,
    ) -> i32;
    pub fn tiledb_vfs_open(
        ctx: *mut tiledb_ctx_t,
        vfs: *mut tiledb_vfs_t,
        uri: *const c_char,
        mode: tiledb_vfs_mode_t,
        fh: *mut *mut tiledb_vfs_fh_t,
    ) -> i32;
    pub fn tiledb_vfs_read(
        ctx: *mut tiledb_ctx_t,
        fh: *mut tiledb_vfs_fh_t,
        offset: u64,
        buffer: *mut c_void,
        nbytes: u64,
    ) -> i32;
    pub fn tiledb_vfs_write(
        ctx: *mut tiledb_ctx_t,
        fh: *mut tiledb_vfs_fh_t,
        buffer: *const c_void,
        nbytes: u64,
    ) -> i32;
    pub fn tiledb_vfs_close(ctx: *mut tiledb_ctx_t, fh: *mut tiledb_vfs_fh_t) -> i32;
    pub fn tiledb_vfs_fh_free(fh: *mut *mut tiledb_vfs_fh_t);
    pub fn tiledb_vfs_create_dir(ctx: *mut tiledb_ctx_t, vfs: *mut tiledb_vfs_t, uri: *const c_char) -> i32;
    pub fn tiledb_vfs_remove_file(ctx: *mut tiledb_ctx_t, vfs: *mut tiledb_vfs_t, uri: *const c_char) -> i32;
    pub fn tiledb_vfs_remove_dir(ctx: *mut tiledb_ctx_t, vfs: *mut tiledb_vfs_t, uri: *const c_char) -> i32;
    pub fn tiledb_vfs_touch(ctx: *mut tiledb_ctx_t, vfs: *mut tiledb_vfs_t, uri: *const c_char) -> i32;
}
