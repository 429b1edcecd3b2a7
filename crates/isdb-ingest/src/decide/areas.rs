//! The areas of a database: regions that attempts were restricted to. Each is stored once, under its name in the
//! ledger.

use std::cell::RefCell;
use std::collections::HashMap;

use isdb_region::Region;
use isdb_store::{Database, area_name};

use crate::decide::database_state::DatabaseState;
use crate::error::{Error, Result};

/// The areas of one database by name.
#[derive(Debug)]
pub(crate) struct Areas {
    /// Where new areas are stored; None if they are not stored, as in a dry run.
    storage: Option<Database>,
    regions: HashMap<String, Region>,
    /// Cached results of `covers`, which takes a while to compute for regions with many vertices.
    covers: RefCell<HashMap<(String, String), bool>>,
}

impl Areas {
    /// Reads the areas in the ledger of `state`. New areas are stored in its database.
    ///
    /// # Errors
    /// When an area cannot be read.
    pub(crate) async fn read(state: &DatabaseState) -> Result<Areas> {
        let mut areas = Areas { storage: state.database.clone(), regions: HashMap::new(), covers: RefCell::default() };
        let Some(database) = &state.database else { return Ok(areas) };
        for name in state.ledger.attempts().iter().filter_map(|attempt| attempt.selection.area.as_deref()) {
            if !areas.regions.contains_key(name) {
                let text = database.area(name).await?;
                let region = Region::parse(&text).map_err(|source| Error::Area { name: name.to_owned(), source })?;
                areas.regions.insert(name.to_owned(), region);
            }
        }
        Ok(areas)
    }

    /// Returns the same areas, without storing new ones from now on.
    pub(crate) fn without_storage(self) -> Areas {
        Areas { storage: None, ..self }
    }

    /// Adds `region`, stores it, and returns its name.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub(crate) async fn add(&mut self, region: &Region) -> Result<String> {
        let text = region.to_text();
        let name = match &self.storage {
            Some(database) => database.store_area(&text).await?,
            None => area_name(&text),
        };
        self.regions.insert(name.clone(), region.clone());
        Ok(name)
    }

    /// Returns the union of the areas `names` with its name; None for no names.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub(crate) async fn union(&mut self, names: &[String]) -> Result<Option<(String, Region)>> {
        let known: Vec<Region> = names.iter().filter_map(|name| self.regions.get(name)).cloned().collect();
        let Some(region) = known.into_iter().reduce(|union, area| union.union(&area)) else { return Ok(None) };
        let name = match names {
            [name] => name.clone(),
            _ => self.add(&region).await?,
        };
        Ok(Some((name, region)))
    }

    /// Returns the region of the area `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&Region> {
        self.regions.get(name)
    }

    /// Whether the area `outer` contains the area `inner`.
    pub(crate) fn covers(&self, outer: &str, inner: &str) -> bool {
        let (Some(region), Some(other)) = (self.regions.get(outer), self.regions.get(inner)) else { return false };
        let key = (outer.to_owned(), inner.to_owned());
        *self.covers.borrow_mut().entry(key).or_insert_with(|| region.covers(other))
    }
}
