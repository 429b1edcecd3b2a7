//! What an ingest takes of a granule: the variables to store, the columns to derive, the filters to pass. Bound once, before
//! anything is read or created.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::common::{Column, DFSchema, Result};
use datafusion::logical_expr::{Expr, cast};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser;
use datafusion::sql::sqlparser::ast::{SelectItem, SetExpr, Statement};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use isdb_schema::catalogue::{Variable, variables};
use isdb_schema::columns::{EXPRESSION, GRANULE_COLUMNS, storable};
use isdb_schema::expression::Expression;
use isdb_schema::filters::Rule;
use isdb_schema::segments::{FRAGMENT_ID, stored_fields};

use crate::error;
use crate::expression::{Bound, Scope, physical, wrong};
use crate::quality::{Filter, Output};
use crate::session::session;
use crate::tally::TALLY;

/// A choice of variables, derived columns and filters whose SQL is right.
#[derive(Clone, Debug)]
pub struct Selection {
    variables: Vec<&'static Variable>,
    derived: Vec<(Field, Expr)>,
    filters: Vec<(Rule, Bound)>,
    looked_at: BTreeSet<String>,
}

impl Selection {
    /// Checks the SQL of `derived` and `filters` against the product.
    ///
    /// # Errors
    /// [`Expression`](error::Error::Expression), which tells the place.
    pub fn bind(variables: &[&'static Variable], derived: &[Expression], filters: &[Rule]) -> error::Result<Selection> {
        let scope = Scope::of_product()?;
        let mut looked_at = BTreeSet::new();
        let mut fields = Vec::with_capacity(derived.len());
        for expression in derived {
            let Bound { expr, columns, data_type } = scope.bind(expression)?;
            looked_at.extend(columns);
            let Some(stored) = storable(&data_type) else {
                let problem = format!("{data_type} cannot be stored; a number, a text or a truth value can");
                return Err(wrong(expression, (1, 1), problem));
            };
            if !is_plain_name(&expression.name) {
                let problem = "SQL takes this word for something else; give the column another name".to_owned();
                return Err(wrong(expression, (1, 1), problem));
            }
            let metadata = HashMap::from([(EXPRESSION.to_owned(), expression.sql.clone())]);
            fields
                .push((Field::new(&expression.name, stored.clone(), true).with_metadata(metadata), cast(expr, stored)));
        }
        let mut bound = Vec::with_capacity(filters.len());
        for rule in filters {
            let predicate = scope.predicate(&rule.predicate)?;
            looked_at.extend(predicate.columns.iter().cloned());
            bound.push((rule.clone(), predicate));
        }
        Ok(Selection { variables: variables.to_vec(), derived: fields, filters: bound, looked_at })
    }

    /// The columns to derive, as fields of the stored array; their SQL is the metadata [`EXPRESSION`].
    pub fn derived(&self) -> Vec<Field> {
        self.derived.iter().map(|(field, _)| field.clone()).collect()
    }

    /// The filters, in their order.
    pub fn filters(&self) -> Vec<Rule> {
        self.filters.iter().map(|(rule, _)| rule.clone()).collect()
    }

    /// The variables to store.
    pub fn variables(&self) -> &[&'static Variable] {
        &self.variables
    }

    /// The variables to decode: those to store, and those that an expression looks at.
    pub(crate) fn decoded(&self) -> Vec<&'static Variable> {
        let is_stored = |variable: &Variable| self.variables.iter().any(|stored| stored.name == variable.name);
        variables().iter().filter(|variable| is_stored(variable) || self.looked_at.contains(variable.name)).collect()
    }

    /// The columns of the granule as a whole that an expression looks at.
    pub(crate) fn granule_columns(&self) -> Vec<&'static str> {
        GRANULE_COLUMNS.into_iter().filter(|name| self.looked_at.contains(*name)).collect()
    }

    /// The filters over rows of `input`.
    pub(crate) fn physical_filters(&self, input: &SchemaRef) -> Result<Vec<Filter>> {
        let binder = Binder::new(input)?;
        let filter = |(rule, bound): &(Rule, Bound)| {
            Ok(Filter {
                name: rule.predicate.name.clone(),
                predicate: binder.physical(bound.expr.clone())?,
                columns: bound.columns.clone(),
            })
        };
        self.filters.iter().map(filter).collect()
    }

    /// The columns to store, but for the fragment's id, out of rows of `input`; then the tally.
    pub(crate) fn physical_outputs(&self, input: &SchemaRef) -> Result<Vec<Output>> {
        let binder = Binder::new(input)?;
        let stored = stored_fields(&self.variables).into_iter().filter(|field| field.name() != FRAGMENT_ID);
        let tally = input.field_with_name(TALLY)?.clone();
        let own = stored.chain([tally]).map(|field| (field.clone(), Expr::Column(Column::from_name(field.name()))));
        let output = |(field, expr): (Field, Expr)| {
            Ok(Output { field: field.with_nullable(true), value: binder.physical(expr)? })
        };
        own.chain(self.derived.clone()).map(output).collect()
    }
}

/// Whether SQL reads `name` as a column without quotes.
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

/// Turns expressions into those that run on batches of one schema.
struct Binder {
    context: SessionContext,
    schema: DFSchema,
}

impl Binder {
    fn new(input: &SchemaRef) -> Result<Binder> {
        let schema = DFSchema::try_from(Schema::clone(input))?;
        Ok(Binder { context: session(None), schema })
    }

    fn physical(&self, expr: Expr) -> Result<Arc<dyn PhysicalExpr>> {
        physical(&self.context, &self.schema, expr)
    }
}
