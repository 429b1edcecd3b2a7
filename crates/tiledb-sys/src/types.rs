//! Opaque handles and the numeric constants that cross the C boundary.

/// Declares handle types whose contents only libtiledb knows.
macro_rules! opaque {
    ($($name:ident),* $(,)?) => {$(
        #[repr(C)]
        pub struct $name {
            _private: [u8; 0],
            // Not Send, Sync or Unpin: the type that wraps the pointer decides.
            _marker: core::marker::PhantomData<(*mut u8, core::marker::PhantomPinned)>,
        }
    )*};
}

opaque! {
    tiledb_array_schema_evolution_t,
    tiledb_array_schema_t,
    tiledb_array_t,
    tiledb_attribute_t,
    tiledb_config_t,
    tiledb_ctx_t,
    tiledb_dimension_t,
    tiledb_domain_t,
    tiledb_enumeration_t,
    tiledb_error_t,
    tiledb_filter_list_t,
    tiledb_filter_t,
    tiledb_fragment_info_t,
    tiledb_group_t,
    tiledb_query_condition_t,
    tiledb_query_t,
    tiledb_string_t,
    tiledb_subarray_t,
    tiledb_vfs_fh_t,
    tiledb_vfs_t,
}

/// The reason why a read is incomplete.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct tiledb_query_status_details_t {
    /// `0`: complete, or unknown; `1`: the buffers are too small; `2`: the memory budget is too small.
    pub incomplete_reason: u32,
}

pub const TILEDB_OK: i32 = 0;

pub const TILEDB_VAR_NUM: u32 = u32::MAX;

pub type tiledb_datatype_t = u32;
pub const TILEDB_INT32: tiledb_datatype_t = 0;
pub const TILEDB_INT64: tiledb_datatype_t = 1;
pub const TILEDB_FLOAT32: tiledb_datatype_t = 2;
pub const TILEDB_FLOAT64: tiledb_datatype_t = 3;
pub const TILEDB_CHAR: tiledb_datatype_t = 4;
pub const TILEDB_INT8: tiledb_datatype_t = 5;
pub const TILEDB_UINT8: tiledb_datatype_t = 6;
pub const TILEDB_INT16: tiledb_datatype_t = 7;
pub const TILEDB_UINT16: tiledb_datatype_t = 8;
pub const TILEDB_UINT32: tiledb_datatype_t = 9;
pub const TILEDB_UINT64: tiledb_datatype_t = 10;
pub const TILEDB_STRING_ASCII: tiledb_datatype_t = 11;
pub const TILEDB_STRING_UTF8: tiledb_datatype_t = 12;
pub const TILEDB_DATETIME_NS: tiledb_datatype_t = 27;
pub const TILEDB_BOOL: tiledb_datatype_t = 41;

pub type tiledb_array_type_t = u32;
pub const TILEDB_SPARSE: tiledb_array_type_t = 1;

pub type tiledb_layout_t = u32;
pub const TILEDB_ROW_MAJOR: tiledb_layout_t = 0;
pub const TILEDB_UNORDERED: tiledb_layout_t = 3;
pub const TILEDB_HILBERT: tiledb_layout_t = 4;

pub type tiledb_filter_type_t = u32;
pub const TILEDB_FILTER_ZSTD: tiledb_filter_type_t = 2;
pub const TILEDB_FILTER_DOUBLE_DELTA: tiledb_filter_type_t = 6;
pub const TILEDB_FILTER_BIT_WIDTH_REDUCTION: tiledb_filter_type_t = 7;
pub const TILEDB_FILTER_BITSHUFFLE: tiledb_filter_type_t = 8;
pub const TILEDB_FILTER_BYTESHUFFLE: tiledb_filter_type_t = 9;

pub type tiledb_filter_option_t = u32;
pub const TILEDB_COMPRESSION_LEVEL: tiledb_filter_option_t = 0;

pub type tiledb_query_type_t = u32;
pub const TILEDB_READ: tiledb_query_type_t = 0;
pub const TILEDB_WRITE: tiledb_query_type_t = 1;

pub type tiledb_query_status_t = u32;
pub const TILEDB_FAILED: tiledb_query_status_t = 0;
pub const TILEDB_COMPLETED: tiledb_query_status_t = 1;
pub const TILEDB_INCOMPLETE: tiledb_query_status_t = 3;

pub type tiledb_query_condition_op_t = u32;
pub const TILEDB_LT: tiledb_query_condition_op_t = 0;
pub const TILEDB_LE: tiledb_query_condition_op_t = 1;
pub const TILEDB_GT: tiledb_query_condition_op_t = 2;
pub const TILEDB_GE: tiledb_query_condition_op_t = 3;
pub const TILEDB_EQ: tiledb_query_condition_op_t = 4;
pub const TILEDB_NE: tiledb_query_condition_op_t = 5;
pub const TILEDB_IN: tiledb_query_condition_op_t = 6;
pub const TILEDB_NOT_IN: tiledb_query_condition_op_t = 7;

pub type tiledb_query_condition_combination_op_t = u32;
pub const TILEDB_AND: tiledb_query_condition_combination_op_t = 0;
pub const TILEDB_OR: tiledb_query_condition_combination_op_t = 1;

pub type tiledb_object_t = u32;
pub const TILEDB_GROUP: tiledb_object_t = 1;
pub const TILEDB_ARRAY: tiledb_object_t = 2;

pub type tiledb_vfs_mode_t = u32;
pub const TILEDB_VFS_READ: tiledb_vfs_mode_t = 0;
pub const TILEDB_VFS_WRITE: tiledb_vfs_mode_t = 1;
