//! The SQL functions `polygon_name(latitude, longitude, 'forests.geojson', 'name')` and `polygon_names(…)`: which polygons of a file a position
//! is in. Planning reads the file once.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringBuilder, StringViewBuilder};
use arrow::buffer::Buffer;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use isdb_region::{GeoFeature, Region, RegionIndex};

use super::positions::Positions;
use crate::error::Error;
use crate::session::files::{UserFiles, read_file};

/// The names of the polygons that contain a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Names {
    /// One name: polygons of different names must not overlap.
    One,
    /// All names, as a list.
    All,
}

/// Creates `polygon_name`: the text of a property of the polygon that contains a position; NULL outside of all polygons.
pub(super) fn polygon_name_function(files: UserFiles) -> ScalarUDF {
    function(Names::One, files)
}

/// Creates `polygon_names`: the texts of a property of all polygons that contain a position, in the order of the file; an empty list outside
/// of all polygons, NULL for a position of NULL.
pub(super) fn polygon_names_function(files: UserFiles) -> ScalarUDF {
    function(Names::All, files)
}

fn function(names: Names, files: UserFiles) -> ScalarUDF {
    let types = vec![DataType::Float64, DataType::Float64, DataType::Utf8, DataType::Utf8];
    let parameters = ["latitude", "longitude", "file", "property"].map(str::to_owned).to_vec();
    let exact = Signature::exact(types, Volatility::Stable);
    let signature = Signature { parameter_names: Some(parameters), ..exact };
    ScalarUDF::new_from_impl(PolygonNames { signature, names, files, polygons: None })
}

/// The function, before and after planning has read the file.
#[derive(Debug, PartialEq, Eq, Hash)]
struct PolygonNames {
    signature: Signature,
    names: Names,
    files: UserFiles,
    polygons: Option<Arc<Polygons>>,
}

/// The polygons of a file.
struct Polygons {
    index: RegionIndex,
    /// All names in one text.
    text: Buffer,
    /// Where each polygon's name is in the text; None for NULL.
    names: Vec<Option<(u32, u32)>>,
    /// Of the file's content and the property.
    hash: u64,
}

impl fmt::Debug for Polygons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} polygons, {:016x}", self.names.len(), self.hash)
    }
}

impl PartialEq for Polygons {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.names == other.names && self.text == other.text
    }
}

impl Eq for Polygons {}

impl Hash for Polygons {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.hash.hash(state);
    }
}

impl Polygons {
    /// Reads the polygons of the file `name`, and their property.
    fn read(name: &str, property: &str, files: UserFiles, names: Names) -> Result<Polygons> {
        let bytes = read_file(name, files)?;
        let malformed = |error: &dyn fmt::Display| Error::malformed(name, &error);
        let features = GeoFeature::read_all(&bytes).map_err(|error| malformed(&error))?;
        let (mut text, mut places) = (String::new(), Vec::with_capacity(features.len()));
        let mut regions: Vec<Region> = Vec::with_capacity(features.len());
        for feature in &features {
            let Some(value) = feature.properties.get(property) else {
                let known: Vec<&str> = feature.properties.keys().map(String::as_str).collect();
                let problem = format!("{name}: {} has no property '{property}'", feature.place());
                let hint = match known.is_empty() {
                    true => "a feature needs a property that names it".to_owned(),
                    false => format!("its properties are {}", known.join(", ")),
                };
                return Err(Error::statement(problem, hint).into());
            };
            let begin = text.len();
            match value {
                serde_json::Value::Null => {}
                serde_json::Value::String(value) => text.push_str(value),
                value => text.push_str(&value.to_string()),
            }
            let place = (!value.is_null()).then_some((begin, text.len() - begin));
            places.push(place);
            regions.push(feature.region().map_err(|error| malformed(&error))?);
        }
        let narrow = |place: (usize, usize)| Some((u32::try_from(place.0).ok()?, u32::try_from(place.1).ok()?));
        let places: Option<Vec<_>> =
            places.into_iter().map(|place| place.map_or(Some(None), |place| Some(Some(narrow(place)?)))).collect();
        let Some(places) = places else { return exec_err!("{name}: the names are longer than 4 GiB") };
        let mut hasher = DefaultHasher::new();
        (&bytes, property).hash(&mut hasher);
        let polygons = Polygons {
            index: RegionIndex::new(regions),
            text: Buffer::from(text.into_bytes()),
            names: places,
            hash: hasher.finish(),
        };
        if names == Names::One {
            polygons.refuse_overlaps(name, &features)?;
        }
        Ok(polygons)
    }

    fn refuse_overlaps(&self, name: &str, features: &[GeoFeature]) -> Result<()> {
        let differ = |one: usize, other: usize| self.name(one) != self.name(other);
        let Some((one, other)) = self.index.overlapping(differ) else { return Ok(()) };
        let shown = |number: usize| {
            let place = features.get(number).map(GeoFeature::place).unwrap_or_default();
            format!("'{}' ({place})", self.name(number).unwrap_or("NULL"))
        };
        let problem = format!("{name}: {} and {} overlap", shown(one), shown(other));
        let hint =
            "polygon_names(latitude, longitude, file, property) returns a list of all polygons around a position";
        Err(Error::statement(problem, hint).into())
    }

    fn name(&self, number: usize) -> Option<&str> {
        let (begin, length) = (*self.names.get(number)?)?;
        let (begin, length) = (usize::try_from(begin).ok()?, usize::try_from(length).ok()?);
        std::str::from_utf8(self.text.as_slice().get(begin..begin + length)?).ok()
    }

    fn one(&self, positions: &Positions, rows: usize) -> Result<ArrayRef> {
        let mut names = StringViewBuilder::with_capacity(rows);
        let block = names.append_block(self.text.clone());
        let mut found = Vec::new();
        for row in 0..rows {
            found.clear();
            if let Some((latitude, longitude)) = positions.get(row) {
                self.index.containing(latitude, longitude, &mut found);
            }
            match found.first().and_then(|number| *self.names.get(*number)?) {
                Some((begin, length)) => names.try_append_view(block, begin, length)?,
                None => names.append_null(),
            }
        }
        Ok(Arc::new(names.finish()))
    }

    fn all(&self, positions: &Positions, rows: usize) -> ArrayRef {
        let mut lists = ListBuilder::with_capacity(StringBuilder::new(), rows);
        let mut found = Vec::new();
        for row in 0..rows {
            let Some((latitude, longitude)) = positions.get(row) else {
                lists.append_null();
                continue;
            };
            self.index.containing(latitude, longitude, &mut found);
            // Parts of one area may be several polygons of its name.
            for (at, number) in found.iter().enumerate() {
                let name = self.name(*number);
                if found.iter().take(at).all(|earlier| self.name(*earlier) != name) {
                    lists.values().append_option(name);
                }
            }
            lists.append(true);
        }
        Arc::new(lists.finish())
    }
}

impl Names {
    fn data_type(self) -> DataType {
        match self {
            Names::One => DataType::Utf8View,
            Names::All => DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))),
        }
    }
}

impl PolygonNames {
    /// Returns the polygons of the file and property that these arguments name; None if they are not constants.
    fn read(&self, file: &ScalarValue, property: &ScalarValue) -> Result<Option<Polygons>> {
        match (file.try_as_str().flatten(), property.try_as_str().flatten()) {
            (Some(file), Some(property)) => Polygons::read(file, property, self.files, self.names).map(Some),
            _ => Ok(None),
        }
    }
}

impl ScalarUDFImpl for PolygonNames {
    fn name(&self) -> &'static str {
        match self.names {
            Names::One => "polygon_name",
            Names::All => "polygon_names",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.names.data_type())
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(self.name(), self.names.data_type(), true)))
    }

    /// Reads the file once for the plan.
    fn simplify(&self, args: Vec<Expr>, _: &SimplifyContext) -> Result<ExprSimplifyResult> {
        let polygons = match (&self.polygons, args.as_slice()) {
            (None, [_, _, Expr::Literal(file, _), Expr::Literal(property, _)]) => self.read(file, property)?,
            _ => None,
        };
        let Some(polygons) = polygons else { return Ok(ExprSimplifyResult::Original(args)) };
        let (signature, polygons) = (self.signature.clone(), Some(Arc::new(polygons)));
        let function = PolygonNames { signature, names: self.names, files: self.files, polygons };
        Ok(ExprSimplifyResult::Simplified(ScalarUDF::new_from_impl(function).call(args)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [latitude, longitude, ColumnarValue::Scalar(file), ColumnarValue::Scalar(property)] = args.args.as_slice()
        else {
            return exec_err!("{} takes one file and one property for all rows", self.name());
        };
        let read;
        let polygons = match &self.polygons {
            Some(polygons) => polygons.as_ref(),
            None => match self.read(file, property)? {
                Some(polygons) => {
                    read = polygons;
                    &read
                }
                None => return Ok(ColumnarValue::Scalar(ScalarValue::try_from(&self.names.data_type())?)),
            },
        };
        let positions = Positions::new(latitude, longitude)?;
        Ok(ColumnarValue::Array(match self.names {
            Names::One => polygons.one(&positions, args.number_rows)?,
            Names::All => polygons.all(&positions, args.number_rows),
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::session::context::{SessionOptions, session};
    use crate::session::files::UserFiles;
    use crate::testing::{answer, refused};

    /// Writes a file of squares of one degree with these south-western corners and names, as JSON.
    fn write(path: &Path, squares: &[(f64, f64, &str)]) {
        let features = squares.iter().map(|(x, y, name)| {
            let ring = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0)];
            let points: Vec<String> = ring.iter().map(|(dx, dy)| format!("[{},{}]", x + dx, y + dy)).collect();
            let points = points.join(",");
            format!(r#"{{"type":"Feature","properties":{{"name":{name}}},"geometry":{{"type":"Polygon","coordinates":[[{points}]]}}}}"#)
        });
        let features: Vec<String> = features.collect();
        std::fs::write(path, format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","))).unwrap();
    }

    const ROWS: &str =
        "(VALUES (0.5, 0.5), (0.5, 1.0), (0.5, 1.5), (0.5, 2.5), (5.0, 5.0), (NULL, 1.0)) AS t(latitude, longitude)";

    #[tokio::test]
    async fn each_position_has_the_name_of_the_one_polygon_around_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("forests.geojson");
        write(&path, &[(0.0, 0.0, "\"west\""), (1.0, 0.0, "\"a forest with a long name\""), (2.0, 0.0, "7")]);
        let sql = format!(
            "SELECT latitude, longitude, polygon_name(latitude, longitude, '{}', 'name') AS n FROM {ROWS} ORDER BY longitude, latitude",
            path.display()
        );
        assert_eq!(
            answer(&sql).await,
            "latitude|longitude|n;0.5|0.5|west;0.5|1.0|aforestwithalongname;|1.0|;0.5|1.5|aforestwithalongname;0.5|2.5|7;5.0|5.0|"
        );
        // Forests without segments are kept by a join.
        let sql = format!(
            "SELECT s.name, count(p.n) AS n FROM '{path}' AS s LEFT JOIN (SELECT polygon_name(latitude, longitude, '{path}', 'name') AS n FROM {ROWS} WHERE longitude < 2) AS p ON p.n = s.name GROUP BY s.name ORDER BY n, s.name",
            path = path.display()
        );
        assert_eq!(answer(&sql).await, "name|n;7|0;west|1;aforestwithalongname|2");
    }

    #[tokio::test]
    async fn overlapping_polygons_are_named_in_the_error_and_listed_by_polygon_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("forests.geojson");
        write(&path, &[(0.0, 0.0, "\"A\""), (0.4, 0.0, "\"B\""), (5.0, 0.0, "\"C\"")]);
        let name = path.display();
        let (problem, hint) =
            refused(&format!("SELECT polygon_name(x, x, '{name}', 'name') FROM (VALUES (1.0)) AS t(x)")).await;
        assert_eq!(problem, format!("{name}: 'A' (feature 1) and 'B' (feature 2) overlap"));
        assert!(hint.starts_with("polygon_names("), "{hint}");
        let sql = format!(
            "SELECT polygon_names(latitude, longitude, '{name}', 'name') AS n FROM {ROWS} ORDER BY longitude, latitude"
        );
        assert_eq!(answer(&sql).await, "n;[A,B];[B];;[];[];[]");
        let (problem, hint) =
            refused(&format!("SELECT polygon_names(x, x, '{name}', 'id') FROM (VALUES (1.0)) AS t(x)")).await;
        assert_eq!(
            (problem, hint.as_str()),
            (format!("{name}: feature 1 has no property 'id'"), "its properties are name")
        );
        // Parts of one forest may overlap.
        write(&path, &[(0.0, 0.0, "\"A\""), (0.4, 0.0, "\"A\"")]);
        assert_eq!(
            answer(&format!("SELECT polygon_name(0.5, x, '{name}', 'name') AS n FROM (VALUES (0.5)) AS t(x)")).await,
            "n;A"
        );
    }

    #[tokio::test]
    async fn a_session_that_reads_no_files_reads_no_polygons() {
        let closed = session(&SessionOptions { files: UserFiles::Closed, ..SessionOptions::default() }).unwrap();
        let sql = "SELECT polygon_name(x, x, '/etc/forests.geojson', 'name') FROM (VALUES (1.0)) AS t(x)";
        let error = match closed.sql(sql).await {
            Ok(frame) => frame.collect().await.map(|_| ()).unwrap_err(),
            Err(error) => error,
        };
        assert!(error.to_string().contains("this session reads no files"), "{error}");
    }
}
