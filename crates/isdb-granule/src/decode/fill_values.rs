//! The values of a variable that become NULL: its fills, and floats that are not measurements.

use hdf5::AttrValue;
use isdb_schema::catalogue::{Fill, Variable};

use crate::decode::scalar::{Scalar, to_double, to_int};

/// A float at or above this is not a measurement, even without a fill attribute: the product's fill is the largest single.
const NO_MEASUREMENT: f64 = 3.4e38_f32 as f64;

/// The values of one variable that mean NULL.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct FillValues {
    ints: Vec<i64>,
    floats: Vec<f64>,
}

impl FillValues {
    /// The fills of `variable`: the `attribute` `_FillValue`, the `property` with the fill value from the dataset's creation,
    /// the catalogue's fill, and the integer that storage writes for a NULL element. Zero is always a value, and so is the −1
    /// that the catalogue lists as a flag.
    pub(crate) fn new(variable: &Variable, attribute: Option<&AttrValue>, property: Option<Scalar>) -> Self {
        let catalogue = variable.fill.map(|fill| match fill {
            Fill::Int(fill) => Scalar::Int(fill),
            Fill::Float(fill) => Scalar::Float(fill.into()),
        });
        // Storage writes this integer for a NULL element of a list, so it cannot be a value there.
        let element = variable.element_null().map(Scalar::Int);
        let minus_one = variable.flag_values.split_whitespace().any(|flag| flag == "-1");
        let is_value = |fill: f64| fill == 0.0 || (fill == -1.0 && minus_one);
        let mut fills = Self::default();
        for fill in [attribute.and_then(number), property, catalogue, element].into_iter().flatten() {
            // A fill counts as integer and as float, because clip tools turn integers into floats.
            if let Some(int) = to_int(fill).filter(|&int: &i64| !is_value(int as f64) && !fills.ints.contains(&int)) {
                fills.ints.push(int);
            }
            if let Some(float) = to_double(fill).filter(|&float| !is_value(float) && !fills.is_null_float(float)) {
                fills.floats.push(float);
            }
        }
        fills
    }

    /// The integers that are fills.
    pub(crate) fn ints(&self) -> &[i64] {
        &self.ints
    }

    /// The floats that are fills and not already covered by [`is_not_measured`].
    pub(crate) fn floats(&self) -> &[f64] {
        &self.floats
    }

    /// Whether the integer becomes NULL.
    pub(crate) fn is_null_int(&self, value: i64) -> bool {
        self.ints.contains(&value)
    }

    /// Whether the float becomes NULL: a fill, or not a measurement.
    pub(crate) fn is_null_float(&self, value: f64) -> bool {
        is_not_measured(value) || self.floats.contains(&value)
    }
}

/// Whether the float is NaN or as large as the product's fill.
pub(crate) fn is_not_measured(value: f64) -> bool {
    value.is_nan() || value >= NO_MEASUREMENT
}

fn number(attribute: &AttrValue) -> Option<Scalar> {
    attribute.as_i64().map(Scalar::Int).or_else(|| attribute.as_f64().map(Scalar::Float))
}
