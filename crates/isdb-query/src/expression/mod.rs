//! Binds SQL expressions over one segment, from configs and presets: parses them, checks them and resolves their columns, so
//! that every mistake is reported with its location before anything is read.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{RecordBatch, new_null_array};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, DataFusionError, SchemaError};
use datafusion::logical_expr::{Expr, ExprSchemable, Volatility};
use datafusion::prelude::SessionContext;
use isdb_schema::catalogue::variables;
use isdb_schema::columns::granule_fields;
use isdb_schema::expression::Expression;
use isdb_schema::segments::segment_fields;
use isdb_schema::suggest::{did_you_mean, missing_column};

use crate::error::{Error, Result};
use crate::session::context::{SessionOptions, session};
use crate::session::files::UserFiles;
use crate::statement::error_hint::error_hint;
use crate::statement::error_message::error_message;
use crate::statement::lint::column_origin::ColumnOrigin;
use crate::statement::lint::node_warnings;
use crate::statement::lint::warning::Warning;
use crate::statement::name_parts;
pub use location::expression_error;
use location::{line_and_column, position_of, position_of_sign, quoted_name};
pub use physical::physical_expression;

mod location;
mod physical;
#[cfg(test)]
mod tests;

/// An expression whose names and types have been checked.
#[derive(Clone, Debug, PartialEq)]
pub struct BoundExpression {
    /// The expression, which refers to columns by their product names.
    pub expr: Expr,
    /// Names of the columns that the expression uses, in alphabetical order.
    pub columns: Vec<String>,
    /// Type of its value.
    pub data_type: DataType,
    /// Warnings about forms that are probably not intended.
    pub warnings: Vec<Warning>,
}

/// Binds expressions to a set of columns.
pub struct ExpressionBinder {
    context: SessionContext,
    schema: DFSchema,
    /// Product names by plain name.
    plain_names: BTreeMap<String, String>,
    /// Names of derived columns, which an expression cannot use.
    derived: Vec<String>,
}

impl ExpressionBinder {
    /// Creates a binder for the columns that an ingest can use: all variables of the product and the columns of a granule.
    pub fn for_product() -> Result<ExpressionBinder> {
        let all: Vec<_> = variables().iter().collect();
        let mut fields = segment_fields(&all);
        fields.extend(granule_fields());
        let plain_names: BTreeMap<String, String> =
            all.iter().filter_map(|variable| Some((variable.plain?.to_owned(), variable.name.to_owned()))).collect();
        for (name, column) in &plain_names {
            let product = fields.iter().find(|field| field.name() == column).map(|field| field.clone().with_name(name));
            fields.extend(product);
        }
        ExpressionBinder::new(fields, plain_names)
    }

    /// Creates a binder for the columns of a table, which a query can use.
    pub fn for_table(schema: &Schema) -> Result<ExpressionBinder> {
        let fields = schema.fields().iter().map(|field| field.as_ref().clone()).collect();
        ExpressionBinder::new(fields, BTreeMap::new())
    }

    fn new(fields: Vec<Field>, plain_names: BTreeMap<String, String>) -> Result<ExpressionBinder> {
        // All columns are nullable here. Otherwise a test for NULL would be simplified away for a column that has no NULL in whole
        // granules.
        let fields: Vec<Field> = fields.into_iter().map(|field| field.with_nullable(true)).collect();
        let schema = DFSchema::try_from(Schema::new(fields))?;
        // The SQL of an expression is recorded, but not the content of a file that it would name.
        let context = session(&SessionOptions { files: UserFiles::Closed, ..SessionOptions::default() })?;
        Ok(ExpressionBinder { context, schema, plain_names, derived: Vec::new() })
    }

    /// Adds the names of derived columns: an expression that uses one is refused with an explanation.
    #[must_use]
    pub fn with_derived(self, derived: &[Expression]) -> ExpressionBinder {
        ExpressionBinder { derived: derived.iter().map(|expression| expression.name.clone()).collect(), ..self }
    }

    /// Binds an expression that is a predicate.
    ///
    /// # Errors
    /// The errors of [`bind`](Self::bind), and [`Error::Expression`] for an expression that is not boolean.
    pub fn bind_predicate(&self, expression: &Expression) -> Result<BoundExpression> {
        let bound = self.bind(expression)?;
        match bound.data_type {
            DataType::Boolean => Ok(bound),
            other => Err(expression_error(
                expression,
                (1, 1),
                format!("a filter must be TRUE or FALSE, and this is {other}"),
            )),
        }
    }

    /// Binds an expression.
    ///
    /// # Errors
    /// [`Error::Expression`] for invalid SQL, unknown names and functions, and types that do not match.
    pub fn bind(&self, expression: &Expression) -> Result<BoundExpression> {
        let explain = |error: DataFusionError| self.explain(expression, &error);
        if let Err(Error::Statement { problem, .. }) = name_parts::check(&expression.sql) {
            return Err(expression_error(expression, (1, 1), problem));
        }
        let parsed = self.context.parse_sql_expr(&expression.sql, &self.schema).map_err(explain)?;
        if parsed.exists(|part| Ok(uses_many_rows(part))).map_err(explain)? {
            let problem = "an expression is over one segment at a time: no aggregate, window or subquery";
            return Err(expression_error(expression, (1, 1), problem.to_owned()));
        }
        if let Some((at, problem)) = self.find_unlike_types(&parsed).map_err(explain)? {
            return Err(expression_error(expression, position_of(&at, &expression.sql), problem));
        }
        let warnings = self.warnings(expression, &parsed)?;
        if let Some(function) = volatile_function(&parsed).map_err(explain)? {
            let problem = format!("{function} does not give the same result every time");
            return Err(expression_error(expression, position_of(&function, &expression.sql), problem));
        }
        let expr = parsed.transform(|part| Ok(self.by_product_name(part))).map_err(explain)?.data.unalias();
        let physical = physical_expression(&self.context, &self.schema, expr.clone()).map_err(explain)?;
        // Evaluating the expression over NULLs finds literals that cannot be cast to the type of their column.
        let fields = self.schema.as_arrow().fields();
        let nulls = fields.iter().map(|field| new_null_array(field.data_type(), 1)).collect();
        let nulls =
            RecordBatch::try_new(Arc::clone(self.schema.inner()), nulls).map_err(|error| explain(error.into()))?;
        physical.evaluate(&nulls).map_err(explain)?;
        let data_type = physical.data_type(self.schema.as_arrow()).map_err(explain)?;
        let mut columns: Vec<String> = expr.column_refs().into_iter().map(|column| column.name.clone()).collect();
        columns.sort_unstable();
        Ok(BoundExpression { expr, columns, data_type, warnings })
    }

    /// Returns the warnings that the same SQL gives in a query, and refuses what a query refuses, such as codes that the product
    /// does not have.
    fn warnings(&self, expression: &Expression, parsed: &Expr) -> Result<Vec<Warning>> {
        let origin = |column: &Column| {
            let name = self.plain_names.get(&column.name).unwrap_or(&column.name);
            let field = self.schema.field_with_unqualified_name(name).ok()?;
            Some(ColumnOrigin { column: name.clone(), data_type: field.data_type().clone(), is_in_ledger: false })
        };
        let (mut found, mut refused) = (Vec::new(), Ok(()));
        parsed.apply(|part| {
            let at = |text: String, hint: &str| {
                let column = part.column_refs().into_iter().map(|column| column.name.clone()).min();
                expression_error(expression, position_of(&column.unwrap_or_default(), &expression.sql), text + hint)
            };
            match node_warnings(part, &self.schema, &origin) {
                Ok(warnings) => found.extend(
                    warnings.into_iter().map(|warning| Warning { text: at(warning.text, "").to_string(), ..warning }),
                ),
                Err(Error::Statement { problem, hint }) => refused = Err(at(problem, &format!("; {hint}"))),
                Err(error) => refused = Err(error),
            }
            Ok(if refused.is_ok() { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
        })?;
        refused.map(|()| found)
    }

    /// Finds a comparison of a number with text, which SQL would compare as text: `h_canopy > '5'` would be false for 40 and
    /// 300. Returns the column and the problem.
    fn find_unlike_types(&self, parsed: &Expr) -> datafusion::common::Result<Option<(String, String)>> {
        let mut found = None;
        parsed.apply(|part| {
            let (left, others): (&Expr, Vec<&Expr>) = match part {
                Expr::BinaryExpr(binary) if binary.op.supports_propagation() => (&binary.left, vec![&binary.right]),
                Expr::Between(between) => (&between.expr, vec![&between.low, &between.high]),
                Expr::InList(list) => (&list.expr, list.list.iter().collect()),
                _ => return Ok(TreeNodeRecursion::Continue),
            };
            let left_type = left.get_type(&self.schema)?;
            for other in others {
                let other_type = other.get_type(&self.schema)?;
                if (left_type.is_numeric() && is_text(&other_type)) || (is_text(&left_type) && other_type.is_numeric())
                {
                    let name = [left, other].iter().flat_map(|side| side.column_refs()).next().map(|c| c.name.clone());
                    found = Some((
                        name.unwrap_or_default(),
                        format!("{left} and {other}: one is a number, the other a text"),
                    ));
                    return Ok(TreeNodeRecursion::Stop);
                }
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(found)
    }

    /// Replaces a plain name with the product name.
    fn by_product_name(&self, part: Expr) -> Transformed<Expr> {
        match &part {
            Expr::Column(column) => match self.plain_names.get(&column.name) {
                Some(name) => Transformed::yes(Expr::Column(Column::from_name(name))),
                None => Transformed::no(part),
            },
            _ => Transformed::no(part),
        }
    }

    /// Converts an error of DataFusion to an [`Error::Expression`] with its location.
    fn explain(&self, expression: &Expression, error: &DataFusionError) -> Error {
        match error.find_root() {
            DataFusionError::SchemaError(unknown, _) => match unknown.as_ref() {
                SchemaError::FieldNotFound { field, .. } => expression_error(
                    expression,
                    position_of(&field.name, &expression.sql),
                    self.unknown_column(&field.name),
                ),
                other => expression_error(expression, (1, 1), other.to_string()),
            },
            DataFusionError::SQL(error, _) => {
                let text = error.to_string();
                let text = text.trim_start_matches("sql parser error: ");
                match text.rsplit_once(" at Line: ") {
                    Some((problem, at)) => expression_error(expression, line_and_column(at), problem.to_owned()),
                    None => expression_error(expression, (1, 1), text.to_owned()),
                }
            }
            other => {
                let message = error_message(other);
                let at = match message.contains("^ ") {
                    true => position_of_sign('^', &expression.sql),
                    false => position_of(quoted_name(&message).unwrap_or_default(), &expression.sql),
                };
                match error_hint(other) {
                    Some(hint) => expression_error(expression, at, format!("{message}; {hint}")),
                    None => expression_error(expression, at, message),
                }
            }
        }
    }

    /// Describes a column that does not exist, with similar names.
    fn unknown_column(&self, name: &str) -> String {
        if self.derived.iter().any(|derived| derived == name) {
            return format!("{name} is a derived column; only columns of the product can be used here");
        }
        missing_column(name).unwrap_or_else(|| {
            let known = self.schema.fields().iter().map(|field| field.name().as_str());
            format!("no column is called {name}{}", did_you_mean(name, known))
        })
    }
}

/// Returns the name of the first function whose result depends on more than its arguments, such as the time: results must not
/// change between runs.
fn volatile_function(parsed: &Expr) -> datafusion::common::Result<Option<String>> {
    let mut found = None;
    parsed.apply(|part| match part {
        Expr::ScalarFunction(call) if call.func.signature().volatility != Volatility::Immutable => {
            found = Some(call.func.name().to_owned());
            Ok(TreeNodeRecursion::Stop)
        }
        _ => Ok(TreeNodeRecursion::Continue),
    })?;
    Ok(found)
}

/// Whether `part` is an aggregate, a window function or a subquery.
fn uses_many_rows(part: &Expr) -> bool {
    matches!(
        part,
        Expr::AggregateFunction(_)
            | Expr::WindowFunction(_)
            | Expr::ScalarSubquery(_)
            | Expr::InSubquery(_)
            | Expr::Exists(_)
    )
}

fn is_text(kind: &DataType) -> bool {
    match kind {
        DataType::Dictionary(_, value) => value.is_string(),
        kind => kind.is_string(),
    }
}
