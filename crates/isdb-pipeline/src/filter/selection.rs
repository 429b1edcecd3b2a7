//! The selection of an ingest: the variables to store, the columns to derive, the filters to apply. Its SQL is checked once, before
//! anything is read or created.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::common::{Column, DFSchema, Result};
use datafusion::logical_expr::{Expr, cast};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::prelude::{SessionContext, col};
use datafusion::sql::sqlparser;
use datafusion::sql::sqlparser::ast::{SelectItem, SetExpr, Statement};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use isdb_query::{
    BoundExpression, ExpressionBinder, SessionOptions, Warning, expression_error, physical_expression,
    region_predicate, session,
};
use isdb_region::Region;
use isdb_schema::catalogue::{Variable, variables};
use isdb_schema::columns::{EXPRESSION, GRANULE_COLUMNS, stored_type};
use isdb_schema::expression::Expression;
use isdb_schema::filters::Rule;
use isdb_schema::segments::{FRAGMENT_ID, stored_fields};

use crate::filter::expressions::{FilterExpr, OutputColumn};
use crate::tally::TALLY;

/// The name of the region filter in the tally.
const REGION: &str = "region";

/// Variables, derived columns and filters whose SQL is valid.
#[derive(Clone, Debug)]
pub struct Selection {
    variables: Vec<&'static Variable>,
    derived: Vec<(Field, Expr)>,
    /// The predicate of the region filter.
    region: Option<Expr>,
    filters: Vec<(Rule, BoundExpression)>,
    used_columns: BTreeSet<String>,
    warnings: Vec<Warning>,
}

impl Selection {
    /// Checks the SQL of `derived` and `filters` against the product.
    ///
    /// # Errors
    /// [`Expression`](isdb_query::Error::Expression), with the location in the SQL, when an expression is invalid or its type
    /// cannot be stored.
    pub fn bind(
        variables: &[&'static Variable],
        derived: &[Expression],
        filters: &[Rule],
    ) -> isdb_query::Result<Selection> {
        let binder = ExpressionBinder::for_product()?.with_derived(derived);
        let (mut used_columns, mut warnings) = (BTreeSet::new(), Vec::new());
        let mut fields = Vec::with_capacity(derived.len());
        for expression in derived {
            let BoundExpression { expr, columns, data_type, warnings: found } = binder.bind(expression)?;
            used_columns.extend(columns);
            warnings.extend(found);
            let Some(stored) = stored_type(&data_type) else {
                let problem = format!("expected a number, text or boolean, found {data_type}, which cannot be stored");
                return Err(expression_error(expression, (1, 1), problem));
            };
            if !is_plain_name(&expression.name) {
                let problem = "invalid column name: the word has a meaning in SQL".to_owned();
                return Err(expression_error(expression, (1, 1), problem));
            }
            let metadata = HashMap::from([(EXPRESSION.to_owned(), expression.sql.clone())]);
            fields
                .push((Field::new(&expression.name, stored.clone(), true).with_metadata(metadata), cast(expr, stored)));
        }
        let mut bound = Vec::with_capacity(filters.len());
        for rule in filters {
            let predicate = binder.bind_predicate(&rule.predicate)?;
            used_columns.extend(predicate.columns.iter().cloned());
            warnings.extend(predicate.warnings.iter().cloned());
            bound.push((rule.clone(), predicate));
        }
        Ok(Selection {
            variables: variables.to_vec(),
            derived: fields,
            region: None,
            filters: bound,
            used_columns,
            warnings,
        })
    }

    /// Adds the filter `region`, before all others: segments must lie in `region`.
    #[must_use]
    pub fn with_region(self, region: &Region) -> Selection {
        Selection { region: Some(region_predicate(region, &col("latitude"), &col("longitude"))), ..self }
    }

    /// Returns the columns to derive, as fields of the stored array; their SQL is the metadata [`EXPRESSION`].
    pub fn derived(&self) -> Vec<Field> {
        self.derived.iter().map(|(field, _)| field.clone()).collect()
    }

    /// Returns the filters in their order, without the region filter.
    pub fn filters(&self) -> Vec<Rule> {
        self.filters.iter().map(|(rule, _)| rule.clone()).collect()
    }

    /// Warnings about derived columns and filters that may not mean what they say, each with its location in the SQL.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Returns the variables to store.
    pub fn variables(&self) -> &[&'static Variable] {
        &self.variables
    }

    /// Returns the variables to decode: the variables to store, and those that an expression uses.
    pub(crate) fn decoded(&self) -> Vec<&'static Variable> {
        let is_stored = |variable: &Variable| self.variables.iter().any(|stored| stored.name == variable.name);
        variables().iter().filter(|variable| is_stored(variable) || self.used_columns.contains(variable.name)).collect()
    }

    /// Returns the variables that a filter uses.
    pub(crate) fn used_by_filters(&self) -> Vec<&'static Variable> {
        let is_used = |variable: &&Variable| {
            self.filters.iter().any(|(_, bound)| bound.columns.iter().any(|column| column == variable.name))
        };
        variables().iter().filter(is_used).collect()
    }

    /// Returns the columns of the granule as a whole that an expression uses.
    pub(crate) fn granule_columns(&self) -> Vec<&'static str> {
        GRANULE_COLUMNS.into_iter().filter(|name| self.used_columns.contains(*name)).collect()
    }

    /// Returns the filters over rows of `input`, the region filter first.
    pub(crate) fn physical_filters(&self, input: &SchemaRef) -> Result<Vec<FilterExpr>> {
        let compiler = Compiler::new(input)?;
        let filter = |(rule, bound): &(Rule, BoundExpression)| {
            Ok(FilterExpr {
                name: rule.predicate.name.clone(),
                predicate: compiler.physical(bound.expr.clone())?,
                columns: bound.columns.clone(),
            })
        };
        let region = self.region.as_ref().map(|region| {
            let columns = ["latitude", "longitude"].map(str::to_owned).to_vec();
            Ok(FilterExpr { name: REGION.to_owned(), predicate: compiler.physical(region.clone())?, columns })
        });
        region.into_iter().chain(self.filters.iter().map(filter)).collect()
    }

    /// Returns the columns to store except the fragment's id, and the tally, computed from rows of `input`.
    pub(crate) fn physical_outputs(&self, input: &SchemaRef) -> Result<Vec<OutputColumn>> {
        let compiler = Compiler::new(input)?;
        let stored = stored_fields(&self.variables).into_iter().filter(|field| field.name() != FRAGMENT_ID);
        let tally = input.field_with_name(TALLY)?.clone();
        let own = stored.chain([tally]).map(|field| (field.clone(), Expr::Column(Column::from_name(field.name()))));
        let output = |(field, expr): (Field, Expr)| {
            Ok(OutputColumn { field: field.with_nullable(true), value: compiler.physical(expr)? })
        };
        own.chain(self.derived.clone()).map(output).collect()
    }
}

/// Whether SQL accepts `name` as a column without quotes.
fn is_plain_name(name: &str) -> bool {
    let parsed = Parser::parse_sql(&GenericDialect {}, &format!("SELECT {name} FROM atl08"));
    let Ok([Statement::Query(query)]) = parsed.as_deref() else { return false };
    match query.body.as_ref() {
        SetExpr::Select(select) => matches!(
            select.projection.as_slice(),
            [SelectItem::UnnamedExpr(sqlparser::ast::Expr::Identifier(column))] if column.value == name
        ),
        _ => false,
    }
}

/// Compiles expressions for batches of one schema.
struct Compiler {
    context: SessionContext,
    schema: DFSchema,
}

impl Compiler {
    fn new(input: &SchemaRef) -> Result<Compiler> {
        let schema = DFSchema::try_from(Schema::clone(input))?;
        Ok(Compiler { context: session(&SessionOptions::default())?, schema })
    }

    fn physical(&self, expr: Expr) -> Result<Arc<dyn PhysicalExpr>> {
        physical_expression(&self.context, &self.schema, expr)
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, Float64Array, LargeStringArray, RecordBatch, new_null_array};
    use arrow::compute::cast;
    use isdb_schema::filters::choose;

    use super::*;
    use crate::filter::granule_filter::GranuleFilter;
    use crate::filter::quality::Quality;
    use crate::stored::earlier_attempts::EarlierAttempts;
    use crate::tally::Tally;

    #[test]
    fn a_derived_column_that_uses_another_is_refused() {
        let derived = [("x", "h_canopy * 2"), ("y", "x + 1")].map(|(name, sql)| Expression {
            name: name.to_owned(),
            sql: sql.to_owned(),
            location: isdb_schema::expression::SourceLocation::named("c.yml"),
        });
        let error = Selection::bind(&[], &derived, &[]).unwrap_err().to_string();
        assert_eq!(error, "c.yml: y: x is a derived column; only columns of the product can be used here");
    }

    #[test]
    fn segments_outside_the_region_are_counted_before_other_filters() {
        let triangle = r#"{"type":"Polygon","coordinates":[[[0,0],[4,0],[0,4],[0,0]]]}"#;
        let region = Region::parse(triangle).unwrap();
        let selection = Selection::bind(&[], &[], &choose("strong").unwrap()).unwrap().with_region(&region);
        let quality = Quality::new(&selection, EarlierAttempts::default()).unwrap();
        let schema = Arc::clone(&quality.first_schema);
        // Three segments in the triangle, one in its box only, one elsewhere.
        let latitude = Float64Array::from(vec![1.0, 1.0, 2.0, 3.0, 50.0]);
        let longitude = Float64Array::from(vec![1.0, 2.0, 2.0, 3.0, 1.0]);
        let strength = LargeStringArray::from(vec!["strong", "weak", "strong", "strong", "weak"]);
        let column = |field: &Arc<Field>| -> Arc<dyn Array> {
            match field.name().as_str() {
                "latitude" => Arc::new(latitude.clone()),
                "longitude" => Arc::new(longitude.clone()),
                "beam_strength" => cast(&strength, field.data_type()).unwrap(),
                _ => new_null_array(field.data_type(), 5),
            }
        };
        let rows = RecordBatch::try_new(Arc::clone(&schema), schema.fields().iter().map(column).collect()).unwrap();
        let mut filter = GranuleFilter::new(&quality);
        assert_eq!(filter.choose(&rows).unwrap().set_indices().collect::<Vec<_>>(), [0, 2]);
        let kept = RecordBatch::new_empty(Arc::clone(&quality.rows_schema));
        let ready = filter.finish(vec![kept], Tally { rows_kept: 2, ..Tally::default() }).unwrap();
        let tally = Tally::decode(ready.last().unwrap().column_by_name(TALLY).unwrap()).unwrap().pop().unwrap();
        assert_eq!((tally.rows_kept, tally.rows_removed, &tally.error), (2, 3, &None));
        let removed: Vec<_> = tally.removed.iter().map(|f| (f.filter.as_str(), f.removed, f.alone)).collect();
        assert_eq!(removed, [("region", 2, 2), ("strong", 1, 2)]);

        let mut filter = GranuleFilter::new(&quality);
        filter.choose(&rows.slice(3, 2));
        let ready = filter.finish(Vec::new(), Tally::default()).unwrap();
        let tally = Tally::decode(ready.last().unwrap().column_by_name(TALLY).unwrap()).unwrap().pop().unwrap();
        assert_eq!(
            (tally.rows_kept, tally.rows_removed, tally.error),
            (0, 2, None),
            "a granule outside the region did not fail"
        );
    }
}
