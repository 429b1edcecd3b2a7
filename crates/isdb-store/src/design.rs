//! What a database is made for: the variables and derived columns that it stores, the filters that its segments have passed,
//! its layout. Fixed when it is created, read back from its arrays, and held against what a config asks for.

use arrow::datatypes::Field;
use isdb_region::Region;
use isdb_schema::catalogue::Variable;
use isdb_schema::columns::EXPRESSION;
use isdb_schema::filters::{self, Rule};
use isdb_schema::segments;
use tiledb::{Context, MetadataValue, group};

use crate::areas::area_name;
use crate::commit::NO_REGION;
use crate::error::{Error, Result};
use crate::snapshot::Snapshot;
use crate::storage;

/// So many names of variables are told when a config's differ from a database's.
const NAMES_TOLD: usize = 6;

/// The key of the group's metadata that holds the filters.
const FILTERS: &str = "isdb.filters";
/// The key of the group's metadata that names the area of the database's region.
const REGION: &str = "isdb.region";

/// What is fixed when a database is created.
#[derive(Clone, Debug)]
pub struct Design {
    /// The product's variables, in catalogue order.
    pub variables: Vec<&'static Variable>,
    /// Derived columns; the metadata [`EXPRESSION`] of each field is its SQL.
    pub derived: Vec<Field>,
    /// The filters that every segment has passed, in their order.
    pub filters: Vec<Rule>,
    /// The region that the segments were kept in; None for whole granules.
    pub region: Option<Region>,
    /// Segments of one data tile.
    pub capacity: u64,
}

impl Design {
    /// A design for these variables, without derived columns and filters, with the capacity that suits most uses.
    #[must_use]
    pub fn of(variables: &[&'static Variable]) -> Design {
        let capacity = storage::TILE_CAPACITY;
        Design { variables: variables.to_vec(), derived: Vec::new(), filters: Vec::new(), region: None, capacity }
    }

    /// The design of the database that `snapshot` shows, without its region, and the name of that region's area.
    pub(crate) fn read(context: &Context, uri: &str, snapshot: &Snapshot) -> Result<(Design, Option<String>)> {
        let damaged =
            || Error::Damaged { object: format!("{uri}: {FILTERS}"), problem: "it is no list of filters".into() };
        let facts = group::metadata(context, uri)?;
        let filters = match (&snapshot.commit().filters, facts.get(FILTERS)) {
            (Some(changed), _) => changed.clone(),
            (None, None) => Vec::new(),
            (None, Some(MetadataValue::Text(text))) => filters::from_json(text).ok_or_else(damaged)?,
            (None, Some(_)) => return Err(damaged()),
        };
        let area = match (&snapshot.commit().region, facts.get(REGION)) {
            (Some(changed), _) => (changed != NO_REGION).then(|| changed.clone()),
            (None, Some(MetadataValue::Text(area))) => Some(area.clone()),
            (None, _) => None,
        };
        let schema = snapshot.segments().schema();
        let derived = schema.fields().iter().filter(|field| field.metadata().contains_key(EXPRESSION));
        let design = Design {
            variables: stored_variables(snapshot),
            derived: derived.map(|field| field.as_ref().clone()).collect(),
            filters,
            region: None,
            capacity: snapshot.segments().layout().capacity,
        };
        Ok((design, area))
    }

    /// What the group of a new database says of the design.
    pub(crate) fn facts(&self) -> Vec<(String, MetadataValue)> {
        let filters = (FILTERS.to_owned(), MetadataValue::Text(filters::to_json(&self.filters)));
        let region = self.region.as_ref().map(|region| MetadataValue::Text(area_name(&region.to_text())));
        std::iter::once(filters).chain(region.map(|area| (REGION.to_owned(), area))).collect()
    }

    /// Checks that the database at `uri`, which is of this design, stores exactly these variables.
    ///
    /// # Errors
    /// [`Error::OtherVariables`], which names what differs.
    pub fn check_variables(&self, uri: &str, asked: &[&'static Variable]) -> Result<()> {
        let names =
            |of: &[&'static Variable]| -> Vec<&str> { segments::wanted_variables(of).map(|v| v.name).collect() };
        let (stored, asked) = (names(&self.variables), names(asked));
        let only = |of: &[&str], other: &[&str]| -> Vec<String> {
            of.iter().filter(|name| !other.contains(name)).map(|name| (*name).to_owned()).collect()
        };
        let (more, less) = (only(&asked, &stored), only(&stored, &asked));
        if more.is_empty() && less.is_empty() {
            return Ok(());
        }
        let told = |names: Vec<String>| match names.split_at_checked(NAMES_TOLD) {
            _ if names.is_empty() => "none".to_owned(),
            Some((first, rest)) if !rest.is_empty() => format!("{} and {} more", first.join(", "), rest.len()),
            _ => names.join(", "),
        };
        let difference = format!("only asked for: {}; only stored: {}", told(more), told(less));
        Err(Error::OtherVariables { uri: uri.to_owned(), difference })
    }

    /// Checks that the database at `uri`, which is of this design, has exactly these derived columns.
    ///
    /// # Errors
    /// [`Error::OtherDesign`], which names both.
    pub fn check_derived(&self, uri: &str, asked: &[Field]) -> Result<()> {
        let told = |fields: &[Field]| {
            let sql = |field: &Field| field.metadata().get(EXPRESSION).cloned().unwrap_or_default();
            let columns: Vec<String> =
                fields.iter().map(|field| format!("{} = {}", field.name(), sql(field))).collect();
            if columns.is_empty() { "none".to_owned() } else { columns.join(", ") }
        };
        same(uri, "derived columns", told(&self.derived), told(asked))
    }

    /// Checks that the segments of the database at `uri`, which is of this design, have passed exactly these filters.
    ///
    /// # Errors
    /// [`Error::OtherDesign`], which names both.
    pub fn check_filters(&self, uri: &str, asked: &[Rule]) -> Result<()> {
        if filters::same(&self.filters, asked) {
            return Ok(());
        }
        let (stored, wanted) = (filters::told(&self.filters), filters::told(asked));
        if stored != wanted {
            return same(uri, "filters", stored, wanted);
        }
        let sql = |rules: &[Rule]| rules.iter().map(|rule| rule.predicate.sql.clone()).collect::<Vec<_>>().join("; ");
        same(uri, "filters", sql(&self.filters), sql(asked))
    }

    /// Checks that the database at `uri`, which is of this design, has this capacity of data tiles.
    ///
    /// # Errors
    /// [`Error::OtherDesign`], which names both.
    pub fn check_capacity(&self, uri: &str, asked: u64) -> Result<()> {
        same(uri, "layout.capacity", self.capacity.to_string(), asked.to_string())
    }
}

fn same(uri: &str, what: &'static str, stored: String, asked: String) -> Result<()> {
    if stored == asked {
        return Ok(());
    }
    Err(Error::OtherDesign { uri: uri.to_owned(), what, stored, asked })
}

/// The variables of the product that have a column of their own in the snapshot's segments, in catalogue order.
pub fn stored_variables(snapshot: &Snapshot) -> Vec<&'static Variable> {
    let schema = snapshot.segments().schema();
    let all: Vec<&Variable> = isdb_schema::catalogue::variables().iter().collect();
    segments::wanted_variables(&all).filter(|variable| schema.field_with_name(variable.name).is_ok()).collect()
}
