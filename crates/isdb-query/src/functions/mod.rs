//! The SQL functions that isdb adds to DataFusion's.

use datafusion::prelude::SessionContext;

pub(crate) mod chunk;
pub(crate) mod in_region;

/// Adds the functions `in_region(latitude, longitude, 'W,S,E,N' or GeoJSON)` and `chunk(latitude, longitude)` to `context`.
pub fn register_functions(context: &SessionContext) {
    context.register_udf(in_region::in_region_function());
    context.register_udf(chunk::chunk_function());
}
