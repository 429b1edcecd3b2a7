//! Reads that a vacuum has overtaken: their errors are told as what they are, the end of a snapshot.

use std::error::Error as StdError;
use std::sync::Arc;

use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::TryStreamExt;
use isdb_store::{Error as Store, Snapshot};

use crate::error::Error;

/// Whether `error`, or one of its causes, is that a snapshot has expired: a vacuum has removed what it shows, and a session that
/// is opened anew sees the newest state.
#[must_use]
pub fn is_expired(error: &(dyn StdError + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        let own = matches!(error.downcast_ref(), Some(Error::Expired { .. } | Error::Store(Store::Expired { .. })));
        if own || matches!(error.downcast_ref(), Some(Store::Expired { .. })) {
            return true;
        }
        next = error.source();
    }
    false
}

/// `rows`, read of `snapshot`: an error is held against the commit log before it is given on.
pub(crate) fn watched(rows: SendableRecordBatchStream, snapshot: &Arc<Snapshot>) -> SendableRecordBatchStream {
    let (schema, snapshot) = (rows.schema(), Arc::clone(snapshot));
    let rows = rows.or_else(move |error| {
        let snapshot = Arc::clone(&snapshot);
        async move { Err(judged(&snapshot, error).await) }
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, rows))
}

/// That `snapshot` has expired, if a vacuum has passed it; else `error` itself, also when nobody can tell.
pub(crate) async fn judged<E>(snapshot: &Snapshot, error: E) -> E
where
    E: From<Error> + StdError + Send + Sync + 'static,
{
    match snapshot.is_expired().await {
        Ok(true) => {
            let (uri, commit) = (snapshot.uri().to_owned(), snapshot.commit().number);
            Error::Expired { uri, commit, source: Box::new(error) }.into()
        }
        _ => error,
    }
}
