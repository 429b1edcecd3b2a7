//! Filters that operators above a scan tighten while it runs, such as the lowest of the ten largest values so far.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::error::Result;
use datafusion::physical_expr::{DynamicFilterTracking, PhysicalExpr, conjunction};
use datafusion::physical_expr_common::physical_expr::snapshot_physical_expr;
use tiledb::{Array, Predicate};

use crate::predicate::from_physical;

/// Watches the dynamic filters of a scan.
#[derive(Debug)]
pub(crate) struct DynamicFilterWatch {
    filter: Arc<dyn PhysicalExpr>,
    tracking: DynamicFilterTracking,
    /// Whether the filter was never read.
    is_new: bool,
}

impl DynamicFilterWatch {
    /// Watches all of `filters`; `None` if there are none.
    pub(crate) fn new(filters: &[Arc<dyn PhysicalExpr>]) -> Option<Self> {
        let filter = (!filters.is_empty()).then(|| conjunction(filters.iter().map(Arc::clone)))?;
        let tracking = DynamicFilterTracking::classify(&filter);
        Some(Self { filter, tracking, is_new: true })
    }

    /// Returns the condition on attributes that the filters amount to now, if they have changed since the last call. Rows that do
    /// not meet it are not needed; others may not be needed either.
    pub(crate) fn changed(&mut self, array: &Array, schema: &SchemaRef) -> Result<Option<Predicate>> {
        let has_changed = self.tracking.watcher().is_some_and(|tracker| tracker.changed());
        if !has_changed && !self.is_new {
            return Ok(None);
        }
        self.is_new = false;
        let now = snapshot_physical_expr(Arc::clone(&self.filter))?;
        let pushdown = array.pushdown(&from_physical(&now, schema));
        if pushdown.is_never() {
            return Ok(Some(Predicate::FALSE));
        }
        Ok(Some(pushdown.into_parts().1.unwrap_or(Predicate::TRUE)))
    }
}
