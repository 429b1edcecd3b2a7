//! The design of a database: its variables, derived columns, filters, region and tile capacity. It is fixed when the database is
//! created (filters and region may be changed later), read back from a snapshot, and compared with a config.

use arrow::datatypes::Field;
use isdb_region::Region;
use isdb_schema::catalogue::Variable;
use isdb_schema::columns::EXPRESSION;
use isdb_schema::filters::{self, Rule};
use isdb_schema::segments;
use tiledb::MetadataValue;

use crate::array_layout::TILE_CAPACITY;
use crate::error::{Error, Result};
use crate::files::areas::area_name;
use crate::log::commit::NO_REGION;
use crate::reader::snapshot::Snapshot;

/// The maximum number of variables that an error lists for each side.
const MAX_NAMES: usize = 6;

/// The key of the group's metadata for the filters.
const FILTERS_KEY: &str = "isdb.filters";
/// The key of the group's metadata for the name of the region's area.
const REGION_KEY: &str = "isdb.region";

/// The content of a database, and the size of its tiles.
#[derive(Clone, Debug)]
pub struct Design {
    /// The product's variables, in catalogue order.
    pub variables: Vec<&'static Variable>,
    /// Derived columns; the metadata key [`EXPRESSION`] of each field contains its SQL.
    pub derived: Vec<Field>,
    /// The filters that every segment has passed, in their order.
    pub filters: Vec<Rule>,
    /// The region that the segments are in; None for whole granules.
    pub region: Option<Region>,
    /// The number of segments in a data tile.
    pub capacity: u64,
}

impl Design {
    /// A design for these variables, without derived columns, filters and region, with the default capacity of 4,096 segments.
    #[must_use]
    pub fn new(variables: &[&'static Variable]) -> Design {
        let (variables, capacity) = (variables.to_vec(), TILE_CAPACITY);
        Design { variables, derived: Vec::new(), filters: Vec::new(), region: None, capacity }
    }

    /// The design of the database in `snapshot`, without its region, and the name of the region's area.
    pub(crate) fn from_snapshot(snapshot: &Snapshot) -> (Design, Option<String>) {
        let state = snapshot.state();
        let derived = snapshot.schema().fields().iter().filter(|field| field.metadata().contains_key(EXPRESSION));
        let design = Design {
            variables: stored_variables(snapshot),
            derived: derived.map(|field| field.as_ref().clone()).collect(),
            filters: state.filters.clone().unwrap_or_default(),
            region: None,
            capacity: snapshot.capacity(),
        };
        (design, state.region.clone().filter(|area| area != NO_REGION))
    }

    /// The design in the metadata of a new database's group.
    pub(crate) fn group_metadata(&self) -> Vec<(String, MetadataValue)> {
        let filters = (FILTERS_KEY.to_owned(), MetadataValue::Text(filters::to_json(&self.filters)));
        let region = self.region.as_ref().map(|region| MetadataValue::Text(area_name(&region.to_text())));
        std::iter::once(filters).chain(region.map(|area| (REGION_KEY.to_owned(), area))).collect()
    }

    /// Checks that a database of this design stores exactly the requested variables. Errors name its `uri`.
    ///
    /// # Errors
    /// [`Error::OtherVariables`], which names the differences.
    pub fn check_variables(&self, uri: &str, requested: &[&'static Variable]) -> Result<()> {
        let names = |variables: &[&'static Variable]| -> Vec<&str> {
            segments::selected_variables(variables).map(|variable| variable.name).collect()
        };
        let (stored, requested) = (names(&self.variables), names(requested));
        let only_in = |names: &[&str], others: &[&str]| -> Vec<String> {
            names.iter().filter(|name| !others.contains(name)).map(|name| (*name).to_owned()).collect()
        };
        let (added, missing) = (only_in(&requested, &stored), only_in(&stored, &requested));
        if added.is_empty() && missing.is_empty() {
            return Ok(());
        }
        let list = |names: Vec<String>| match names.split_at_checked(MAX_NAMES) {
            _ if names.is_empty() => "none".to_owned(),
            Some((first, rest)) if !rest.is_empty() => format!("{} and {} more", first.join(", "), rest.len()),
            _ => names.join(", "),
        };
        let difference = format!("only requested: {}; only stored: {}", list(added), list(missing));
        Err(Error::OtherVariables { uri: uri.to_owned(), difference })
    }

    /// Checks that a database of this design has exactly the requested derived columns. Errors name its `uri`.
    ///
    /// # Errors
    /// [`Error::OtherDesign`] with both values.
    pub fn check_derived(&self, uri: &str, requested: &[Field]) -> Result<()> {
        let describe = |fields: &[Field]| {
            let sql = |field: &Field| field.metadata().get(EXPRESSION).cloned().unwrap_or_default();
            let columns: Vec<String> =
                fields.iter().map(|field| format!("{} = {}", field.name(), sql(field))).collect();
            if columns.is_empty() { "none".to_owned() } else { columns.join(", ") }
        };
        check_equal(uri, "derived columns", describe(&self.derived), describe(requested))
    }

    /// Checks that the segments of a database of this design have passed exactly the requested filters. Errors name its `uri`.
    ///
    /// # Errors
    /// [`Error::OtherDesign`] with both values.
    pub fn check_filters(&self, uri: &str, requested: &[Rule]) -> Result<()> {
        if filters::same_rules(&self.filters, requested) {
            return Ok(());
        }
        let (stored_names, requested_names) = (filters::describe(&self.filters), filters::describe(requested));
        if stored_names != requested_names {
            return check_equal(uri, "filters", stored_names, requested_names);
        }
        let sql = |rules: &[Rule]| rules.iter().map(|rule| rule.predicate.sql.clone()).collect::<Vec<_>>().join("; ");
        check_equal(uri, "filters", sql(&self.filters), sql(requested))
    }

    /// Checks that the data tiles of a database of this design have the requested capacity. Errors name its `uri`.
    ///
    /// # Errors
    /// [`Error::OtherDesign`] with both values.
    pub fn check_capacity(&self, uri: &str, requested: u64) -> Result<()> {
        check_equal(uri, "layout.capacity", self.capacity.to_string(), requested.to_string())
    }
}

fn check_equal(uri: &str, what: &'static str, stored: String, requested: String) -> Result<()> {
    if stored == requested {
        return Ok(());
    }
    Err(Error::OtherDesign { uri: uri.to_owned(), what, stored, requested })
}

/// The variables of the product that have a column in the snapshot's segments, in catalogue order.
pub fn stored_variables(snapshot: &Snapshot) -> Vec<&'static Variable> {
    let schema = snapshot.schema();
    let all: Vec<&Variable> = isdb_schema::catalogue::variables().iter().collect();
    segments::selected_variables(&all).filter(|variable| schema.field_with_name(variable.name).is_ok()).collect()
}
