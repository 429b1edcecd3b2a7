//! What to take of granules: as asked for where that is said, else as the database was made. Held against the database, since
//! all its segments have to be of one kind.

use isdb_pipeline::Selection;
use isdb_region::Region;
use isdb_schema::catalogue::{Variable, variables};
use isdb_schema::columns::EXPRESSION;
use isdb_schema::expression::{Expression, SourceLocation};
use isdb_schema::filters::{Rule, same_rules};
use isdb_store::{Database, Design, Location};

use crate::error::{Error, Result};

/// What a user asks for; `None` is what the database has, or a new one gets: every variable, no derived column, no filter.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The variables to store.
    pub variables: Option<Vec<&'static Variable>>,
    /// Columns to derive.
    pub derived: Option<Vec<Expression>>,
    /// Filters to pass, in their order.
    pub filters: Option<Vec<Rule>>,
    /// Segments of one data tile.
    pub capacity: Option<u64>,
}

impl Asked {
    /// Checks the SQL of what is asked for, without any database.
    ///
    /// # Errors
    /// [`Error::Selection`], which tells the place.
    pub fn bind(&self) -> Result<Selection> {
        let all = || variables().iter().collect();
        let variables: Vec<&Variable> = self.variables.clone().unwrap_or_else(all);
        let (derived, filters) = (self.derived.as_deref(), self.filters.as_deref());
        Selection::bind(&variables, derived.unwrap_or_default(), filters.unwrap_or_default()).map_err(Error::Selection)
    }

    /// The database at `location`, created for `bound`, what is asked for, and for `region`, if there is none.
    ///
    /// # Errors
    /// When there is something else at `location`, or the database cannot be opened.
    pub(crate) async fn open(
        &self,
        bound: &Selection,
        region: Option<Region>,
        location: &Location,
        now_ms: u64,
    ) -> Result<Database> {
        match Database::open(location).await {
            Err(isdb_store::Error::NotFound { .. }) => match self.create(location, bound, region, now_ms).await {
                // Another ingest may have created it in between; anything else there is no database, and says so.
                Err(occupied @ isdb_store::Error::Occupied { .. }) => {
                    Ok(Database::open(location).await.map_err(|_| occupied)?)
                }
                created => Ok(created?),
            },
            opened => Ok(opened?),
        }
    }

    /// What a database at `uri` of this `design` takes of granules, and the filters that it has to change to for that. It changes
    /// them only if it `may_refilter`.
    ///
    /// # Errors
    /// When the database was made otherwise than is asked for.
    pub(crate) fn selection(
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
        Ok((of_design(&design)?, changed))
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

/// What a database takes of granules, bound anew.
fn of_design(design: &Design) -> Result<Selection> {
    let expression = |field: &arrow::datatypes::Field| Expression {
        name: field.name().clone(),
        sql: field.metadata().get(EXPRESSION).cloned().unwrap_or_default(),
        location: SourceLocation::named("the database's columns"),
    };
    let derived: Vec<Expression> = design.derived.iter().map(expression).collect();
    Selection::bind(&design.variables, &derived, &design.filters).map_err(Error::Selection)
}
