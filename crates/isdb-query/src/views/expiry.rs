//! Explains read errors that occur because a vacuum has removed the data: the snapshot has expired.

use std::error::Error as StdError;
use std::sync::Arc;

use datafusion::error::DataFusionError;
use isdb_store::{Error as Store, Snapshot};
use tiledb_datafusion::ErrorHook;

use crate::error::Error;

/// Whether `error` or one of its causes says that a snapshot has expired: a vacuum has removed its data, and a new session sees
/// the newest state.
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

/// Creates a hook that replaces read errors of `snapshot` with [`Error::Expired`] if a vacuum has removed the snapshot, and describes
/// damaged files.
pub(crate) fn expiry_hook(snapshot: &Arc<Snapshot>) -> ErrorHook {
    let snapshot = Arc::clone(snapshot);
    ErrorHook::new(move |error| {
        let snapshot = Arc::clone(&snapshot);
        Box::pin(async move {
            match explain_expiry(&snapshot, error, DataFusionError::from).await {
                DataFusionError::External(error) => describe_damage(&snapshot, error).await,
                other => other,
            }
        })
    })
}

/// Replaces an error of a file of `snapshot` by one that says what is damaged.
async fn describe_damage(snapshot: &Snapshot, error: Box<dyn StdError + Send + Sync>) -> DataFusionError {
    match error.downcast::<tiledb_datafusion::Error>() {
        Ok(error) => match *error {
            tiledb_datafusion::Error::Read {
                source: source @ (tiledb::Error::File { .. } | tiledb::Error::Format { .. }),
                ..
            } => Error::Store(snapshot.describe(source).await).into(),
            other => other.into(),
        },
        Err(error) => DataFusionError::External(error),
    }
}

/// Returns [`Error::Expired`], converted by `convert`, if a vacuum has removed `snapshot`; else, or if that cannot be determined,
/// `error` itself.
pub(crate) async fn explain_expiry<E>(snapshot: &Snapshot, error: E, convert: impl FnOnce(Error) -> E) -> E
where
    E: StdError + Send + Sync + 'static,
{
    match snapshot.is_expired().await {
        Ok(true) => {
            let (uri, commit) = (snapshot.uri(), snapshot.commit());
            convert(Error::Expired { uri, commit, source: Box::new(error) })
        }
        _ => error,
    }
}
