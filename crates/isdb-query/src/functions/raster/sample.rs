//! The SQL function `sample(latitude, longitude, 'file.tif', band, 'nearest')`: the value of a GeoTIFF at a position.

use std::sync::Arc;

use arrow::array::Float64Array;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use isdb_raster::Method;

use super::file::{RasterFile, refused};
use crate::error::Error;
use crate::functions::positions::{Positions, check_constant};
use crate::session::files::UserFiles;

const NAME: &str = "sample";
pub(crate) const USAGE: &str = "sample(latitude, longitude, 'file.tif')";
const LONG_USAGE: &str = "sample(latitude, longitude, 'file.tif', 1, 'bilinear')";

/// Creates the function: the value of a band, by default the first, at a position; NULL outside of the raster, where it has no data, and if an
/// argument is NULL.
pub(in crate::functions) fn sample_function(files: UserFiles) -> ScalarUDF {
    ScalarUDF::new_from_impl(Sample { signature: Signature::user_defined(Volatility::Stable), files, source: None })
}

/// The function, before and after planning has opened the file.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Sample {
    signature: Signature,
    files: UserFiles,
    source: Option<Source>,
}

/// What a call reads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Source {
    file: RasterFile,
    band: u16,
    method: Method,
}

impl Source {
    /// Opens the file of a call's arguments after the position; None if one is NULL.
    fn open(arguments: &[&ScalarValue], files: UserFiles) -> Result<Option<Source>> {
        let (file, band, method) = match arguments {
            [file] => (file, None, None),
            [file, method] if method.data_type().is_string() => (file, None, Some(*method)),
            [file, band] => (file, Some(*band), None),
            [file, band, method] => (file, Some(*band), Some(*method)),
            _ => return exec_err!("expected {USAGE}"),
        };
        if arguments.iter().any(|argument| argument.is_null()) {
            return Ok(None);
        }
        let method = method.and_then(|method| method.try_as_str().flatten()).map_or(Ok(Method::Nearest), parse)?;
        let Some(file) = RasterFile::open(file, files)? else { return Ok(None) };
        let band = match band {
            Some(ScalarValue::Int64(Some(band))) => *band,
            _ => 1,
        };
        let band = file.raster().band(band).map_err(|error| refused(&error))?;
        Ok(Some(Source { file, band, method }))
    }
}

fn parse(method: &str) -> Result<Method, Error> {
    match method {
        "nearest" => Ok(Method::Nearest),
        "bilinear" => Ok(Method::Bilinear),
        other => Err(Error::statement(
            format!("{NAME}: expected 'nearest' or 'bilinear', found '{other}'"),
            "nearest is the value of the pixel, bilinear the mean of the four pixels around the position by distance",
        )),
    }
}

impl ScalarUDFImpl for Sample {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    /// Types of a wrong call stay as they are: DataFusion adds a list of candidates to an error of this function.
    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(coerced(types).unwrap_or_else(|| types.to_vec()))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let types: Vec<DataType> = args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        if coerced(&types).is_none() {
            let found: Vec<String> = types.iter().map(DataType::to_string).collect();
            let found = if found.is_empty() { "nothing".to_owned() } else { found.join(", ") };
            let problem = format!("{NAME}: expected two numbers, a file, a band and a method, found {found}");
            return Err(Error::statement(problem, format!("write {USAGE} or {LONG_USAGE}")).into());
        }
        if let [latitude, longitude, ..] = args.scalar_arguments {
            check_constant(*latitude, *longitude, USAGE)?;
        }
        Ok(Arc::new(Field::new(NAME, DataType::Float64, true)))
    }

    /// Opens the file once for the plan.
    fn simplify(&self, args: Vec<Expr>, _: &SimplifyContext) -> Result<ExprSimplifyResult> {
        let constants: Option<Vec<&ScalarValue>> = args.iter().skip(2).map(literal).collect();
        let source = match (&self.source, constants) {
            (None, Some(constants)) => Source::open(&constants, self.files)?,
            _ => None,
        };
        let Some(source) = source else { return Ok(ExprSimplifyResult::Original(args)) };
        let opened = Sample { signature: self.signature.clone(), files: self.files, source: Some(source) };
        Ok(ExprSimplifyResult::Simplified(ScalarUDF::new_from_impl(opened).call(args)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [latitude, longitude, constants @ ..] = args.args.as_slice() else { return exec_err!("expected {USAGE}") };
        let opened;
        let source = match &self.source {
            Some(source) => source,
            None => {
                let constants: Option<Vec<&ScalarValue>> = constants.iter().map(scalar).collect();
                let Some(constants) = constants else {
                    return exec_err!("{NAME} takes one file, band and method for all rows");
                };
                match Source::open(&constants, self.files)? {
                    Some(source) => {
                        opened = source;
                        &opened
                    }
                    None => return Ok(ColumnarValue::Scalar(ScalarValue::Float64(None))),
                }
            }
        };
        let positions = Positions::new(latitude, longitude)?;
        let rows = (0..args.number_rows).map(|row| positions.get(row));
        let values = source.file.raster().sample(rows, source.band, source.method).map_err(|error| refused(&error))?;
        Ok(ColumnarValue::Array(Arc::new(Float64Array::from(values))))
    }
}

/// Returns the types to which the arguments of a call are cast; None for a wrong call. A fourth argument is a band or a method.
fn coerced(types: &[DataType]) -> Option<Vec<DataType>> {
    let is_number = |kind: &DataType| kind.is_numeric() || kind.is_null();
    let is_text = |kind: &DataType| match kind {
        DataType::Dictionary(_, value) => value.is_string(),
        kind => kind.is_string() || kind.is_null(),
    };
    let [latitude, longitude, file, more @ ..] = types else { return None };
    if !is_number(latitude) || !is_number(longitude) || !is_text(file) {
        return None;
    }
    let more = match more {
        [] => vec![],
        [band] if is_number(band) => vec![DataType::Int64],
        [method] if is_text(method) => vec![DataType::Utf8],
        [band, method] if is_number(band) && is_text(method) => vec![DataType::Int64, DataType::Utf8],
        _ => return None,
    };
    Some([vec![DataType::Float64, DataType::Float64, DataType::Utf8], more].concat())
}

fn literal(expr: &Expr) -> Option<&ScalarValue> {
    match expr {
        Expr::Literal(value, _) => Some(value),
        _ => None,
    }
}

fn scalar(argument: &ColumnarValue) -> Option<&ScalarValue> {
    match argument {
        ColumnarValue::Scalar(value) => Some(value),
        ColumnarValue::Array(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use isdb_testing::TestRaster;
    use tempfile::TempDir;

    use crate::session::context::{SessionOptions, session};
    use crate::session::files::UserFiles;
    use crate::testing::{answer, refused};

    /// Two bands of two by two pixels of one degree north-east of the equator and Greenwich.
    fn raster() -> (TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dem.tif");
        let values = vec![1.0, 2.0, 3.0, f32::NAN, 10.0, 20.0, 30.0, 40.0];
        let raster = TestRaster { bands: 2, ..TestRaster::degrees(2, 0.0, 2.0, 1.0, values) };
        std::fs::write(&path, raster.to_bytes()).unwrap();
        (folder, path.display().to_string())
    }

    const ROWS: &str = "(VALUES (1, 1.5, 0.5), (2, 1.5, 1.5), (3, 0.5, 1.5), (4, 5.0, 5.0), (5, NULL, 1.0), (6, 0.5, -359.5)) AS t(n, latitude, longitude)";

    #[tokio::test]
    async fn a_position_has_the_value_of_its_pixel() {
        let (_folder, path) = raster();
        let sql = format!(
            "SELECT n, sample(latitude, longitude, '{path}') AS a, sample(latitude, longitude, '{path}', 2) AS b FROM {ROWS} ORDER BY n"
        );
        assert_eq!(answer(&sql).await, "n|a|b;1|1.0|10.0;2|2.0|20.0;3||40.0;4||;5||;6|3.0|30.0");
        let single = format!(
            "SELECT sample(1, 1, '{path}', 2, 'bilinear') AS a, round(sample(1.2, 0.8, '{path}', 'bilinear'), 3) AS b, sample(1, 0.2, NULL) IS NULL AS c, sample(1.5, 0.2, '{path}', NULL) IS NULL AS d"
        );
        assert_eq!(answer(&single).await, "a|b|c|d;25.0|1.692|true|true");
    }

    #[tokio::test]
    async fn mistakes_are_named_with_the_correct_call() {
        let (folder, path) = raster();
        let problem =
            async |arguments: &str| refused(&format!("SELECT sample({arguments}) FROM (VALUES (1.0)) AS t(x)")).await;
        let (text, hint) = problem(&format!("x, x, '{path}', 3")).await;
        assert_eq!(text, format!("{path}: expected a band from 1 to 2, found 3"));
        assert_eq!(hint, "bands count from 1; `gdalinfo` lists them");
        let (text, hint) = problem(&format!("x, x, '{path}', 1, 'cubic'")).await;
        assert_eq!(text, "sample: expected 'nearest' or 'bilinear', found 'cubic'");
        assert!(hint.starts_with("nearest is the value of the pixel"), "{hint}");
        let (text, hint) = problem(&format!("125.5, x, '{path}'")).await;
        assert_eq!(text, "expected a latitude from -90 to 90, found 125.5");
        assert_eq!(hint, "latitude comes before longitude: write sample(latitude, longitude, 'file.tif')");
        for (arguments, found) in [("x, x", "Float64, Float64"), ("x, 'dem.tif', x", "Float64, Utf8, Float64")] {
            let (text, hint) = problem(arguments).await;
            assert_eq!(text, format!("sample: expected two numbers, a file, a band and a method, found {found}"));
            assert!(hint.ends_with("or sample(latitude, longitude, 'file.tif', 1, 'bilinear')"), "{hint}");
        }
        let missing = folder.path().join("none.tif");
        let (text, _) = problem(&format!("x, x, '{}'", missing.display())).await;
        assert!(text.contains("none.tif: it cannot be read"), "{text}");
        std::fs::write(&missing, "longitude,latitude,height\n").unwrap();
        let (text, hint) = problem(&format!("x, x, '{}'", missing.display())).await;
        assert!(text.ends_with("none.tif: expected a GeoTIFF, found another format"), "{text}");
        assert!(hint.contains("gdal_translate"), "{hint}");
    }

    #[tokio::test]
    async fn a_session_that_reads_no_files_samples_none() {
        let (_folder, path) = raster();
        let closed = session(&SessionOptions { files: UserFiles::Closed, ..SessionOptions::default() }).unwrap();
        for call in [format!("sample(x, x, '{path}')"), format!("raster_cell(x, x, '{path}')")] {
            let error = match closed.sql(&format!("SELECT {call} FROM (VALUES (1.0)) AS t(x)")).await {
                Ok(frame) => frame.collect().await.map(|_| ()).unwrap_err(),
                Err(error) => error,
            };
            assert!(error.to_string().contains("this session reads no files"), "{error}");
        }
    }
}
