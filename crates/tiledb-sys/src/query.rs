//! Queries, subarrays and query conditions, which read and write cells.

use core::ffi::{c_char, c_void};

use crate::types::{
    tiledb_array_t, tiledb_config_t, tiledb_ctx_t, tiledb_layout_t, tiledb_query_condition_combination_op_t,
    tiledb_query_condition_op_t, tiledb_query_condition_t, tiledb_query_status_details_t, tiledb_query_status_t,
    tiledb_query_t, tiledb_query_type_t, tiledb_subarray_t,
};

unsafe extern "C" {
    pub fn tiledb_query_alloc(
        ctx: *mut tiledb_ctx_t,
        array: *mut tiledb_array_t,
        query_type: tiledb_query_type_t,
        query: *mut *mut tiledb_query_t,
    ) -> i32;
    pub fn tiledb_query_free(query: *mut *mut tiledb_query_t);
    pub fn tiledb_query_submit(ctx: *mut tiledb_ctx_t, query: *mut tiledb_query_t) -> i32;
    pub fn tiledb_query_finalize(ctx: *mut tiledb_ctx_t, query: *mut tiledb_query_t) -> i32;
    pub fn tiledb_query_get_status(
        ctx: *mut tiledb_ctx_t,
        query: *mut tiledb_query_t,
        status: *mut tiledb_query_status_t,
    ) -> i32;
    pub fn tiledb_query_get_status_details(
        ctx: *mut tiledb_ctx_t,
        query: *mut tiledb_query_t,
        status_details: *mut tiledb_query_status_details_t,
    ) -> i32;
    pub fn tiledb_query_set_condition(
        ctx: *mut tiledb_ctx_t,
        query: *mut tiledb_query_t,
        cond: *const tiledb_query_condition_t,
    ) -> i32;
    pub fn tiledb_query_set_data_buffer(
        ctx: *mut tiledb_ctx_t,
        query: *mut tiledb_query_t,
        name: *const c_char,
        buffer: *mut c_void,
        buffer_size: *mut u64,
    ) -> i32;
    pub fn tiledb_query_set_offsets_buffer(
        ctx: *mut tiledb_ctx_t,
        query: *mut tiledb_query_t,
        name: *const c_char,
        buffer: *mut u64,
        buffer_size: *mut u64,
    ) -> i32;
    pub fn tiledb_query_set_validity_buffer(
        ctx: *mut tiledb_ctx_t,
        query: *mut tiledb_query_t,
        name: *const c_char,
        buffer: *mut u8,
        buffer_size: *mut u64,
    ) -> i32;
    pub fn tiledb_query_set_config(
        ctx: *mut tiledb_ctx_t,
        query: *mut tiledb_query_t,
        config: *mut tiledb_config_t,
    ) -> i32;
    pub fn tiledb_query_set_layout(ctx: *mut tiledb_ctx_t, query: *mut tiledb_query_t, layout: tiledb_layout_t) -> i32;
    pub fn tiledb_query_set_subarray_t(
        ctx: *mut tiledb_ctx_t,
        query: *mut tiledb_query_t,
        subarray: *const tiledb_subarray_t,
    ) -> i32;
    pub fn tiledb_query_get_fragment_num(ctx: *mut tiledb_ctx_t, query: *const tiledb_query_t, num: *mut u32) -> i32;
    pub fn tiledb_query_get_fragment_uri(
        ctx: *mut tiledb_ctx_t,
        query: *const tiledb_query_t,
        idx: u64,
        uri: *mut *const c_char,
    ) -> i32;
    pub fn tiledb_subarray_alloc(
        ctx: *mut tiledb_ctx_t,
        array: *const tiledb_array_t,
        subarray: *mut *mut tiledb_subarray_t,
    ) -> i32;
    pub fn tiledb_subarray_free(subarray: *mut *mut tiledb_subarray_t);
    pub fn tiledb_subarray_add_range(
        ctx: *mut tiledb_ctx_t,
        subarray: *mut tiledb_subarray_t,
        dim_idx: u32,
        start: *const c_void,
        end: *const c_void,
        stride: *const c_void,
    ) -> i32;
    pub fn tiledb_query_condition_alloc(ctx: *mut tiledb_ctx_t, cond: *mut *mut tiledb_query_condition_t) -> i32;
    pub fn tiledb_query_condition_free(cond: *mut *mut tiledb_query_condition_t);
    pub fn tiledb_query_condition_init(
        ctx: *mut tiledb_ctx_t,
        cond: *mut tiledb_query_condition_t,
        attribute_name: *const c_char,
        condition_value: *const c_void,
        condition_value_size: u64,
        op: tiledb_query_condition_op_t,
    ) -> i32;
    pub fn tiledb_query_condition_combine(
        ctx: *mut tiledb_ctx_t,
        left_cond: *const tiledb_query_condition_t,
        right_cond: *const tiledb_query_condition_t,
        combination_op: tiledb_query_condition_combination_op_t,
        combined_cond: *mut *mut tiledb_query_condition_t,
    ) -> i32;
    pub fn tiledb_query_condition_alloc_set_membership(
        ctx: *mut tiledb_ctx_t,
        field_name: *const c_char,
        data: *const c_void,
        data_size: u64,
        offsets: *const c_void,
        offsets_size: u64,
        op: tiledb_query_condition_op_t,
        cond: *mut *mut tiledb_query_condition_t,
    ) -> i32;
}
