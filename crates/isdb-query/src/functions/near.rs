//! The SQL function `near(latitude, longitude, lat, lon, metres)`. Around a constant position, planning adds the box of the circle as
//! conditions on latitude and longitude, so that an array is read only there.

use std::sync::Arc;

use arrow::array::BooleanArray;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, lit,
};
use isdb_region::{Circle, Position};

use super::boxes::ranges_predicate;
use super::positions::{Numbers, Positions, check_constant, literal_number, number, numbers};
use crate::error::Error;

pub(crate) const NAME: &str = "near";
pub(crate) const USAGE: &str = "near(latitude, longitude, lat, lon, metres)";

/// Creates the function: TRUE if two positions are at most `metres` apart along the WGS 84 ellipsoid; NULL if an argument is NULL,
/// FALSE for a position outside the globe.
pub(crate) fn near_function() -> ScalarUDF {
    near(false)
}

/// Creates the predicate that is true within `circle`: comparisons that can be pushed into an array, and an exact test of the rows
/// that meet them.
pub(crate) fn circle_predicate(circle: &Circle, latitude: &Expr, longitude: &Expr) -> Expr {
    let boxes = ranges_predicate(&[circle.latitudes()], circle.longitudes().as_deref(), latitude, longitude);
    let centre = circle.centre();
    let constants = [centre.latitude(), centre.longitude(), circle.metres()].map(lit);
    let arguments = [latitude.clone(), longitude.clone()].into_iter().chain(constants);
    boxes.and(near(true).call(arguments.collect()))
}

fn near(has_boxes: bool) -> ScalarUDF {
    ScalarUDF::new_from_impl(Near { signature: numbers(&["latitude", "longitude", "lat", "lon", "metres"]), has_boxes })
}

/// The function, before and after planning has added the boxes.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Near {
    signature: Signature,
    has_boxes: bool,
}

impl ScalarUDFImpl for Near {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        if let [lat1, lon1, lat2, lon2, metres] = args.scalar_arguments {
            check_constant(*lat1, *lon1, USAGE)?;
            check_constant(*lat2, *lon2, USAGE)?;
            let metres = metres.and_then(number).filter(|metres| !self.has_boxes && !matches!(metres, 0.0..));
            if let Some(metres) = metres {
                let problem = format!("near: expected a distance in metres, found {metres}");
                return Err(Error::statement(problem, format!("write {USAGE}")).into());
            }
        }
        let nullable = args.arg_fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(NAME, DataType::Boolean, nullable)))
    }

    /// Adds the boxes around a constant position.
    fn simplify(&self, args: Vec<Expr>, _: &SimplifyContext) -> Result<ExprSimplifyResult> {
        let [lat1, lon1, lat2, lon2, metres] = args.as_slice() else { return Ok(ExprSimplifyResult::Original(args)) };
        let constant = |latitude, longitude| Position::new(literal_number(latitude)?, literal_number(longitude)?);
        let circle = |centre: Option<Position>| Some(Circle::new(centre?, literal_number(metres)?));
        let is_constant = |latitude: &Expr, longitude: &Expr| {
            matches!((latitude, longitude), (Expr::Literal(..), Expr::Literal(..)))
                || latitude.is_volatile()
                || longitude.is_volatile()
        };
        let found = match (circle(constant(lat1, lon1)), circle(constant(lat2, lon2))) {
            _ if self.has_boxes => None,
            (_, Some(circle)) if !is_constant(lat1, lon1) => Some((circle, lat1, lon1)),
            (Some(circle), _) if !is_constant(lat2, lon2) => Some((circle, lat2, lon2)),
            _ => None,
        };
        Ok(match found {
            Some((circle, latitude, longitude)) => {
                ExprSimplifyResult::Simplified(circle_predicate(&circle, latitude, longitude))
            }
            None => ExprSimplifyResult::Original(args),
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [lat1, lon1, lat2, lon2, metres] = args.args.as_slice() else { return exec_err!("expected {USAGE}") };
        let (one, other) = (Positions::new(lat1, lon1)?, Positions::new(lat2, lon2)?);
        let metres = Numbers::new(metres)?;
        let (one, other) = if one.constant().is_some() { (other, one) } else { (one, other) };
        let rows = 0..args.number_rows;
        let near: BooleanArray = match (other.constant(), &metres) {
            (Some(None), _) | (_, Numbers::Constant(None)) => {
                return Ok(ColumnarValue::Scalar(ScalarValue::Boolean(None)));
            }
            (Some(Some((lat, lon))), Numbers::Constant(Some(metres))) => {
                let circle = Position::new(lat, lon).map(|centre| Circle::new(centre, *metres));
                rows.map(|row| Some(is_within(circle.as_ref(), one.get(row)?))).collect()
            }
            _ => {
                let test = |row| {
                    let ((lat, lon), metres) = other.get(row).zip(metres.get(row))?;
                    let circle = Position::new(lat, lon).map(|centre| Circle::new(centre, metres));
                    Some(is_within(circle.as_ref(), one.get(row)?))
                };
                rows.map(test).collect()
            }
        };
        Ok(ColumnarValue::Array(Arc::new(near)))
    }
}

fn is_within(circle: Option<&Circle>, (latitude, longitude): (f64, f64)) -> bool {
    let Some((circle, position)) = circle.zip(Position::new(latitude, longitude)) else { return false };
    circle.contains(&position, &position.in_space())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, Float64Array, RecordBatch};
    use arrow::datatypes::{Field, Int64Type, Schema};
    use datafusion::datasource::MemTable;
    use datafusion::prelude::SessionContext;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{answer, refused, session};

    fn context(rows: &[(Option<f64>, Option<f64>)]) -> SessionContext {
        let fields = ["latitude", "longitude"].map(|name| Field::new(name, DataType::Float64, true));
        let schema = Arc::new(Schema::new(fields.to_vec()));
        let latitude: Float64Array = rows.iter().map(|row| row.0).collect();
        let longitude: Float64Array = rows.iter().map(|row| row.1).collect();
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(latitude), Arc::new(longitude)]).unwrap();
        let context = session(1);
        context.register_table("p", Arc::new(MemTable::try_new(schema, vec![vec![batch]]).unwrap())).unwrap();
        context
    }

    async fn count(context: &SessionContext, condition: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM p WHERE {condition}");
        let batches = context.sql(&sql).await.unwrap().collect().await.unwrap();
        batches[0].column(0).as_primitive::<Int64Type>().value(0)
    }

    fn latitude() -> impl Strategy<Value = f64> {
        prop_oneof![2 => -90.0..=90.0, 1 => 89.0..=90.0, 1 => Just(-90.0), 1 => -0.01..=0.01]
    }

    fn longitude() -> impl Strategy<Value = f64> {
        prop_oneof![2 => -180.0..=180.0, 1 => 179.9..=180.0, 1 => Just(-180.0), 1 => 0.0..360.0]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn boxes_keep_every_position_across_the_dateline_and_at_the_poles(
            rows in prop::collection::vec((latitude(), longitude()), 1..30),
            centre in (latitude(), longitude()),
            metres in prop_oneof![Just(0.0), 0.0..20_000.0, 0.0..2.1e7],
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (lat, lon) = centre;
            // Around the first position too, so that something is found.
            let rows: Vec<_> = rows.into_iter().chain([centre]).map(|(lat, lon)| (Some(lat), Some(lon))).collect();
            runtime.block_on(async {
                let context = context(&rows);
                // The sum keeps the optimizer from seeing a constant.
                let far = format!("distance_m(latitude, longitude, {lat} + 0 * latitude, {lon}) <= {metres}");
                let expected = count(&context, &far).await;
                for condition in [
                    format!("near(latitude, longitude, {lat}, {lon}, {metres})"),
                    format!("near({lat}, {lon}, latitude, longitude, {metres})"),
                    format!("near(latitude, longitude, {lat} + 0 * latitude, {lon}, {metres})"),
                    format!("distance_m(latitude, longitude, {lat}, {lon}) <= {metres}"),
                    format!("NOT distance_m({lat}, {lon}, latitude, longitude) > {metres}"),
                ] {
                    prop_assert_eq!(count(&context, &condition).await, expected, "{}", condition);
                }
                let less = count(&context, &format!("distance_m(latitude, longitude, {lat}, {lon}) < {metres}")).await;
                prop_assert!(less < expected || metres > 0.0);
                Ok(())
            })?;
        }
    }

    #[tokio::test]
    async fn a_position_of_null_is_not_near_and_one_outside_the_globe_neither() {
        let context =
            context(&[(Some(61.0), Some(25.5)), (None, Some(25.5)), (Some(61.0), None), (Some(95.0), Some(25.5))]);
        assert_eq!(count(&context, "near(latitude, longitude, 61, 25.5, 10)").await, 1);
        assert_eq!(count(&context, "NOT near(latitude, longitude, 61, 25.5, 10)").await, 1);
        assert_eq!(count(&context, "near(latitude, longitude, 61, 25.5, 10) IS NULL").await, 2);
        assert_eq!(count(&context, "near(latitude, longitude, 61, 25.5, NULL)").await, 0);
        assert_eq!(count(&context, "distance_m(latitude, longitude, 61, 25.5) IS NULL").await, 3);
    }

    #[tokio::test]
    async fn distances_are_metres_on_the_ellipsoid() {
        assert_eq!(answer("SELECT round(distance_m(0, 0, 0, 1), 3) AS a").await, "a;111319.491");
        let named = "SELECT round(distance_m(lat1 => 61, lon1 => 179.99, lat2 => 61, lon2 => -179.99), 1) AS a";
        assert_eq!(answer(named).await, "a;1082.1");
        assert_eq!(
            answer("SELECT near(61, 179.99, 61, -179.99, 1082.2) AS a, near(61, 179.99, 61, -179.99, 1082.1) AS b")
                .await,
            "a|b;true|false"
        );
    }

    #[tokio::test]
    async fn exchanged_constants_and_negative_distances_are_refused() {
        let (problem, hint) = refused("SELECT distance_m(1, 2, 125.5, 61)").await;
        assert_eq!(problem, "expected a latitude from -90 to 90, found 125.5");
        assert_eq!(hint, "latitude comes before longitude: write distance_m(lat1, lon1, lat2, lon2)");
        let (problem, _) = refused("SELECT near(1, 2, 3, 400, 5)").await;
        assert_eq!(problem, "expected a longitude from -180 to 180, found 400");
        let (problem, _) = refused("SELECT near(1, 2, 3, 4, -5)").await;
        assert_eq!(problem, "near: expected a distance in metres, found -5");
    }
}
