//! Singles compared with decimals that no single is: `canopy_h = 41.472694` finds nothing, even where a query has printed just
//! that, since the column is compared as a double.

use arrow::datatypes::DataType;

use super::comparison::Comparison;
use super::constant::{constant, number, written};
use super::{View, Warning};

pub(super) fn check(comparison: &Comparison<'_>, view: &View<'_>) -> Option<Warning> {
    let column = comparison.column().filter(|_| comparison.is_of_values())?;
    let values = comparison.with.iter().filter_map(|value| constant(value));
    #[expect(clippy::cast_possible_truncation, reason = "whether something is lost is what is asked")]
    let is_single = |double: f64| f64::from(double as f32) == double;
    let value = values.into_iter().find(|value| number(value).is_some_and(|double| !is_single(double)))?;
    let is_double_literal = value.data_type() == DataType::Float64;
    let origin = (view.origin)(column).filter(|_| is_double_literal)?;
    (origin.kind == DataType::Float32).then(|| {
        let (name, value) = (&column.name, written(&value));
        Warning {
            text: format!("no {name} is exactly {value}: it is stored in single precision, with about 7 digits"),
            hint: format!("write abs({name} - {value}) < 0.0001, or {name} {} CAST({value} AS REAL)", comparison.op),
        }
    })
}
