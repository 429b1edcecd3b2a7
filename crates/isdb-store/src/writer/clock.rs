//! The writer's clock. A machine whose clock is ahead of the storage's would give commits times that others reach only later, and would
//! vacuum what has just died.

use std::fs;
use std::path::Path;
use std::time::{Instant, UNIX_EPOCH};

use tempfile::NamedTempFile;
use uuid::Uuid;

use crate::error::Result;
use crate::files::durable::io_error;
use crate::files::location::{Location, Place, STAGING};
use crate::files::remote::bucket::Bucket;

/// How far this machine's clock is ahead of the storage's.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    ahead_ms: u64,
}

/// Differences up to this are the storage's resolution and the time between two readings.
const TOLERANCE_MS: u64 = 2_000;

impl Clock {
    /// Compares `now_ms`, this machine's clock in milliseconds since 1970, with the time that the storage of the database at `location`
    /// gives to a new file. Blocks.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) when no file can be created.
    pub(super) fn compare(location: &Location, now_ms: u64) -> Result<Clock> {
        let begun = Instant::now();
        let storage_ms = match location.place() {
            Place::Folder(folder) => folder_time(folder)?,
            Place::Bucket(bucket) => bucket_time(bucket)?,
        };
        // The clock as of now: a slow answer must not make it look less ahead than it is.
        let now_ms = now_ms.saturating_add(u64::try_from(begun.elapsed().as_millis()).unwrap_or(0));
        let ahead_ms = now_ms.saturating_sub(storage_ms);
        if ahead_ms <= TOLERANCE_MS {
            return Ok(Clock::default());
        }
        tracing::warn!(seconds = ahead_ms / 1_000, folder = %location.uri(), "this machine's clock is ahead of the storage's, whose time is used");
        Ok(Clock { ahead_ms })
    }

    /// The storage's time when this machine's clock is at `now_ms`.
    pub(super) fn correct(self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.ahead_ms)
    }
}

/// The time that a file system gives to a new file, in milliseconds since 1970.
fn folder_time(folder: &Path) -> Result<u64> {
    let staging = folder.join(STAGING);
    let failed = |source| io_error(&staging, source);
    fs::create_dir_all(&staging).map_err(failed)?;
    let probe = NamedTempFile::with_prefix_in("clock-", &staging).map_err(failed)?;
    let modified = probe.as_file().metadata().and_then(|metadata| metadata.modified()).map_err(failed)?;
    Ok(u64::try_from(modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()).unwrap_or(u64::MAX))
}

/// The time that an object store gives to a new object, in milliseconds since 1970.
fn bucket_time(bucket: &Bucket) -> Result<u64> {
    let (of, path) = (bucket.clone(), format!("{STAGING}/clock-{}", Uuid::new_v4()));
    bucket.wait(async move {
        of.put(&path, "clock").await?;
        let probe = of.head(&path).await?;
        of.remove(vec![path]).await?;
        Ok(probe.map_or(u64::MAX, |probe| probe.modified_ms))
    })
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn a_clock_that_is_ahead_is_corrected_and_one_that_is_right_or_behind_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::parse(folder.path().to_str().unwrap()).unwrap();
        let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
        let day = 86_400_000;
        for right in [now, now - day] {
            assert_eq!(Clock::compare(&location, right).unwrap().correct(right + 5), right + 5);
        }
        let corrected = Clock::compare(&location, now + day).unwrap().correct(now + day);
        assert!(corrected.abs_diff(now) < 60_000, "{corrected} instead of {now}");
    }
}
