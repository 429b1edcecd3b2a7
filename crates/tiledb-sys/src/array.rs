//! Arrays and groups: opening, metadata, members, fragments and maintenance.

use core::ffi::{c_char, c_void};

use crate::types::{
    tiledb_array_schema_t, tiledb_array_t, tiledb_config_t, tiledb_ctx_t, tiledb_datatype_t, tiledb_fragment_info_t,
    tiledb_group_t, tiledb_object_t, tiledb_query_type_t, tiledb_string_t,
};

unsafe extern "C" {
    pub fn tiledb_array_alloc(ctx: *mut tiledb_ctx_t, array_uri: *const c_char, array: *mut *mut tiledb_array_t)
    -> i32;
    pub fn tiledb_array_free(array: *mut *mut tiledb_array_t);
    pub fn tiledb_array_create(
        ctx: *mut tiledb_ctx_t,
        array_uri: *const c_char,
        array_schema: *const tiledb_array_schema_t,
    ) -> i32;
    pub fn tiledb_array_open(
        ctx: *mut tiledb_ctx_t,
        array: *mut tiledb_array_t,
        query_type: tiledb_query_type_t,
    ) -> i32;
    pub fn tiledb_array_close(ctx: *mut tiledb_ctx_t, array: *mut tiledb_array_t) -> i32;
    pub fn tiledb_array_set_open_timestamp_end(
        ctx: *mut tiledb_ctx_t,
        array: *mut tiledb_array_t,
        timestamp_end: u64,
    ) -> i32;
    pub fn tiledb_array_get_open_timestamp_end(
        ctx: *mut tiledb_ctx_t,
        array: *mut tiledb_array_t,
        timestamp_end: *mut u64,
    ) -> i32;
    pub fn tiledb_array_get_schema(
        ctx: *mut tiledb_ctx_t,
        array: *mut tiledb_array_t,
        array_schema: *mut *mut tiledb_array_schema_t,
    ) -> i32;
    pub fn tiledb_array_put_metadata(
        ctx: *mut tiledb_ctx_t,
        array: *mut tiledb_array_t,
        key: *const c_char,
        value_type: tiledb_datatype_t,
        value_num: u32,
        value: *const c_void,
    ) -> i32;
    pub fn tiledb_array_get_metadata_num(ctx: *mut tiledb_ctx_t, array: *mut tiledb_array_t, num: *mut u64) -> i32;
    pub fn tiledb_array_get_metadata_from_index(
        ctx: *mut tiledb_ctx_t,
        array: *mut tiledb_array_t,
        index: u64,
        key: *mut *const c_char,
        key_len: *mut u32,
        value_type: *mut tiledb_datatype_t,
        value_num: *mut u32,
        value: *mut *const c_void,
    ) -> i32;
    pub fn tiledb_array_consolidate(
        ctx: *mut tiledb_ctx_t,
        array_uri: *const c_char,
        config: *mut tiledb_config_t,
    ) -> i32;
    pub fn tiledb_array_vacuum(ctx: *mut tiledb_ctx_t, array_uri: *const c_char, config: *mut tiledb_config_t) -> i32;
    pub fn tiledb_fragment_info_alloc(
        ctx: *mut tiledb_ctx_t,
        array_uri: *const c_char,
        fragment_info: *mut *mut tiledb_fragment_info_t,
    ) -> i32;
    pub fn tiledb_fragment_info_free(fragment_info: *mut *mut tiledb_fragment_info_t);
    pub fn tiledb_fragment_info_load(ctx: *mut tiledb_ctx_t, fragment_info: *mut tiledb_fragment_info_t) -> i32;
    pub fn tiledb_fragment_info_get_fragment_num(
        ctx: *mut tiledb_ctx_t,
        fragment_info: *mut tiledb_fragment_info_t,
        fragment_num: *mut u32,
    ) -> i32;
    pub fn tiledb_fragment_info_get_fragment_name_v2(
        ctx: *mut tiledb_ctx_t,
        fragment_info: *mut tiledb_fragment_info_t,
        fid: u32,
        name: *mut *mut tiledb_string_t,
    ) -> i32;
    pub fn tiledb_fragment_info_get_fragment_uri(
        ctx: *mut tiledb_ctx_t,
        fragment_info: *mut tiledb_fragment_info_t,
        fid: u32,
        uri: *mut *const c_char,
    ) -> i32;
    pub fn tiledb_fragment_info_get_timestamp_range(
        ctx: *mut tiledb_ctx_t,
        fragment_info: *mut tiledb_fragment_info_t,
        fid: u32,
        start: *mut u64,
        end: *mut u64,
    ) -> i32;
    pub fn tiledb_fragment_info_get_cell_num(
        ctx: *mut tiledb_ctx_t,
        fragment_info: *mut tiledb_fragment_info_t,
        fid: u32,
        cell_num: *mut u64,
    ) -> i32;
    pub fn tiledb_fragment_info_get_fragment_size(
        ctx: *mut tiledb_ctx_t,
        fragment_info: *mut tiledb_fragment_info_t,
        fid: u32,
        size: *mut u64,
    ) -> i32;
    pub fn tiledb_fragment_info_get_non_empty_domain_from_index(
        ctx: *mut tiledb_ctx_t,
        fragment_info: *mut tiledb_fragment_info_t,
        fid: u32,
        did: u32,
        domain: *mut c_void,
    ) -> i32;
    pub fn tiledb_group_alloc(ctx: *mut tiledb_ctx_t, group_uri: *const c_char, group: *mut *mut tiledb_group_t)
    -> i32;
    pub fn tiledb_group_free(group: *mut *mut tiledb_group_t);
    pub fn tiledb_group_create(ctx: *mut tiledb_ctx_t, group_uri: *const c_char) -> i32;
    pub fn tiledb_group_open(
        ctx: *mut tiledb_ctx_t,
        group: *mut tiledb_group_t,
        query_type: tiledb_query_type_t,
    ) -> i32;
    pub fn tiledb_group_close(ctx: *mut tiledb_ctx_t, group: *mut tiledb_group_t) -> i32;
    pub fn tiledb_group_add_member(
        ctx: *mut tiledb_ctx_t,
        group: *mut tiledb_group_t,
        uri: *const c_char,
        relative: u8,
        name: *const c_char,
    ) -> i32;
    pub fn tiledb_group_get_member_count(ctx: *mut tiledb_ctx_t, group: *mut tiledb_group_t, count: *mut u64) -> i32;
    pub fn tiledb_group_get_member_by_index_v2(
        ctx: *mut tiledb_ctx_t,
        group: *mut tiledb_group_t,
        index: u64,
        uri: *mut *mut tiledb_string_t,
        r#type: *mut tiledb_object_t,
        name: *mut *mut tiledb_string_t,
    ) -> i32;
    pub fn tiledb_group_put_metadata(
        ctx: *mut tiledb_ctx_t,
        group: *mut tiledb_group_t,
        key: *const c_char,
        value_type: tiledb_datatype_t,
        value_num: u32,
        value: *const c_void,
    ) -> i32;
    pub fn tiledb_group_get_metadata_num(ctx: *mut tiledb_ctx_t, group: *mut tiledb_group_t, num: *mut u64) -> i32;
    pub fn tiledb_group_get_metadata_from_index(
        ctx: *mut tiledb_ctx_t,
        group: *mut tiledb_group_t,
        index: u64,
        key: *mut *const c_char,
        key_len: *mut u32,
        value_type: *mut tiledb_datatype_t,
        value_num: *mut u32,
        value: *mut *const c_void,
    ) -> i32;
    pub fn tiledb_object_type(ctx: *mut tiledb_ctx_t, path: *const c_char, r#type: *mut tiledb_object_t) -> i32;
}
