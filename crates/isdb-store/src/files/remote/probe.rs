//! Whether a store has conditional writes. Without them, two writers could both get the same commit.

use uuid::Uuid;

use super::bucket::{Bucket, is_changed, is_not_implemented};
use crate::error::{Error, Result};
use crate::files::location::STAGING;

/// An entity tag that no object has.
const WRONG_TAG: &str = "\"00000000000000000000000000000000\"";

/// Checks that the store refuses to create an object twice, and to replace one by another entity tag than its own; nothing with a single
/// writer. It needs the permissions that a writer needs: to write and to delete.
///
/// # Errors
/// [`Error::NoConditionalWrites`]; [`Error::Store`] when an object can be neither written nor removed.
pub(crate) async fn check_conditional_writes(bucket: &Bucket) -> Result<()> {
    if bucket.is_single_writer() {
        return Ok(());
    }
    let path = format!("{STAGING}/probe-{}", Uuid::new_v4());
    let lacking = |condition: &'static str| Error::NoConditionalWrites { uri: bucket.uri().to_owned(), condition };
    let refused = |result: Result<Option<String>>, condition| match result {
        Err(error) if is_changed(&error) => Ok(()),
        Err(error) if is_not_implemented(&error) => Err(lacking(condition)),
        Err(error) => Err(error),
        Ok(_) => Err(lacking(condition)),
    };
    let (created, none_match) = (bucket.put_new(&path, "probe").await, "If-None-Match");
    match created {
        // Nothing else has this name: the answer to an earlier request was lost, and the repeated one is refused.
        Err(error) if is_changed(&error) => {}
        Err(error) if is_not_implemented(&error) => return Err(lacking(none_match)),
        created => drop(created?),
    }
    let checked = match refused(bucket.put_new(&path, "probe").await, none_match) {
        Ok(()) => refused(bucket.put_over(&path, "probe", WRONG_TAG).await, "If-Match"),
        lacking => lacking,
    };
    let removed = bucket.remove(vec![path]).await;
    checked.and(removed)
}
