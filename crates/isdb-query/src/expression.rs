//! SQL expressions over one segment, as configs and presets write them: parsed, checked and bound to columns, so that every
//! mistake is told where it stands before anything is read.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{RecordBatch, new_null_array};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, DataFusionError, SchemaError};
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Expr, ExprSchemable, Volatility};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::prelude::SessionContext;
use isdb_schema::catalogue::variables;
use isdb_schema::columns::granule_fields;
use isdb_schema::expression::Expression;
use isdb_schema::segments::segment_fields;
use isdb_schema::suggest::{did_you_mean, missing_column};

use crate::error::{Error, Result};
use crate::session::context::session;
use crate::statement::advice::advice;
use crate::statement::lint::{Origin, Warning, of_part};
use crate::statement::name_parts;
use crate::statement::problem::problem;

/// An expression whose names and types are right.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// The expression over the columns' own names.
    pub expr: Expr,
    /// The columns that it looks at, in alphabetical order.
    pub columns: Vec<String>,
    /// The type of its value.
    pub data_type: DataType,
    /// What it may not mean.
    pub warnings: Vec<Warning>,
}

/// The names that expressions may use, and their types.
pub struct Scope {
    context: SessionContext,
    schema: DFSchema,
    /// Plain names and the columns that they stand for.
    plain: BTreeMap<String, String>,
    /// Columns that are derived beside these, and cannot be looked at.
    derived: Vec<String>,
}

impl Scope {
    /// Everything the product tells of a segment and its granule: what an ingest can look at.
    pub fn of_product() -> Result<Scope> {
        let all: Vec<_> = variables().iter().collect();
        let mut fields = segment_fields(&all);
        fields.extend(granule_fields());
        let plain: BTreeMap<String, String> =
            all.iter().filter_map(|variable| Some((variable.plain?.to_owned(), variable.name.to_owned()))).collect();
        for (name, column) in &plain {
            let product = fields.iter().find(|field| field.name() == column).map(|field| field.clone().with_name(name));
            fields.extend(product);
        }
        Scope::new(fields, plain)
    }

    /// The columns of a table: what a query can look at.
    pub fn of_table(schema: &Schema) -> Result<Scope> {
        let fields = schema.fields().iter().map(|field| field.as_ref().clone()).collect();
        Scope::new(fields, BTreeMap::new())
    }

    fn new(fields: Vec<Field>, plain: BTreeMap<String, String>) -> Result<Scope> {
        // A predicate that looks at NULLs must not be simplified away because a column has none in whole granules.
        let fields: Vec<Field> = fields.into_iter().map(|field| field.with_nullable(true)).collect();
        let schema = DFSchema::try_from(Schema::new(fields))?;
        Ok(Scope { context: session(None), schema, plain, derived: Vec::new() })
    }

    /// The same beside columns that are derived of these names.
    pub fn beside(self, derived: &[Expression]) -> Scope {
        Scope { derived: derived.iter().map(|expression| expression.name.clone()).collect(), ..self }
    }

    /// The expression as a predicate.
    ///
    /// # Errors
    /// [`Error::Expression`] also for what is neither TRUE nor FALSE.
    pub fn predicate(&self, expression: &Expression) -> Result<Bound> {
        let bound = self.bind(expression)?;
        match bound.data_type {
            DataType::Boolean => Ok(bound),
            other => Err(wrong(expression, (1, 1), format!("a filter must be TRUE or FALSE, and this is {other}"))),
        }
    }

    /// The expression as a value.
    ///
    /// # Errors
    /// [`Error::Expression`] for SQL that cannot be read, names and functions that are not known, and types that do not fit.
    pub fn bind(&self, expression: &Expression) -> Result<Bound> {
        let told = |error: DataFusionError| self.explain(expression, &error);
        if let Err(Error::Statement { problem, .. }) = name_parts::check(&expression.sql) {
            return Err(wrong(expression, (1, 1), problem));
        }
        let parsed = self.context.parse_sql_expr(&expression.sql, &self.schema).map_err(told)?;
        if parsed.exists(|part| Ok(is_of_many_rows(part))).map_err(told)? {
            let problem = "an expression looks at one segment at a time: no aggregate, window or subquery";
            return Err(wrong(expression, (1, 1), problem.to_owned()));
        }
        if let Some((at, problem)) = self.unlike_types(&parsed).map_err(told)? {
            return Err(wrong(expression, position_of(&at, &expression.sql), problem));
        }
        let warnings = self.doubts(expression, &parsed)?;
        if let Some(function) = changing(&parsed).map_err(told)? {
            let problem = format!("{function} does not give the same result every time");
            return Err(wrong(expression, position_of(&function, &expression.sql), problem));
        }
        let expr = parsed.transform(|part| Ok(self.by_own_name(part))).map_err(told)?.data.unalias();
        let physical = physical(&self.context, &self.schema, expr.clone()).map_err(told)?;
        // A literal that cannot be what it is compared with is found out by evaluating, if only over NULLs.
        let fields = self.schema.as_arrow().fields();
        let nulls = fields.iter().map(|field| new_null_array(field.data_type(), 1)).collect();
        let nulls = RecordBatch::try_new(Arc::clone(self.schema.inner()), nulls).map_err(|error| told(error.into()))?;
        physical.evaluate(&nulls).map_err(told)?;
        let data_type = physical.data_type(self.schema.as_arrow()).map_err(told)?;
        let mut columns: Vec<String> = expr.column_refs().into_iter().map(|column| column.name.clone()).collect();
        columns.sort_unstable();
        Ok(Bound { expr, columns, data_type, warnings })
    }

    /// What a query would warn about. Refuses what a query refuses, such as `^` and codes that the product does not have.
    fn doubts(&self, expression: &Expression, parsed: &Expr) -> Result<Vec<Warning>> {
        let origin = |column: &Column| {
            let name = self.plain.get(&column.name).unwrap_or(&column.name);
            let field = self.schema.field_with_unqualified_name(name).ok()?;
            Some(Origin { column: name.clone(), kind: field.data_type().clone(), is_of_ledger: false })
        };
        let (mut found, mut refused) = (Vec::new(), Ok(()));
        parsed.apply(|part| {
            let at = |text: String, hint: &str| {
                let column = part.column_refs().into_iter().map(|column| column.name.clone()).min();
                wrong(expression, position_of(&column.unwrap_or_default(), &expression.sql), text + hint)
            };
            match of_part(part, &self.schema, &origin) {
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

    /// A comparison of a number with a text, which SQL makes one of two texts: `h_canopy > '5'` would hold for 40 and not for
    /// 300. The column, and what is wrong.
    fn unlike_types(&self, parsed: &Expr) -> datafusion::common::Result<Option<(String, String)>> {
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
                if (left_type.is_numeric() && other_type.is_string())
                    || (left_type.is_string() && other_type.is_numeric())
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

    fn by_own_name(&self, part: Expr) -> Transformed<Expr> {
        match &part {
            Expr::Column(column) => match self.plain.get(&column.name) {
                Some(own) => Transformed::yes(Expr::Column(Column::from_name(own))),
                None => Transformed::no(part),
            },
            _ => Transformed::no(part),
        }
    }

    fn explain(&self, expression: &Expression, error: &DataFusionError) -> Error {
        match error.find_root() {
            DataFusionError::SchemaError(unknown, _) => match unknown.as_ref() {
                SchemaError::FieldNotFound { field, .. } => {
                    wrong(expression, position_of(&field.name, &expression.sql), self.unknown(&field.name))
                }
                other => wrong(expression, (1, 1), other.to_string()),
            },
            DataFusionError::SQL(error, _) => {
                let text = error.to_string();
                let text = text.trim_start_matches("sql parser error: ");
                match text.rsplit_once(" at Line: ") {
                    Some((problem, at)) => wrong(expression, line_and_column(at), problem.to_owned()),
                    None => wrong(expression, (1, 1), text.to_owned()),
                }
            }
            other => {
                let told = problem(other);
                let at = match told.contains("^ ") {
                    true => position_of_sign('^', &expression.sql),
                    false => position_of(quoted(&told).unwrap_or_default(), &expression.sql),
                };
                match advice(other) {
                    Some(hint) => wrong(expression, at, format!("{told}; {hint}")),
                    None => wrong(expression, at, told),
                }
            }
        }
    }

    fn unknown(&self, name: &str) -> String {
        if self.derived.iter().any(|derived| derived == name) {
            return format!("{name} is a derived column; only columns of the product can be used here");
        }
        missing_column(name).unwrap_or_else(|| {
            let known = self.schema.fields().iter().map(|field| field.name().as_str());
            format!("no column is called {name}{}", did_you_mean(name, known))
        })
    }
}

/// The error that `problem` is at `at`, line and column from 1, of the expression.
pub fn wrong(expression: &Expression, at: (u64, u64), problem: String) -> Error {
    Error::Expression { place: expression.location.locate(at.0, at.1), name: expression.name.clone(), problem }
}

/// `expr` as it runs on batches of `schema`. Simplified, so that a comparison casts its literal once instead of its column for
/// every row.
pub fn physical(
    context: &SessionContext,
    schema: &DFSchema,
    expr: Expr,
) -> datafusion::common::Result<Arc<dyn PhysicalExpr>> {
    let simplifier = ExprSimplifier::new(SimplifyContext::builder().with_schema(Arc::new(schema.clone())).build());
    let expr = simplifier.simplify(simplifier.coerce(expr, schema)?)?;
    context.create_physical_expr(expr, schema)
}

/// The first function that depends on more than its arguments: what passed today must pass tomorrow.
fn changing(parsed: &Expr) -> datafusion::common::Result<Option<String>> {
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

fn is_of_many_rows(part: &Expr) -> bool {
    matches!(
        part,
        Expr::AggregateFunction(_)
            | Expr::WindowFunction(_)
            | Expr::ScalarSubquery(_)
            | Expr::InSubquery(_)
            | Expr::Exists(_)
    )
}

/// `3, Column: 14` as line and column.
fn line_and_column(at: &str) -> (u64, u64) {
    let mut numbers = at.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok());
    (numbers.next().unwrap_or(1), numbers.next().unwrap_or(1))
}

/// The first name in a problem that stands in quotes, such as that of a function.
fn quoted(problem: &str) -> Option<&str> {
    problem.split('\'').nth(1)
}

/// Line and column, from 1, of the first `sign`.
fn position_of_sign(sign: char, sql: &str) -> (u64, u64) {
    let column = |line: &str| line.chars().position(|c| c == sign);
    let found = sql.lines().enumerate().find_map(|(number, line)| Some((number as u64 + 1, column(line)? as u64 + 1)));
    found.unwrap_or((1, 1))
}

/// Line and column, from 1, of the first place where `name` stands as a word of its own.
fn position_of(name: &str, sql: &str) -> (u64, u64) {
    if name.is_empty() {
        return (1, 1);
    }
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    for (number, line) in sql.lines().enumerate() {
        let lower = line.to_lowercase();
        for (at, _) in lower.match_indices(&name.to_lowercase()) {
            let before = lower.get(..at).and_then(|text| text.chars().next_back());
            let after = lower.get(at + name.len()..).and_then(|text| text.chars().next());
            if !before.is_some_and(is_word) && !after.is_some_and(is_word) {
                let column = lower.get(..at).map_or(0, |text| text.chars().count());
                return (number as u64 + 1, column as u64 + 1);
            }
        }
    }
    (1, 1)
}

#[cfg(test)]
mod tests {
    use isdb_schema::expression::SourceLocation;

    use super::*;

    fn expression(sql: &str) -> Expression {
        let text = format!("filters:\n  - mine: {sql}\n");
        Expression {
            name: "mine".into(),
            sql: sql.into(),
            location: SourceLocation::in_file("f.yml", &text, (2, 11), sql),
        }
    }

    fn error(sql: &str) -> String {
        Scope::of_product().unwrap().predicate(&expression(sql)).unwrap_err().to_string()
    }

    #[test]
    fn a_plain_name_stands_for_its_column() {
        let bound = Scope::of_product().unwrap().predicate(&expression("canopy_h > 5 AND night_flag = 1")).unwrap();
        assert_eq!(bound.columns, ["h_canopy", "night_flag"]);
    }

    #[test]
    fn a_granule_s_own_columns_can_be_looked_at() {
        let sql = "qa_granule_pass_fail = 0 AND release >= '006'";
        let bound = Scope::of_product().unwrap().predicate(&expression(sql)).unwrap();
        assert_eq!(bound.columns, ["qa_granule_pass_fail", "release"]);
    }

    #[test]
    fn a_misspelt_column_is_told_with_line_column_and_what_is_near() {
        let told = error("night_flag = 1 AND h_canop > 5");
        assert!(told.starts_with("f.yml:2:30: mine: no column is called h_canop; did you mean h_canopy"), "{told}");
    }

    #[test]
    fn sql_that_cannot_be_read_is_told_with_line_and_column() {
        let told = error("h_canopy > > 5");
        assert!(told.starts_with("f.yml:2:22: mine: Expected"), "{told}");
        assert!(error("h_canopy > 5 5").starts_with("f.yml:2:24: mine: Expected"), "{}", error("h_canopy > 5 5"));
    }

    #[test]
    fn what_is_no_predicate_over_one_segment_is_refused() {
        assert!(error("h_canopy + 1").contains("TRUE or FALSE"));
        assert!(error("avg(h_canopy) > 5").contains("one segment at a time"));
        assert!(error("h_canopy > (SELECT 1)").starts_with("f.yml:2:"));
        assert!(error("night_flag = 1 AND h_canopy > '5'").starts_with("f.yml:2:30: mine: h_canopy and "));
        assert!(error("beam IN (1, 2)").contains("one is a number"));
    }

    #[test]
    fn a_function_that_is_not_known_or_does_not_fit_is_told_in_one_line_with_its_place() {
        let unknown = error("rgt > 1 AND flor(h_canopy) > 1");
        assert!(unknown.starts_with("f.yml:2:23: mine: Invalid function 'flor'"), "{unknown}");
        let misfit = error("rgt > 1 AND abs() > 1");
        assert!(misfit.starts_with("f.yml:2:23: mine: 'abs' does not support zero arguments"), "{misfit}");
        for told in [unknown, misfit] {
            assert!(told.lines().count() == 1 && !told.contains("Error during planning"), "{told}");
        }
    }

    #[test]
    fn what_a_table_does_not_store_is_told_with_the_command_that_adds_it() {
        let table = Schema::new(vec![Field::new("h_canopy", DataType::Float32, true)]);
        let told = Scope::of_table(&table).unwrap().predicate(&expression("segment_snowcover = 1")).unwrap_err();
        assert!(told.to_string().ends_with("`isdb add-variable segment_snowcover`"), "{told}");
    }

    #[test]
    fn what_a_query_refuses_a_filter_and_a_derived_column_refuse_too() {
        for (sql, told) in [
            ("rgt > 1 AND canopy_h^2.1 > 5", "f.yml:2:31: mine: canopy_h ^ 2.1 is not a power"),
            ("rgt > 1 AND beam = 'GT1L'", "f.yml:2:23: mine: beam has no value 'GT1L'; write 'gt1l'"),
            ("rgt > 1 AND landcover IN (20, 999)", "f.yml:2:23: mine: landcover has no value 999"),
            ("rgt > 1 AND canopy_h = NULL", "f.yml:2:23: mine: a comparison with NULL is never true"),
            ("rgt > 1 AND canopy_h_metrics[19] > 5", "f.yml:2:23: mine: canopy_h_metrics has no element 19"),
            ("rgt > 1 AND year(time) = 2019", "f.yml:2:23: mine: Invalid function 'year'; write date_part("),
        ] {
            let refused = error(sql);
            assert!(refused.starts_with(told), "{sql}: {refused}");
        }
        let scope = Scope::of_product().unwrap();
        for refused in ["canopy_h ^ 2", "canopy_h_metrics[0]"] {
            assert!(scope.bind(&expression(refused)).is_err(), "{refused}");
        }
    }

    #[test]
    fn integers_divide_with_a_fraction_in_filters_and_derived_columns() {
        let scope = Scope::of_product().unwrap();
        let kind = |sql| scope.bind(&expression(sql)).unwrap().data_type;
        assert_eq!(kind("canopy_cover / 100"), DataType::Float64);
        assert_eq!(kind("div(segment_id_beg, 100)"), DataType::Int64);
    }

    #[test]
    fn every_shipped_filter_is_right() {
        let scope = Scope::of_product().unwrap();
        for preset in isdb_schema::filters::presets() {
            for rule in isdb_schema::filters::choose(preset.name).unwrap() {
                scope.predicate(&rule.predicate).unwrap();
            }
        }
    }
}
