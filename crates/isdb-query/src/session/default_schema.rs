//! The default schema of a session: the tables and views that statements and programs register, and the user's files.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{MemorySchemaProvider, SchemaProvider, TableProvider};
use datafusion::common::{Result, plan_datafusion_err};
use datafusion::execution::SessionState;
use datafusion::logical_expr::TableType;
use datafusion::prelude::SessionContext;

use crate::session::files::{UserFiles, open_file};

/// Makes the default schema of `context` open `files` as tables, or refuse them.
///
/// # Errors
/// When `context` has no default catalog.
pub(super) fn add_default_schema(context: &SessionContext, files: UserFiles) -> Result<()> {
    let session = context.state_weak_ref();
    let state = move || session.upgrade().map(|session| session.read().clone());
    let schema = DefaultSchema { tables: MemorySchemaProvider::new(), files, state: Box::new(state) };
    replace_default_schema(context, |_| Arc::new(schema))
}

/// Replaces the default schema of `context` by the result of `replacement`, which is called with the current one.
///
/// # Errors
/// When `context` has no default schema, or its catalog accepts no schemas.
pub(crate) fn replace_default_schema(
    context: &SessionContext,
    replacement: impl FnOnce(Arc<dyn SchemaProvider>) -> Arc<dyn SchemaProvider>,
) -> Result<()> {
    let names = context.copied_config().options().catalog.clone();
    let catalog = context.catalog(&names.default_catalog);
    let (Some(catalog), Some(current)) = (catalog, default_schema(context)) else {
        return Err(plan_datafusion_err!("the session has no schema {}", names.default_schema));
    };
    catalog.register_schema(&names.default_schema, replacement(current))?;
    Ok(())
}

/// Returns the default schema of `context`.
pub(crate) fn default_schema(context: &SessionContext) -> Option<Arc<dyn SchemaProvider>> {
    let config = context.copied_config();
    let names = &config.options().catalog;
    context.catalog(&names.default_catalog)?.schema(&names.default_schema)
}

/// Registered tables and views, and files, which are opened when a statement names them.
struct DefaultSchema {
    tables: MemorySchemaProvider,
    files: UserFiles,
    /// Returns the state of the session, as long as the session lives.
    state: Box<dyn Fn() -> Option<SessionState> + Send + Sync>,
}

impl std::fmt::Debug for DefaultSchema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DefaultSchema")
            .field("tables", &self.tables)
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl SchemaProvider for DefaultSchema {
    /// Returns the registered names in alphabetical order.
    fn table_names(&self) -> Vec<String> {
        let mut names = self.tables.table_names();
        names.sort();
        names
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if let Some(table) = self.tables.table(name).await? {
            return Ok(Some(table));
        }
        let state = (self.state)().ok_or_else(|| plan_datafusion_err!("the session of {name} has ended"))?;
        open_file(name, self.files, &state).await
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        self.tables.table_type(name).await
    }

    fn register_table(&self, name: String, table: Arc<dyn TableProvider>) -> Result<Option<Arc<dyn TableProvider>>> {
        self.tables.register_table(name, table)
    }

    fn deregister_table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        self.tables.deregister_table(name)
    }

    fn table_exist(&self, name: &str) -> bool {
        self.tables.table_exist(name)
    }
}
