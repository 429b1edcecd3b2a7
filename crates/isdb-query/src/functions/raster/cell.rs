//! The SQL functions `raster_cell(latitude, longitude, 'file.tif')`, the number of the pixel around a position, and the position of the centre of
//! a pixel, `raster_latitude(cell, 'file.tif')` and `raster_longitude(cell, 'file.tif')`: the pixels of a raster as the cells of a grid.

use std::sync::Arc;

use arrow::array::{Array, AsArray, Float64Array, Int64Array};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::file::RasterFile;
use crate::functions::positions::{Positions, check_constant};
use crate::session::files::UserFiles;

pub(crate) const CELL_USAGE: &str = "raster_cell(latitude, longitude, 'file.tif')";

/// Creates `raster_cell`: pixels are numbered row by row from 0, from the first pixel of the file; NULL outside of the raster, and if an
/// argument is NULL.
pub(in crate::functions) fn raster_cell_function(files: UserFiles) -> ScalarUDF {
    function(Answer::Cell, files)
}

/// Creates `raster_latitude`: the latitude of the centre of a pixel; NULL for a number that no pixel has.
pub(in crate::functions) fn raster_latitude_function(files: UserFiles) -> ScalarUDF {
    function(Answer::Latitude, files)
}

/// Creates `raster_longitude`: the longitude of the centre of a pixel; NULL for a number that no pixel has.
pub(in crate::functions) fn raster_longitude_function(files: UserFiles) -> ScalarUDF {
    function(Answer::Longitude, files)
}

fn function(answer: Answer, files: UserFiles) -> ScalarUDF {
    let (types, names): (Vec<DataType>, &[&str]) = match answer {
        Answer::Cell => {
            (vec![DataType::Float64, DataType::Float64, DataType::Utf8], &["latitude", "longitude", "file"])
        }
        Answer::Latitude | Answer::Longitude => (vec![DataType::Int64, DataType::Utf8], &["cell", "file"]),
    };
    let exact = Signature::exact(types, Volatility::Stable);
    let signature = Signature { parameter_names: Some(names.iter().map(|name| (*name).to_owned()).collect()), ..exact };
    ScalarUDF::new_from_impl(RasterCell { signature, answer, files, file: None })
}

/// What a function returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Answer {
    /// The number of the pixel around a position.
    Cell,
    /// A coordinate of the centre of a pixel.
    Latitude,
    Longitude,
}

/// A function, before and after planning has opened the file.
#[derive(Debug, PartialEq, Eq, Hash)]
struct RasterCell {
    signature: Signature,
    answer: Answer,
    files: UserFiles,
    file: Option<RasterFile>,
}

impl RasterCell {
    fn data_type(&self) -> DataType {
        match self.answer {
            Answer::Cell => DataType::Int64,
            Answer::Latitude | Answer::Longitude => DataType::Float64,
        }
    }
}

impl ScalarUDFImpl for RasterCell {
    fn name(&self) -> &'static str {
        match self.answer {
            Answer::Cell => "raster_cell",
            Answer::Latitude => "raster_latitude",
            Answer::Longitude => "raster_longitude",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.data_type())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        if let [latitude, longitude, _] = args.scalar_arguments {
            check_constant(*latitude, *longitude, CELL_USAGE)?;
        }
        Ok(Arc::new(Field::new(self.name(), self.data_type(), true)))
    }

    /// Opens the file once for the plan.
    fn simplify(&self, args: Vec<Expr>, _: &SimplifyContext) -> Result<ExprSimplifyResult> {
        let file = match (&self.file, args.last()) {
            (None, Some(Expr::Literal(name, _))) => RasterFile::open(name, self.files)?,
            _ => None,
        };
        let Some(file) = file else { return Ok(ExprSimplifyResult::Original(args)) };
        let (signature, file) = (self.signature.clone(), Some(file));
        let opened = RasterCell { signature, answer: self.answer, files: self.files, file };
        Ok(ExprSimplifyResult::Simplified(ScalarUDF::new_from_impl(opened).call(args)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [places @ .., ColumnarValue::Scalar(name)] = args.args.as_slice() else {
            return exec_err!("{} takes one file for all rows", self.name());
        };
        let file = match &self.file {
            Some(file) => Some(file.clone()),
            None => RasterFile::open(name, self.files)?,
        };
        let Some(file) = file else { return Ok(ColumnarValue::Scalar(ScalarValue::try_from(&self.data_type())?)) };
        let grid = file.raster().grid();
        match places {
            [latitude, longitude] => {
                let positions = Positions::new(latitude, longitude)?;
                let cell = |row| {
                    let (latitude, longitude) = positions.get(row)?;
                    i64::try_from(grid.cell(latitude, longitude)?).ok()
                };
                Ok(ColumnarValue::Array(Arc::new((0..args.number_rows).map(cell).collect::<Int64Array>())))
            }
            [cells] => {
                let cells = cells.to_array(args.number_rows)?;
                let cells = cells.as_primitive::<Int64Type>();
                let coordinate = |row| {
                    let cell = cells.is_valid(row).then(|| cells.value(row))?;
                    let (latitude, longitude) = grid.centre(u64::try_from(cell).ok()?)?;
                    Some(if self.answer == Answer::Latitude { latitude } else { longitude })
                };
                Ok(ColumnarValue::Array(Arc::new((0..args.number_rows).map(coordinate).collect::<Float64Array>())))
            }
            _ => exec_err!("expected {CELL_USAGE}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use isdb_testing::TestRaster;

    use crate::testing::answer;

    #[tokio::test]
    async fn cells_count_by_row_and_have_a_centre() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dem.tif");
        std::fs::write(&path, TestRaster::degrees(3, 10.0, 2.0, 0.5, vec![0.0; 12]).to_bytes()).unwrap();
        let sql = format!(
            "SELECT cell, raster_latitude(cell, '{path}') AS lat, raster_longitude(cell => cell, file => '{path}') AS lon \
             FROM (SELECT raster_cell(latitude, longitude, '{path}') AS cell \
             FROM (VALUES (2.0, 10.0), (1.99, 11.49), (0.01, 11.4), (0.0, 11.4), (NULL, 10.0)) AS t(latitude, longitude)) ORDER BY cell",
            path = path.display()
        );
        assert_eq!(answer(&sql).await, "cell|lat|lon;0|1.75|10.25;2|1.75|11.25;11|0.25|11.25;||;||");
        let none = format!(
            "SELECT raster_latitude(12, '{0}') IS NULL AS a, raster_latitude(-1, '{0}') IS NULL AS b, raster_cell(1, 10, NULL) IS NULL AS c",
            path.display()
        );
        assert_eq!(answer(&none).await, "a|b|c;true|true|true");
    }
}
