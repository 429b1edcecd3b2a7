//! The SQL function `chunk(latitude, longitude)`: the spatial chunk of a position. The ingest plan distributes rows
//! to its writers and fragments by it.

use std::sync::Arc;

use arrow::array::{Array, AsArray, Int32Array};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use isdb_schema::grid::chunk;

/// Name of the function, and of the column that the ingest plan computes with it.
pub const CHUNK: &str = "chunk";

/// Creates `chunk(latitude DOUBLE, longitude DOUBLE) -> INT`, in degrees; NULL if either is NULL.
pub fn chunk_function() -> ScalarUDF {
    let signature = Signature::exact(vec![DataType::Float64, DataType::Float64], Volatility::Immutable);
    ScalarUDF::new_from_impl(Chunk { signature })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Chunk {
    signature: Signature,
}

impl ScalarUDFImpl for Chunk {
    fn name(&self) -> &str {
        CHUNK
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int32)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [latitudes, longitudes] = &ColumnarValue::values_to_arrays(&arguments.args)?[..] else {
            return datafusion::common::internal_err!("chunk takes a latitude and a longitude");
        };
        let (latitudes, longitudes) =
            (latitudes.as_primitive::<Float64Type>(), longitudes.as_primitive::<Float64Type>());
        let chunks = latitudes
            .values()
            .iter()
            .zip(longitudes.values())
            .map(|(latitude, longitude)| chunk(*latitude, *longitude).cast_signed());
        let nulls = arrow::buffer::NullBuffer::union(latitudes.nulls(), longitudes.nulls());
        Ok(ColumnarValue::Array(Arc::new(Int32Array::new(chunks.collect(), nulls))))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array as _, AsArray as _};
    use arrow::datatypes::Int32Type;

    use super::*;
    use crate::testing::session;

    #[tokio::test]
    async fn sql_returns_the_chunk_of_a_position_and_null_for_null() {
        let sql = "SELECT chunk(lat, 10.0) FROM (VALUES (47.5), (NULL), (-90.0)) AS t(lat)";
        let batches = session(2).sql(sql).await.unwrap().collect().await.unwrap();
        let chunks = batches[0].column(0).as_primitive::<Int32Type>();
        assert_eq!(chunks.value(0), chunk(47.5, 10.0).cast_signed());
        assert!(chunks.is_null(1));
        assert_eq!(chunks.value(2), chunk(-90.0, 10.0).cast_signed());
    }
}
