//! A function that computes one row at a time from geometries, numbers and texts.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int32Array, StringArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, plan_err};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use geo::Geometry;

use super::arguments::{Argument, ArgumentRows, Value};
use super::pushdown::Pushed;
use crate::error::Error;
use crate::geometry::{GeometryBuilder, geometry_field};

/// What planning makes of a call with these arguments, if anything.
pub(super) type PushDown = fn(&[Expr]) -> Option<Pushed>;
/// The geometry of a row, NULL, or what is wrong with its arguments.
pub(super) type GeometryResult = std::result::Result<Option<Geometry<f64>>, String>;

/// The definition of a function.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) name: &'static str,
    /// Other names of the function.
    pub(super) aliases: &'static [&'static str],
    /// The names and kinds of its arguments.
    pub(super) arguments: &'static [(&'static str, Argument)],
    /// How it is called, in hints.
    pub(super) usage: &'static str,
    /// The result of a row in which no argument is NULL.
    pub(super) compute: Compute,
    /// A condition that contains this call, or replaces it, and reaches an array.
    pub(super) pushdown: Option<PushDown>,
}

/// What a function returns, and its result for one row; `None` is NULL.
#[derive(Clone, Copy, Debug)]
pub(super) enum Compute {
    Geometry(fn(&[Value]) -> GeometryResult),
    Double(fn(&[Value]) -> Option<f64>),
    Int(fn(&[Value]) -> Option<i32>),
    Boolean(fn(&[Value]) -> Option<bool>),
    Text(fn(&[Value]) -> Option<String>),
}

impl Definition {
    /// Creates the function: NULL if an argument is NULL.
    pub(super) fn function(&'static self) -> ScalarUDF {
        self.with_ranges(false)
    }

    fn with_ranges(&'static self, has_ranges: bool) -> ScalarUDF {
        let names = self.arguments.iter().map(|(name, _)| (*name).to_owned()).collect();
        let signature = Signature { parameter_names: Some(names), ..Signature::user_defined(Volatility::Immutable) };
        let aliases = self.aliases.iter().map(|alias| (*alias).to_owned()).collect();
        ScalarUDF::new_from_impl(GeometryFunction { definition: self, signature, aliases, has_ranges })
    }

    fn problem(&self, problem: &str) -> Error {
        Error::statement(format!("{}: {problem}", self.name), format!("write {}", self.usage))
    }
}

/// The function, before and after planning has added ranges.
#[derive(Debug)]
struct GeometryFunction {
    definition: &'static Definition,
    signature: Signature,
    aliases: Vec<String>,
    has_ranges: bool,
}

// A name has one definition.
impl PartialEq for GeometryFunction {
    fn eq(&self, other: &Self) -> bool {
        (self.definition.name, self.has_ranges) == (other.definition.name, other.has_ranges)
    }
}

impl Eq for GeometryFunction {}

impl Hash for GeometryFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.definition.name, self.has_ranges).hash(state);
    }
}

impl ScalarUDFImpl for GeometryFunction {
    fn name(&self) -> &'static str {
        self.definition.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let expected = self.definition.arguments;
        if types.len() != expected.len() {
            let problem = format!("expected {} arguments, found {}", expected.len(), types.len());
            return Err(self.definition.problem(&problem).into());
        }
        let coerced = expected.iter().zip(types).map(|((name, kind), found)| {
            kind.coerce(found).map_err(|problem| self.definition.problem(&format!("{name}: {problem}")).into())
        });
        coerced.collect()
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        plan_err!("the field of {} depends on its arguments", self.definition.name)
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let definition = self.definition;
        let field = |kind| Field::new(definition.name, kind, true);
        Ok(Arc::new(match definition.compute {
            Compute::Geometry(_) => geometry_field(definition.name),
            Compute::Double(_) => field(DataType::Float64),
            Compute::Int(_) => field(DataType::Int32),
            Compute::Boolean(_) => field(DataType::Boolean),
            Compute::Text(_) => field(DataType::Utf8),
        }))
    }

    fn simplify(&self, args: Vec<Expr>, _: &SimplifyContext) -> Result<ExprSimplifyResult> {
        let pushed = self.definition.pushdown.filter(|_| !self.has_ranges).and_then(|pushdown| pushdown(&args));
        Ok(match pushed {
            None => ExprSimplifyResult::Original(args),
            Some(Pushed::Equal(expr)) => ExprSimplifyResult::Simplified(expr),
            Some(Pushed::Within(ranges)) => {
                ExprSimplifyResult::Simplified(ranges.and(self.definition.with_ranges(true).call(args)))
            }
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_constant = args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if is_constant { 1 } else { args.number_rows };
        let kinds = self.definition.arguments.iter().map(|(_, kind)| *kind);
        let columns = kinds.zip(&args.args).map(|(kind, argument)| ArgumentRows::new(kind, argument));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let values = (0..rows).map(|row| columns.iter().map(|column| column.get(row)).collect::<Option<Vec<_>>>());
        let column: ArrayRef = match self.definition.compute {
            Compute::Geometry(compute) => {
                let mut geometries = GeometryBuilder::default();
                for values in values {
                    let geometry = values.map_or(Ok(None), |values| compute(&values));
                    let wrong = |problem: String| exec_datafusion_err!("{}: {problem}", self.definition.name);
                    geometries.append(geometry.map_err(wrong)?.as_ref());
                }
                Arc::new(geometries.finish())
            }
            Compute::Double(compute) => Arc::new(values.map(|row| compute(&row?)).collect::<Float64Array>()),
            Compute::Int(compute) => Arc::new(values.map(|row| compute(&row?)).collect::<Int32Array>()),
            Compute::Boolean(compute) => Arc::new(values.map(|row| compute(&row?)).collect::<BooleanArray>()),
            Compute::Text(compute) => Arc::new(values.map(|row| compute(&row?)).collect::<StringArray>()),
        };
        match is_constant {
            true => Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&column, 0)?)),
            false => Ok(ColumnarValue::Array(column)),
        }
    }
}
