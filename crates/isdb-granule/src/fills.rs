//! Which values of a variable mean "nothing measured".

use hdf5::AttrValue;
use isdb_schema::catalogue::{Fill, Variable};

use crate::scalar::{Scalar, to_double, to_int};

/// A float at or above this is no measurement, whatever the attributes say: the product's fill is the largest single.
const NO_MEASUREMENT: f64 = 3.4e38_f32 as f64;

/// The values of one variable that stand for NULL.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Fills {
    ints: Vec<i64>,
    floats: Vec<f64>,
}

impl Fills {
    /// The attribute `_FillValue`, the fill value of the dataset's creation and the catalogue's. Zero is a value, and so
    /// is the −1 that the catalogue lists as a flag.
    pub(crate) fn new(variable: &Variable, attribute: Option<&AttrValue>, property: Option<Scalar>) -> Self {
        let catalogue = variable.fill.map(|fill| match fill {
            Fill::Int(fill) => Scalar::Int(fill),
            Fill::Float(fill) => Scalar::Float(fill.into()),
        });
        // The integer that storage takes for a NULL element can be no value of a list.
        let element = variable.element_null().map(Scalar::Int);
        let minus_one = variable.flag_values.split_whitespace().any(|flag| flag == "-1");
        let is_value = |fill: f64| fill == 0.0 || (fill == -1.0 && minus_one);
        let mut fills = Self::default();
        for fill in [attribute.and_then(number), property, catalogue, element].into_iter().flatten() {
            // A fill counts in either form, since clip tools turn integers into floats.
            if let Some(int) = to_int(fill).filter(|&int: &i64| !is_value(int as f64) && !fills.ints.contains(&int)) {
                fills.ints.push(int);
            }
            if let Some(float) = to_double(fill).filter(|&float| !is_value(float) && !fills.is_float(float)) {
                fills.floats.push(float);
            }
        }
        fills
    }

    /// The integers that are fills.
    pub(crate) fn ints(&self) -> &[i64] {
        &self.ints
    }

    /// The floats that are fills besides those that are no measurement anyway.
    pub(crate) fn floats(&self) -> &[f64] {
        &self.floats
    }

    /// Whether the integer is a fill.
    pub(crate) fn is_int(&self, value: i64) -> bool {
        self.ints.contains(&value)
    }

    /// Whether the float is a fill or no measurement.
    pub(crate) fn is_float(&self, value: f64) -> bool {
        is_no_measurement(value) || self.floats.contains(&value)
    }
}

/// Whether the float is NaN or as large as the product's fill.
pub(crate) fn is_no_measurement(value: f64) -> bool {
    value.is_nan() || value >= NO_MEASUREMENT
}

fn number(attribute: &AttrValue) -> Option<Scalar> {
    attribute.as_i64().map(Scalar::Int).or_else(|| attribute.as_f64().map(Scalar::Float))
}
