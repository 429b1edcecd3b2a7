//! Enumerations: texts that the values of an attribute are the numbers of.

use core::ffi::{c_char, c_int, c_void};

use crate::types::{
    tiledb_array_schema_t, tiledb_attribute_t, tiledb_ctx_t, tiledb_datatype_t, tiledb_enumeration_t,
    tiledb_query_condition_t,
};

unsafe extern "C" {
    pub fn tiledb_enumeration_alloc(
        ctx: *mut tiledb_ctx_t,
        name: *const c_char,
        type_: tiledb_datatype_t,
        cell_val_num: u32,
        ordered: c_int,
        data: *const c_void,
        data_size: u64,
        offsets: *const c_void,
        offsets_size: u64,
        enumeration: *mut *mut tiledb_enumeration_t,
    ) -> i32;
    pub fn tiledb_enumeration_free(enumeration: *mut *mut tiledb_enumeration_t);
    pub fn tiledb_array_schema_add_enumeration(
        ctx: *mut tiledb_ctx_t,
        array_schema: *mut tiledb_array_schema_t,
        enumeration: *mut tiledb_enumeration_t,
    ) -> i32;
    pub fn tiledb_attribute_set_enumeration_name(
        ctx: *mut tiledb_ctx_t,
        attr: *mut tiledb_attribute_t,
        enumeration_name: *const c_char,
    ) -> i32;
    pub fn tiledb_query_condition_set_use_enumeration(
        ctx: *mut tiledb_ctx_t,
        cond: *const tiledb_query_condition_t,
        use_enumeration: c_int,
    ) -> i32;
}
