//! The selection of a request: variables, derived columns and filters. The database decides whatever the request leaves
//! open, because all segments of a database have the same selection.

use isdb_pipeline::Selection;
use isdb_region::Region;
use isdb_schema::catalogue::{Variable, variables};
use isdb_schema::columns::EXPRESSION;
use isdb_schema::expression::{Expression, SourceLocation};
use isdb_schema::filters::{Rule, same_rules};
use isdb_store::{Database, Design, Location};

use crate::error::{Error, Result};

/// The requested selection. `None` means as in the database; a new database gets every variable, no derived column and
/// no filter.
#[derive(Clone, Debug, Default)]
pub struct SelectionRequest {
    /// The variables to store.
    pub variables: Option<Vec<&'static Variable>>,
    /// The columns to derive.
    pub derived: Option<Vec<Expression>>,
    /// The filters that segments have to pass, in their order.
    pub filters: Option<Vec<Rule>>,
    /// Segments in a data tile of the database.
    pub capacity: Option<u64>,
}

impl SelectionRequest {
    /// Checks the SQL of the request and resolves its columns, without a database.
    ///
    /// # Errors
    /// [`Error::Selection`], with the location in the SQL.
    pub fn bind(&self) -> Result<Selection> {
        let all = || variables().iter().collect();
        let variables: Vec<&Variable> = self.variables.clone().unwrap_or_else(all);
        let (derived, filters) = (self.derived.as_deref(), self.filters.as_deref());
        Selection::bind(&variables, derived.unwrap_or_default(), filters.unwrap_or_default()).map_err(Error::Selection)
    }

    /// Opens the database at `location`. If it does not exist, creates it with the selection `bound` and with `region`.
    ///
    /// # Errors
    /// When something else is at `location`, or the database cannot be opened.
    pub(crate) async fn open_or_create(
        &self,
        bound: &Selection,
        region: Option<Region>,
        location: &Location,
        now_ms: u64,
    ) -> Result<Database> {
        match Database::open(location).await {
            Err(isdb_store::Error::NotFound { .. }) => match self.create(location, bound, region, now_ms).await {
                // Another ingest may have created the database in between. Anything else at this location cannot be
                // opened, which the error `occupied` reports.
                Err(occupied @ isdb_store::Error::Occupied { .. }) => {
                    Ok(Database::open(location).await.map_err(|_| occupied)?)
                }
                created => Ok(created?),
            },
            opened => Ok(opened?),
        }
    }

    /// Returns the selection for a database at `uri` with `design`, and the filters that the database has to change to
    /// for it. The filters change only if `may_refilter`.
    ///
    /// # Errors
    /// When the design differs from the request.
    pub(crate) fn resolve(
        &self,
        bound: &Selection,
        mut design: Design,
        uri: &str,
        may_refilter: bool,
    ) -> Result<(Selection, Option<Vec<Rule>>)> {
        if let Some(variables) = &self.variables {
            design.check_variables(uri, variables)?;
        }
        if self.derived.is_some() {
            design.check_derived(uri, &bound.derived())?;
        }
        let mut changed = None;
        if let Some(filters) = &self.filters {
            if may_refilter && !same_rules(&design.filters, filters) {
                design.filters.clone_from(filters);
                changed = Some(filters.clone());
            }
            design.check_filters(uri, filters)?;
        }
        if let Some(capacity) = self.capacity {
            design.check_capacity(uri, capacity)?;
        }
        Ok((stored_selection(&design)?, changed))
    }

    async fn create(
        &self,
        location: &Location,
        bound: &Selection,
        region: Option<Region>,
        now_ms: u64,
    ) -> isdb_store::Result<Database> {
        let mut design = Design::new(bound.variables());
        design.derived = bound.derived();
        design.filters = bound.filters();
        design.region = region;
        design.capacity = self.capacity.unwrap_or(design.capacity);
        Database::create(location, &design, now_ms).await
    }
}

/// Binds the selection of `design`.
fn stored_selection(design: &Design) -> Result<Selection> {
    let expression = |field: &arrow::datatypes::Field| Expression {
        name: field.name().clone(),
        sql: field.metadata().get(EXPRESSION).cloned().unwrap_or_default(),
        location: SourceLocation::named("the database's columns"),
    };
    let derived: Vec<Expression> = design.derived.iter().map(expression).collect();
    Selection::bind(&design.variables, &derived, &design.filters).map_err(Error::Selection)
}
