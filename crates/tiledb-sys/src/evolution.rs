//! Schema evolution: attributes added to an existing array.

use core::ffi::c_char;

use crate::types::{tiledb_array_schema_evolution_t, tiledb_attribute_t, tiledb_ctx_t};

unsafe extern "C" {
    pub fn tiledb_array_schema_evolution_alloc(
        ctx: *mut tiledb_ctx_t,
        array_schema_evolution: *mut *mut tiledb_array_schema_evolution_t,
    ) -> i32;
    pub fn tiledb_array_schema_evolution_free(array_schema_evolution: *mut *mut tiledb_array_schema_evolution_t);
    pub fn tiledb_array_schema_evolution_add_attribute(
        ctx: *mut tiledb_ctx_t,
        array_schema_evolution: *mut tiledb_array_schema_evolution_t,
        attribute: *mut tiledb_attribute_t,
    ) -> i32;
    pub fn tiledb_array_schema_evolution_set_timestamp_range(
        ctx: *mut tiledb_ctx_t,
        array_schema_evolution: *mut tiledb_array_schema_evolution_t,
        lo: u64,
        hi: u64,
    ) -> i32;
    pub fn tiledb_array_evolve(
        ctx: *mut tiledb_ctx_t,
        array_uri: *const c_char,
        array_schema_evolution: *mut tiledb_array_schema_evolution_t,
    ) -> i32;
}
