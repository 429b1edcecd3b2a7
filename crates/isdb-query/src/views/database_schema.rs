//! The default schema of a session with a database: the tables and views of the database, and the names of the session itself.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::common::Result;
use datafusion::logical_expr::TableType;
use datafusion::prelude::SessionContext;

use crate::error::Error;
use crate::session::default_schema::{default_schema, replace_default_schema};
use crate::views::database_tables::DatabaseTables;

/// Adds `tables` to the default schema of `context`.
///
/// # Errors
/// When `context` has no default schema.
pub(crate) fn add_tables(context: &SessionContext, tables: Arc<DatabaseTables>) -> Result<()> {
    replace_default_schema(context, |others| Arc::new(DatabaseSchema { tables, others }))
}

/// Returns the tables that [`add_tables`] added to `context`.
pub(crate) fn tables_of(context: &SessionContext) -> Option<Arc<DatabaseTables>> {
    let schema = default_schema(context)?;
    schema.downcast_ref::<DatabaseSchema>().map(|schema| Arc::clone(&schema.tables))
}

#[derive(Debug)]
struct DatabaseSchema {
    tables: Arc<DatabaseTables>,
    /// The schema before the database was added: tables, views and files of the session.
    others: Arc<dyn SchemaProvider>,
}

#[async_trait]
impl SchemaProvider for DatabaseSchema {
    /// Returns all names in alphabetical order.
    fn table_names(&self) -> Vec<String> {
        let mut names = self.tables.table_names();
        names.extend(self.others.table_names());
        names.sort();
        names
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        match self.tables.table(name).await? {
            Some(table) => Ok(Some(table)),
            None => self.others.table(name).await,
        }
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        match self.tables.table_type(name).await? {
            Some(table_type) => Ok(Some(table_type)),
            None => self.others.table_type(name).await,
        }
    }

    fn register_table(&self, name: String, table: Arc<dyn TableProvider>) -> Result<Option<Arc<dyn TableProvider>>> {
        self.refuse_own(&name)?;
        self.others.register_table(name, table)
    }

    fn deregister_table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        self.refuse_own(name)?;
        self.others.deregister_table(name)
    }

    fn table_exist(&self, name: &str) -> bool {
        self.tables.table_exist(name) || self.others.table_exist(name)
    }
}

impl DatabaseSchema {
    /// Refuses to replace or drop a table or view of the database.
    fn refuse_own(&self, name: &str) -> Result<()> {
        match self.tables.table_exist(name) {
            true => Err(Error::Reserved { name: name.to_owned() }.into()),
            false => Ok(()),
        }
    }
}
