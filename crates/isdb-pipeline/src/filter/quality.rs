//! What the granule source does with the rows of each granule: applies named filters in their order, then computes the columns to
//! store.
//!
//! Filters are applied while a granule is decoded: the columns that they use come first, and of the other columns only the rows that pass
//! are made. Filters and derived columns belong to the source because a granule over which one of them fails (a division by zero) must
//! fail as a whole, before any of its rows is passed on, while other granules continue.

use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::physical_expr::PhysicalExpr;
use isdb_schema::catalogue::Variable;

use crate::filter::expressions::{FilterExpr, OutputColumn};
use crate::filter::selection::Selection;
use crate::stored::earlier_attempts::EarlierAttempts;
use crate::tally::granule_rows_schema;

/// Filters and columns of a plan, bound to the rows of granules.
#[derive(Clone, Debug)]
pub(crate) struct Quality {
    /// The variables to decode.
    pub(crate) variables: Vec<&'static Variable>,
    /// The variables that filters use.
    pub(crate) first: Vec<&'static Variable>,
    /// The rows that filters are evaluated over.
    pub(crate) first_schema: SchemaRef,
    pub(crate) filters: Arc<[FilterExpr]>,
    /// The rows that the columns to store are computed from.
    pub(crate) rows_schema: SchemaRef,
    pub(crate) outputs: Arc<[OutputColumn]>,
    /// The columns to store, and the tally.
    pub(crate) stored_schema: SchemaRef,
    pub(crate) earlier: Arc<EarlierAttempts>,
}

impl Quality {
    /// Compiles `selection`. Segments that one of the `earlier` attempts has stored are removed too.
    ///
    /// # Errors
    /// When an expression does not fit the rows; binding the selection has ruled that out.
    pub(crate) fn new(selection: &Selection, earlier: EarlierAttempts) -> Result<Quality> {
        let (variables, first) = (selection.decoded(), selection.used_by_filters());
        let columns = selection.granule_columns();
        let first_schema = granule_rows_schema(&first, &columns);
        let rows_schema = granule_rows_schema(&variables, &columns);
        let outputs = selection.physical_outputs(&rows_schema)?;
        let stored = Schema::new(outputs.iter().map(|output| output.field.clone()).collect::<Vec<_>>());
        Ok(Quality {
            filters: selection.physical_filters(&first_schema)?.into(),
            variables,
            first,
            first_schema,
            rows_schema,
            outputs: outputs.into(),
            stored_schema: Arc::new(stored),
            earlier: Arc::new(earlier),
        })
    }

    /// All expressions.
    pub(crate) fn expressions(&self) -> impl Iterator<Item = &Arc<dyn PhysicalExpr>> {
        let predicates = self.filters.iter().map(|filter| &filter.predicate);
        predicates.chain(self.outputs.iter().map(|output| &output.value))
    }
}

impl Display for Quality {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let filters: Vec<String> =
            self.filters.iter().map(|filter| format!("{}: {}", filter.name, filter.predicate)).collect();
        write!(f, "filters=[{}], columns={}", filters.join("; "), self.outputs.len())
    }
}
