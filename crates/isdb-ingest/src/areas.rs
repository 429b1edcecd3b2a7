//! The areas that segments were taken from: kept in the database once each, and compared by what they contain.

use std::cell::RefCell;
use std::collections::HashMap;

use isdb_region::Region;
use isdb_store::{Database, LedgerRow, area_name};

use crate::error::{Error, Result};

/// The areas of one database, by the names that its ledger has for them.
#[derive(Debug)]
pub(crate) struct Areas {
    /// Where they are kept; None keeps nothing.
    database: Option<Database>,
    known: HashMap<String, Region>,
    /// Which area covers which: with many vertices that takes a while to tell.
    covered: RefCell<HashMap<(String, String), bool>>,
}

impl Areas {
    /// Those that `ledger` names.
    ///
    /// # Errors
    /// When one cannot be read.
    pub(crate) async fn of(database: &Database, ledger: &[LedgerRow]) -> Result<Areas> {
        let mut areas = Areas { database: Some(database.clone()), ..Areas::unkept() };
        for name in ledger.iter().filter_map(|row| row.area.as_deref()) {
            areas.learn(name, database).await?;
        }
        Ok(areas)
    }

    /// None, and new ones are nowhere kept.
    pub(crate) fn unkept() -> Areas {
        Areas { database: None, known: HashMap::new(), covered: RefCell::default() }
    }

    /// The same, but new ones are nowhere kept.
    pub(crate) fn without_keeping(self) -> Areas {
        Areas { database: None, ..self }
    }

    /// The name of `region`, which is in the database from now on.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub(crate) async fn name(&mut self, region: &Region) -> Result<String> {
        let text = region.to_text();
        let name = match &self.database {
            Some(database) => database.store_area(&text).await?,
            None => area_name(&text),
        };
        self.known.insert(name.clone(), region.clone());
        Ok(name)
    }

    /// The region that the areas called `names` are together, and its name.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub(crate) async fn union(&mut self, names: &[String]) -> Result<Option<(String, Region)>> {
        let known: Vec<Region> = names.iter().filter_map(|name| self.known.get(name)).cloned().collect();
        let Some(region) = known.into_iter().reduce(|united, area| united.union(&area)) else { return Ok(None) };
        let name = match names {
            [name] => name.clone(),
            _ => self.name(&region).await?,
        };
        Ok(Some((name, region)))
    }

    /// The area called `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&Region> {
        self.known.get(name)
    }

    /// Whether the area called `outer` contains the one called `inner`.
    pub(crate) fn covers(&self, outer: &str, inner: &str) -> bool {
        let (Some(region), Some(other)) = (self.known.get(outer), self.known.get(inner)) else { return false };
        let key = (outer.to_owned(), inner.to_owned());
        *self.covered.borrow_mut().entry(key).or_insert_with(|| region.covers(other))
    }

    async fn learn(&mut self, name: &str, database: &Database) -> Result<()> {
        if self.known.contains_key(name) {
            return Ok(());
        }
        let text = database.area(name).await?;
        let region = Region::parse(&text).map_err(|source| Error::Area { name: name.to_owned(), source })?;
        self.known.insert(name.to_owned(), region);
        Ok(())
    }
}
