//! Configurations, contexts, errors, versions and strings owned by libtiledb.

use core::ffi::c_char;

use crate::types::{tiledb_config_t, tiledb_ctx_t, tiledb_error_t, tiledb_string_t};

unsafe extern "C" {
    pub fn tiledb_config_alloc(config: *mut *mut tiledb_config_t, error: *mut *mut tiledb_error_t) -> i32;
    pub fn tiledb_config_free(config: *mut *mut tiledb_config_t);
    pub fn tiledb_config_get(
        config: *mut tiledb_config_t,
        param: *const c_char,
        value: *mut *const c_char,
        error: *mut *mut tiledb_error_t,
    ) -> i32;
    pub fn tiledb_config_set(
        config: *mut tiledb_config_t,
        param: *const c_char,
        value: *const c_char,
        error: *mut *mut tiledb_error_t,
    ) -> i32;
    pub fn tiledb_ctx_alloc_with_error(
        config: *mut tiledb_config_t,
        ctx: *mut *mut tiledb_ctx_t,
        error: *mut *mut tiledb_error_t,
    ) -> i32;
    pub fn tiledb_ctx_free(ctx: *mut *mut tiledb_ctx_t);
    pub fn tiledb_ctx_get_last_error(ctx: *mut tiledb_ctx_t, err: *mut *mut tiledb_error_t) -> i32;
    pub fn tiledb_error_message(err: *mut tiledb_error_t, errmsg: *mut *const c_char) -> i32;
    pub fn tiledb_error_free(err: *mut *mut tiledb_error_t);
    pub fn tiledb_string_view(s: *mut tiledb_string_t, data: *mut *const c_char, length: *mut usize) -> i32;
    pub fn tiledb_string_free(s: *mut *mut tiledb_string_t) -> i32;
    pub fn tiledb_version(major: *mut i32, minor: *mut i32, rev: *mut i32);
}
