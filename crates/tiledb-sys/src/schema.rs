//! Array schemas: domain, dimensions, attributes and their filters.

use core::ffi::{c_char, c_int, c_void};

use crate::types::{
    tiledb_array_schema_t, tiledb_array_type_t, tiledb_attribute_t, tiledb_ctx_t, tiledb_datatype_t,
    tiledb_dimension_t, tiledb_domain_t, tiledb_filter_list_t, tiledb_filter_option_t, tiledb_filter_t,
    tiledb_filter_type_t, tiledb_layout_t,
};

unsafe extern "C" {
    pub fn tiledb_array_schema_alloc_at_timestamp(
        ctx: *mut tiledb_ctx_t,
        array_type: tiledb_array_type_t,
        timestamp: u64,
        array_schema: *mut *mut tiledb_array_schema_t,
    ) -> i32;
    pub fn tiledb_array_schema_free(array_schema: *mut *mut tiledb_array_schema_t);
    pub fn tiledb_array_schema_add_attribute(
        ctx: *mut tiledb_ctx_t,
        array_schema: *mut tiledb_array_schema_t,
        attr: *mut tiledb_attribute_t,
    ) -> i32;
    pub fn tiledb_array_schema_set_domain(
        ctx: *mut tiledb_ctx_t,
        array_schema: *mut tiledb_array_schema_t,
        domain: *mut tiledb_domain_t,
    ) -> i32;
    pub fn tiledb_array_schema_set_cell_order(
        ctx: *mut tiledb_ctx_t,
        array_schema: *mut tiledb_array_schema_t,
        cell_order: tiledb_layout_t,
    ) -> i32;
    pub fn tiledb_array_schema_set_tile_order(
        ctx: *mut tiledb_ctx_t,
        array_schema: *mut tiledb_array_schema_t,
        tile_order: tiledb_layout_t,
    ) -> i32;
    pub fn tiledb_array_schema_set_capacity(
        ctx: *mut tiledb_ctx_t,
        array_schema: *mut tiledb_array_schema_t,
        capacity: u64,
    ) -> i32;
    pub fn tiledb_array_schema_set_allows_dups(
        ctx: *mut tiledb_ctx_t,
        array_schema: *mut tiledb_array_schema_t,
        allows_dups: c_int,
    ) -> i32;
    pub fn tiledb_array_schema_set_offsets_filter_list(
        ctx: *mut tiledb_ctx_t,
        array_schema: *mut tiledb_array_schema_t,
        filter_list: *mut tiledb_filter_list_t,
    ) -> i32;
    pub fn tiledb_array_schema_set_validity_filter_list(
        ctx: *mut tiledb_ctx_t,
        array_schema: *mut tiledb_array_schema_t,
        filter_list: *mut tiledb_filter_list_t,
    ) -> i32;
    pub fn tiledb_array_schema_check(ctx: *mut tiledb_ctx_t, array_schema: *mut tiledb_array_schema_t) -> i32;
    pub fn tiledb_array_schema_get_attribute_num(
        ctx: *mut tiledb_ctx_t,
        array_schema: *const tiledb_array_schema_t,
        attribute_num: *mut u32,
    ) -> i32;
    pub fn tiledb_array_schema_get_attribute_from_index(
        ctx: *mut tiledb_ctx_t,
        array_schema: *const tiledb_array_schema_t,
        index: u32,
        attr: *mut *mut tiledb_attribute_t,
    ) -> i32;
    pub fn tiledb_array_schema_get_domain(
        ctx: *mut tiledb_ctx_t,
        array_schema: *const tiledb_array_schema_t,
        domain: *mut *mut tiledb_domain_t,
    ) -> i32;
    pub fn tiledb_array_schema_get_cell_order(
        ctx: *mut tiledb_ctx_t,
        array_schema: *const tiledb_array_schema_t,
        cell_order: *mut tiledb_layout_t,
    ) -> i32;
    pub fn tiledb_array_schema_get_capacity(
        ctx: *mut tiledb_ctx_t,
        array_schema: *const tiledb_array_schema_t,
        capacity: *mut u64,
    ) -> i32;
    pub fn tiledb_array_schema_get_allows_dups(
        ctx: *mut tiledb_ctx_t,
        array_schema: *mut tiledb_array_schema_t,
        allows_dups: *mut c_int,
    ) -> i32;
    pub fn tiledb_array_schema_get_array_type(
        ctx: *mut tiledb_ctx_t,
        array_schema: *const tiledb_array_schema_t,
        array_type: *mut tiledb_array_type_t,
    ) -> i32;
    pub fn tiledb_attribute_alloc(
        ctx: *mut tiledb_ctx_t,
        name: *const c_char,
        r#type: tiledb_datatype_t,
        attr: *mut *mut tiledb_attribute_t,
    ) -> i32;
    pub fn tiledb_attribute_free(attr: *mut *mut tiledb_attribute_t);
    pub fn tiledb_attribute_get_cell_val_num(
        ctx: *mut tiledb_ctx_t,
        attr: *const tiledb_attribute_t,
        cell_val_num: *mut u32,
    ) -> i32;
    pub fn tiledb_attribute_get_name(
        ctx: *mut tiledb_ctx_t,
        attr: *const tiledb_attribute_t,
        name: *mut *const c_char,
    ) -> i32;
    pub fn tiledb_attribute_get_nullable(
        ctx: *mut tiledb_ctx_t,
        attr: *mut tiledb_attribute_t,
        nullable: *mut u8,
    ) -> i32;
    pub fn tiledb_attribute_get_type(
        ctx: *mut tiledb_ctx_t,
        attr: *const tiledb_attribute_t,
        r#type: *mut tiledb_datatype_t,
    ) -> i32;
    pub fn tiledb_attribute_set_cell_val_num(
        ctx: *mut tiledb_ctx_t,
        attr: *mut tiledb_attribute_t,
        cell_val_num: u32,
    ) -> i32;
    pub fn tiledb_attribute_set_nullable(ctx: *mut tiledb_ctx_t, attr: *mut tiledb_attribute_t, nullable: u8) -> i32;
    pub fn tiledb_attribute_set_filter_list(
        ctx: *mut tiledb_ctx_t,
        attr: *mut tiledb_attribute_t,
        filter_list: *mut tiledb_filter_list_t,
    ) -> i32;
    pub fn tiledb_dimension_alloc(
        ctx: *mut tiledb_ctx_t,
        name: *const c_char,
        r#type: tiledb_datatype_t,
        dim_domain: *const c_void,
        tile_extent: *const c_void,
        dim: *mut *mut tiledb_dimension_t,
    ) -> i32;
    pub fn tiledb_dimension_free(dim: *mut *mut tiledb_dimension_t);
    pub fn tiledb_dimension_get_domain(
        ctx: *mut tiledb_ctx_t,
        dim: *const tiledb_dimension_t,
        domain: *mut *const c_void,
    ) -> i32;
    pub fn tiledb_dimension_get_name(
        ctx: *mut tiledb_ctx_t,
        dim: *const tiledb_dimension_t,
        name: *mut *const c_char,
    ) -> i32;
    pub fn tiledb_dimension_get_tile_extent(
        ctx: *mut tiledb_ctx_t,
        dim: *const tiledb_dimension_t,
        tile_extent: *mut *const c_void,
    ) -> i32;
    pub fn tiledb_dimension_get_type(
        ctx: *mut tiledb_ctx_t,
        dim: *const tiledb_dimension_t,
        r#type: *mut tiledb_datatype_t,
    ) -> i32;
    pub fn tiledb_dimension_set_filter_list(
        ctx: *mut tiledb_ctx_t,
        dim: *mut tiledb_dimension_t,
        filter_list: *mut tiledb_filter_list_t,
    ) -> i32;
    pub fn tiledb_domain_alloc(ctx: *mut tiledb_ctx_t, domain: *mut *mut tiledb_domain_t) -> i32;
    pub fn tiledb_domain_free(domain: *mut *mut tiledb_domain_t);
    pub fn tiledb_domain_add_dimension(
        ctx: *mut tiledb_ctx_t,
        domain: *mut tiledb_domain_t,
        dim: *mut tiledb_dimension_t,
    ) -> i32;
    pub fn tiledb_domain_get_ndim(ctx: *mut tiledb_ctx_t, domain: *const tiledb_domain_t, ndim: *mut u32) -> i32;
    pub fn tiledb_domain_get_dimension_from_index(
        ctx: *mut tiledb_ctx_t,
        domain: *const tiledb_domain_t,
        index: u32,
        dim: *mut *mut tiledb_dimension_t,
    ) -> i32;
    pub fn tiledb_filter_alloc(
        ctx: *mut tiledb_ctx_t,
        r#type: tiledb_filter_type_t,
        filter: *mut *mut tiledb_filter_t,
    ) -> i32;
    pub fn tiledb_filter_free(filter: *mut *mut tiledb_filter_t);
    pub fn tiledb_filter_set_option(
        ctx: *mut tiledb_ctx_t,
        filter: *mut tiledb_filter_t,
        option: tiledb_filter_option_t,
        value: *const c_void,
    ) -> i32;
    pub fn tiledb_filter_list_alloc(ctx: *mut tiledb_ctx_t, filter_list: *mut *mut tiledb_filter_list_t) -> i32;
    pub fn tiledb_filter_list_free(filter_list: *mut *mut tiledb_filter_list_t);
    pub fn tiledb_filter_list_add_filter(
        ctx: *mut tiledb_ctx_t,
        filter_list: *mut tiledb_filter_list_t,
        filter: *mut tiledb_filter_t,
    ) -> i32;
}
