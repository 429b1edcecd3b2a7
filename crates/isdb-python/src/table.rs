//! A table of a database in a session of another build of DataFusion, through its foreign function interface.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use datafusion_ffi::table_provider::FFI_TableProvider;
use isdb::datafusion::arrow::datatypes::SchemaRef;
use isdb::datafusion::catalog::{Session, TableProvider};
use isdb::datafusion::common::{Result, Statistics};
use isdb::datafusion::execution::TaskContextProvider;
use isdb::datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use isdb::datafusion::physical_plan::ExecutionPlan;
use isdb::datafusion::prelude::SessionContext;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::runtime::runtime;

/// The context in which other sessions decode expressions. The interface holds it weakly, so that it has to outlive every table.
static CONTEXT: OnceLock<Arc<SessionContext>> = OnceLock::new();

/// A table or view.
#[pyclass(frozen, module = "isdb._isdb")]
pub(crate) struct Table(Arc<dyn TableProvider>);

impl Table {
    /// A table that the session `context` plans.
    pub(crate) fn new(table: Arc<dyn TableProvider>, context: SessionContext) -> Table {
        Table(Arc::new(PlannedHere { table, context }))
    }
}

/// A table whose scans are planned by its own session: a view would otherwise have to pass its plan to the session of the other build,
/// which does not know the tables in it.
struct PlannedHere {
    table: Arc<dyn TableProvider>,
    context: SessionContext,
}

impl std::fmt::Debug for PlannedHere {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("PlannedHere").field(&self.table).finish()
    }
}

#[async_trait]
impl TableProvider for PlannedHere {
    fn schema(&self) -> SchemaRef {
        self.table.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn statistics(&self) -> Option<Statistics> {
        self.table.statistics()
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        self.table.supports_filters_pushdown(filters)
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.table.scan(&self.context.state(), projection, filters, limit).await
    }
}

#[pymethods]
impl Table {
    /// The table as the capsule that the package `datafusion` accepts. Filters, projections and limits reach the array.
    #[pyo3(signature = (_session = None))]
    fn __datafusion_table_provider__<'py>(
        &self,
        py: Python<'py>,
        _session: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let context = CONTEXT.get_or_init(|| Arc::new(SessionContext::new()));
        let context: Arc<dyn TaskContextProvider> = Arc::clone(context) as _;
        let engine = runtime(py)?.handle().clone();
        let table = FFI_TableProvider::new(Arc::clone(&self.0), true, Some(engine), &context, None);
        PyCapsule::new_with_value(py, table, c"datafusion_table_provider")
    }
}
