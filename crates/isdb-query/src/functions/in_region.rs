//! The SQL function `in_region(latitude, longitude, 'region')`; the region is `W,S,E,N`, GeoJSON, or the name of a GeoJSON file. Planning parses the region once and adds its boxes as
//! conditions on latitude and longitude, so that an array is read only there.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::common::{Result, ScalarValue, exec_err, plan_datafusion_err};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};
use isdb_region::{Region, RegionError};

use super::boxes::boxes_predicate;
use crate::error::Error;
use crate::session::files::{UserFiles, is_file_name, read_file};

const NAME: &str = "in_region";

/// Creates the function: TRUE for a position, in degrees, inside the region, `'W,S,E,N'`, GeoJSON or, in a session with `files`, the name of
/// a GeoJSON file; NULL if the position or the region is NULL.
pub(crate) fn in_region_function(files: UserFiles) -> ScalarUDF {
    ScalarUDF::new_from_impl(InRegion { signature: signature(), files, region: None })
}

/// Creates the predicate that is true for a position, in degrees, inside `region`: comparisons with the region's boxes, which can
/// be pushed into an array, and, unless the region is itself a box, an exact test of the rows in the boxes.
pub fn region_predicate(region: &Region, latitude: &Expr, longitude: &Expr) -> Expr {
    let boxes = boxes_predicate(&region.boxes(), latitude, longitude);
    if region.as_box().is_some() {
        return boxes;
    }
    let parsed = ParsedRegion { summary: summary(region), region: region.clone() };
    let summary = lit(parsed.summary.as_str());
    let function =
        ScalarUDF::new_from_impl(InRegion { signature: signature(), files: UserFiles::Closed, region: Some(parsed) });
    boxes.and(function.call(vec![latitude.clone(), longitude.clone(), summary]))
}

fn signature() -> Signature {
    Signature::exact(vec![DataType::Float64, DataType::Float64, DataType::Utf8], Volatility::Immutable)
}

/// Shortens the text of a region, which can have thousands of points, for plans: its beginning, and a hash that differs between
/// regions.
fn summary(region: &Region) -> String {
    let text = region.to_text();
    if text.len() <= 120 {
        return text;
    }
    let mut hasher = std::hash::DefaultHasher::new();
    text.hash(&mut hasher);
    let beginning: String = text.chars().take(60).collect();
    format!("{beginning}… ({} bytes, {:016x})", text.len(), hasher.finish())
}

/// The function, before and after planning has parsed its region.
#[derive(Debug, PartialEq, Eq, Hash)]
struct InRegion {
    signature: Signature,
    files: UserFiles,
    region: Option<ParsedRegion>,
}

/// The region of a call, parsed.
struct ParsedRegion {
    region: Region,
    summary: String,
}

impl fmt::Debug for ParsedRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary)
    }
}

impl PartialEq for ParsedRegion {
    fn eq(&self, other: &ParsedRegion) -> bool {
        self.region == other.region
    }
}

// Coordinates of a region are never NaN.
impl Eq for ParsedRegion {}

impl Hash for ParsedRegion {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.summary.hash(state);
    }
}

impl ScalarUDFImpl for InRegion {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let nullable = args.arg_fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(NAME, DataType::Boolean, nullable)))
    }

    /// Parses a literal region once for the plan.
    fn simplify(&self, args: Vec<Expr>, _: &SimplifyContext) -> Result<ExprSimplifyResult> {
        match (&self.region, args.as_slice()) {
            (None, [latitude, longitude, Expr::Literal(text, _)]) => {
                Ok(ExprSimplifyResult::Simplified(parse_region(text, self.files)?.map_or_else(
                    || lit(ScalarValue::Boolean(None)),
                    |region| region_predicate(&region, latitude, longitude),
                )))
            }
            _ => Ok(ExprSimplifyResult::Original(args)),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [latitude, longitude, text] = args.args.as_slice() else {
            return exec_err!("{NAME} takes a latitude, a longitude and a region");
        };
        let parsed;
        let region = match (&self.region, text) {
            (Some(region), _) => Some(&region.region),
            (None, ColumnarValue::Scalar(text)) => {
                parsed = parse_region(text, self.files)?;
                parsed.as_ref()
            }
            (None, ColumnarValue::Array(_)) => {
                return exec_err!("{NAME} takes one region for all rows: a text, 'W,S,E,N' or GeoJSON");
            }
        };
        let Some(region) = region else { return Ok(ColumnarValue::Scalar(ScalarValue::Boolean(None))) };
        let [latitude, longitude] = [latitude, longitude].map(|column| column.clone().into_array(args.number_rows));
        let (latitude, longitude) = (latitude?, longitude?);
        let (Some(latitude), Some(longitude)) =
            (latitude.as_primitive_opt::<Float64Type>(), longitude.as_primitive_opt::<Float64Type>())
        else {
            return exec_err!("{NAME} takes latitude and longitude as numbers");
        };
        let nulls = NullBuffer::union(latitude.nulls(), longitude.nulls());
        let inside = region.mask(latitude.values(), longitude.values());
        Ok(ColumnarValue::Array(Arc::new(BooleanArray::new(inside, nulls))))
    }
}

/// Parses the region of a literal, or the file that it names; None for NULL.
fn parse_region(text: &ScalarValue, files: UserFiles) -> Result<Option<Region>> {
    let Some(text) = text.try_as_str().flatten() else { return Ok(None) };
    let region = Region::parse(text);
    if matches!(region, Err(RegionError::Text { .. })) && is_file_name(text) {
        let bytes = read_file(text, files)?;
        let malformed = |error: RegionError| Error::malformed(text, &error);
        return Ok(Some(Region::from_geojson_bytes(&bytes).map_err(malformed)?));
    }
    region.map(Some).map_err(|error| plan_datafusion_err!("{NAME}: {error}"))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Float64Array, RecordBatch};
    use arrow::datatypes::Schema;
    use datafusion::prelude::SessionContext;

    use super::*;
    use crate::session::context::SessionOptions;
    use crate::testing::session;

    /// Returns a table `p` of positions, two of them NULL in a coordinate.
    fn context() -> SessionContext {
        let fields = ["latitude", "longitude"].map(|name| Field::new(name, DataType::Float64, true));
        let latitude = Float64Array::from(vec![Some(1.0), Some(-0.0), None, Some(5.0), Some(-17.0), Some(-17.0)]);
        let longitude = Float64Array::from(vec![Some(1.0), Some(-0.0), Some(1.0), None, Some(179.0), Some(-179.0)]);
        let schema = Arc::new(Schema::new(fields.to_vec()));
        let batch = RecordBatch::try_new(schema, vec![Arc::new(latitude), Arc::new(longitude)]).unwrap();
        let context = session(2);
        context.register_batch("p", batch).unwrap();
        context
    }

    async fn count(condition: &str) -> Result<i64> {
        let sql = format!("SELECT count(*) FROM p WHERE {condition}");
        let batches = context().sql(&sql).await?.collect().await?;
        Ok(batches[0].column(0).as_primitive::<arrow::datatypes::Int64Type>().value(0))
    }

    #[tokio::test]
    async fn positions_in_a_box_or_a_polygon_are_selected() {
        let triangle = r#"{"type":"Polygon","coordinates":[[[0,0],[4,0],[0,4],[0,0]]]}"#;
        for (condition, rows) in [
            ("in_region(latitude, longitude, '0,0,2,2')", 2),
            ("in_region(latitude, longitude, '170,-20,-170,-10')", 2),
            ("in_region(latitude, longitude, '-180,-90,180,90')", 4),
            (&format!("in_region(latitude, longitude, '{triangle}')"), 2),
            (&format!("in_region(latitude + 2.5, longitude, '{triangle}')"), 1),
            (&format!("NOT in_region(latitude, longitude, '{triangle}')"), 3),
            ("in_region(latitude, longitude, '0,0,' || '2,2')", 2),
            ("in_region(latitude, longitude, NULL)", 0),
            ("in_region(1, 1, '0,0,2,2')", 6),
            ("in_region(CAST(latitude AS FLOAT), longitude, '0,0,2,2')", 2),
        ] {
            assert_eq!(count(condition).await.unwrap(), rows, "{condition}");
        }
    }

    #[tokio::test]
    async fn the_result_is_null_for_a_position_of_null() {
        let sql = "SELECT in_region(latitude, longitude, '0,0,2,2') AS inside FROM p WHERE latitude IS NULL";
        let batches = context().sql(sql).await.unwrap().collect().await.unwrap();
        assert!(batches[0].column(0).is_null(0));
    }

    #[tokio::test]
    async fn a_file_is_a_region_unless_the_session_reads_no_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.5,2.geojson");
        std::fs::write(&path, r#"{"type":"Polygon","coordinates":[[[0,0],[4,0],[0,4],[0,0]]]}"#).unwrap();
        let condition = |path: &std::path::Path| format!("in_region(latitude, longitude, '{}')", path.display());
        assert_eq!(count(&condition(&path)).await.unwrap(), 2);
        let missing = count(&condition(&folder.path().join("none.geojson"))).await.unwrap_err();
        assert!(missing.to_string().contains("none.geojson: it cannot be read"), "{missing}");
        std::fs::write(&path, "POLYGON((0 0,1 0,1 1,0 0))").unwrap();
        let wrong = count(&condition(&path)).await.unwrap_err().to_string();
        assert!(wrong.contains("expected GeoJSON in UTF-8, found WKT"), "{wrong}");
        let options = SessionOptions { files: UserFiles::Closed, ..SessionOptions::default() };
        let closed = crate::session::context::session(&options).unwrap();
        let sql = format!("SELECT {}", condition(&path).replace("latitude, longitude", "1.0, 2.0"));
        let refused = match closed.sql(&sql).await {
            Ok(frame) => frame.collect().await.map(|_| ()).unwrap_err(),
            Err(error) => error,
        };
        assert!(refused.to_string().contains("this session reads no files"), "{refused}");
    }

    #[tokio::test]
    async fn an_invalid_region_and_a_region_per_row_are_refused() {
        let error = count("in_region(latitude, longitude, 'amazon')").await.unwrap_err().to_string();
        assert!(error.contains("in_region: invalid region \"amazon\": expected W,S,E,N"), "{error}");
        let error = count("in_region(latitude, longitude, CAST(latitude AS STRING))").await.unwrap_err().to_string();
        assert!(error.contains("one region for all rows"), "{error}");
    }

    #[test]
    fn the_summaries_of_two_long_regions_are_short_and_differ() {
        let ring = |x: f64| {
            let points: Vec<String> =
                (0..99).map(|i| format!("[{},{}]", x + f64::from(i), f64::from(i * i) / 999.0)).collect();
            let ring = format!("{},[{x},0]", points.join(","));
            Region::parse(&format!("{{\"type\":\"Polygon\",\"coordinates\":[[{ring}]]}}")).unwrap()
        };
        let (one, two) = (summary(&ring(0.0)), summary(&ring(1e-9)));
        assert!(one != two && one.len() < 120, "{one} {two}");
        assert_eq!(summary(&Region::parse("0,0,2,2").unwrap()), "0,0,2,2");
    }
}
