//! The SQL function `in_region(latitude, longitude, 'region')`. Planning parses the region once and adds its boxes as
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
use isdb_region::{Bounds, Region};

const NAME: &str = "in_region";

/// Creates the function: TRUE for a position, in degrees, inside the region, `'W,S,E,N'` or GeoJSON; NULL if the position or the
/// region is NULL.
pub(crate) fn in_region_function() -> ScalarUDF {
    ScalarUDF::new_from_impl(InRegion { signature: signature(), region: None })
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
    let function = ScalarUDF::new_from_impl(InRegion { signature: signature(), region: Some(parsed) });
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

/// Creates the predicate that is true for a position in one of `boxes`. Boxes between the same parallels, as on both sides of the
/// dateline, become one range of latitude and several of longitude, which an array evaluates exactly.
fn boxes_predicate(boxes: &[Bounds], latitude: &Expr, longitude: &Expr) -> Expr {
    let between = |column: &Expr, low: f64, high: f64| {
        // SQL orders -0 below 0; both are the same position.
        let low = if low == 0.0 { -0.0 } else { low };
        column.clone().between(lit(low), lit(high))
    };
    let parallels = |bounds: &Bounds| between(latitude, bounds.south, bounds.north);
    let meridians = |bounds: &Bounds| between(longitude, bounds.west, bounds.east);
    let any = |all: Vec<Expr>| all.into_iter().reduce(Expr::or).unwrap_or_else(|| lit(false));
    match boxes {
        [first, rest @ ..] if rest.iter().all(|other| (other.south, other.north) == (first.south, first.north)) => {
            parallels(first).and(any(boxes.iter().map(meridians).collect()))
        }
        _ => any(boxes.iter().map(|bounds| parallels(bounds).and(meridians(bounds))).collect()),
    }
}

/// The function, before and after planning has parsed its region.
#[derive(Debug, PartialEq, Eq, Hash)]
struct InRegion {
    signature: Signature,
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
                Ok(ExprSimplifyResult::Simplified(parse_region(text)?.map_or_else(
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
                parsed = parse_region(text)?;
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

/// Parses the region of a literal; None for NULL.
fn parse_region(text: &ScalarValue) -> Result<Option<Region>> {
    let text = text.try_as_str().flatten();
    text.map(Region::parse).transpose().map_err(|error| plan_datafusion_err!("{NAME}: {error}"))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Float64Array, RecordBatch};
    use arrow::datatypes::Schema;
    use datafusion::prelude::SessionContext;

    use super::*;
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
