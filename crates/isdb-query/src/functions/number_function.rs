//! Functions of numbers that are computed row by row.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::Float64Array;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

use super::positions::{Numbers, number, numbers};
use crate::error::Error;

/// The definition of a function.
#[derive(Clone, Copy, Debug)]
pub(super) struct NumberFunction {
    pub(super) name: &'static str,
    /// The names of its arguments, which are numbers.
    pub(super) arguments: &'static [&'static str],
    pub(super) returns: Returns,
    /// Returns the result of a row in which no argument is NULL; None is NULL.
    pub(super) compute: fn(&[f64]) -> Option<f64>,
    /// Returns what is expected and found, if the constants among the arguments are wrong.
    pub(super) problem: fn(&[Option<f64>]) -> Option<String>,
}

/// The type of a result.
#[derive(Clone, Copy, Debug)]
pub(super) enum Returns {
    /// DOUBLE.
    Double,
    /// INT.
    Int,
}

impl Returns {
    fn arrow(self) -> DataType {
        match self {
            Self::Double => DataType::Float64,
            Self::Int => DataType::Int32,
        }
    }
}

/// A function that accepts all constants.
pub(super) fn any_constants(_: &[Option<f64>]) -> Option<String> {
    None
}

impl NumberFunction {
    /// Creates the function: NULL if an argument is NULL.
    pub(super) fn function(self) -> ScalarUDF {
        ScalarUDF::new_from_impl(Implementation { signature: numbers(self.arguments), definition: self })
    }

    fn usage(&self) -> String {
        format!("{}({})", self.name, self.arguments.join(", "))
    }
}

#[derive(Debug)]
struct Implementation {
    signature: Signature,
    definition: NumberFunction,
}

// A name has one definition.
impl PartialEq for Implementation {
    fn eq(&self, other: &Self) -> bool {
        self.definition.name == other.definition.name
    }
}

impl Eq for Implementation {}

impl Hash for Implementation {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.definition.name.hash(state);
    }
}

impl ScalarUDFImpl for Implementation {
    fn name(&self) -> &'static str {
        self.definition.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.definition.returns.arrow())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let constants: Vec<_> = args.scalar_arguments.iter().map(|value| value.and_then(number)).collect();
        if let Some(problem) = (self.definition.problem)(&constants) {
            let problem = format!("{}: {problem}", self.definition.name);
            return Err(Error::statement(problem, format!("write {}", self.definition.usage())).into());
        }
        Ok(Arc::new(Field::new(self.name(), self.definition.returns.arrow(), true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = args.args.iter().map(Numbers::new).collect::<Result<Vec<_>>>()?;
        let mut values = vec![0.0; columns.len()];
        let result = (0..args.number_rows).map(|row| {
            for (value, column) in values.iter_mut().zip(&columns) {
                *value = column.get(row)?;
            }
            (self.definition.compute)(&values)
        });
        let result: Float64Array = result.collect();
        Ok(ColumnarValue::Array(cast(&result, &self.definition.returns.arrow())?))
    }
}
