//! Replaces errors of reads, because the owner of an array may know more about their cause than the scan.

use std::fmt::{self, Formatter};
use std::sync::Arc;

use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::TryStreamExt;
use futures::future::BoxFuture;

/// Receives every error that ends a read of the array, and returns the error to report instead. For example, a database
/// whose old fragments may be vacuumed reports that the reader's snapshot has expired.
#[derive(Clone)]
pub struct ErrorHook(Arc<dyn Fn(DataFusionError) -> BoxFuture<'static, DataFusionError> + Send + Sync>);

impl ErrorHook {
    /// Creates a hook from a function.
    pub fn new(hook: impl Fn(DataFusionError) -> BoxFuture<'static, DataFusionError> + Send + Sync + 'static) -> Self {
        Self(Arc::new(hook))
    }

    /// Passes an error through the hook.
    pub(crate) async fn explain(&self, error: DataFusionError) -> DataFusionError {
        (self.0)(error).await
    }

    /// Passes the errors of `rows` through the hook.
    pub(crate) fn watch(&self, rows: SendableRecordBatchStream) -> SendableRecordBatchStream {
        let (schema, hook) = (rows.schema(), Arc::clone(&self.0));
        let rows = rows.or_else(move |error| {
            let explained = hook(error);
            async move { Err(explained.await) }
        });
        Box::pin(RecordBatchStreamAdapter::new(schema, rows))
    }
}

impl fmt::Debug for ErrorHook {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("ErrorHook")
    }
}
