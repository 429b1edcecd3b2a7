//! The selection and area of an ingest, described for reports.

use arrow::datatypes::Field;
use isdb_pipeline::Selection;
use isdb_region::Region;
use isdb_schema::columns::EXPRESSION;
use isdb_schema::filters::Rule;
use serde::Serialize;

/// The selection that an ingest stores of each granule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SelectionSummary {
    /// The name of the area in the ledger; None for whole granules.
    pub area: Option<String>,
    /// The region of the area as `W,S,E,N` or GeoJSON.
    pub region: Option<String>,
    /// The names of the product's variables.
    pub variables: Vec<&'static str>,
    /// The derived columns, in their order.
    pub derived: Vec<NamedExpression>,
    /// The filters, in their order.
    pub filters: Vec<NamedExpression>,
}

impl SelectionSummary {
    /// Describes `selection` in `region`, whose name in the ledger is `area`.
    pub(crate) fn new(selection: &Selection, area: Option<String>, region: Option<&Region>) -> SelectionSummary {
        SelectionSummary {
            area,
            region: region.map(Region::to_text),
            variables: selection.variables().iter().map(|variable| variable.name).collect(),
            derived: NamedExpression::from_derived(&selection.derived()),
            filters: NamedExpression::from_filters(&selection.filters()),
        }
    }
}

/// A filter or a derived column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NamedExpression {
    /// Its name.
    pub name: String,
    /// Its SQL.
    pub sql: String,
}

impl NamedExpression {
    /// Returns the names and SQL of the filters `rules`.
    #[must_use]
    pub fn from_filters(rules: &[Rule]) -> Vec<NamedExpression> {
        let named =
            |rule: &Rule| NamedExpression { name: rule.predicate.name.clone(), sql: rule.predicate.sql.clone() };
        rules.iter().map(named).collect()
    }

    /// Returns the names and SQL of the derived columns `fields`. The SQL comes from the field's metadata.
    #[must_use]
    pub fn from_derived(fields: &[Field]) -> Vec<NamedExpression> {
        let sql = |field: &Field| field.metadata().get(EXPRESSION).cloned().unwrap_or_default();
        fields.iter().map(|field| NamedExpression { name: field.name().clone(), sql: sql(field) }).collect()
    }
}
