//! The writer's lock in an object store: an object that its holder renews. It saves a second writer from useless work; correctness comes
//! from the conditional commit.
//!
//! A lock is never deleted, but replaced if its entity tag is the one that was read, so that exactly one of two processes gets it. A
//! process on the same host that is gone loses its lock at once. The lock of another host is watched for one lifetime, by this
//! machine's monotonic clock: clocks of different machines are never compared.

use std::collections::BTreeSet;
use std::process;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::bucket::{Bucket, is_changed, is_not_found};
use crate::error::{Error, Result};
use crate::files::location::LOCK;

/// A lock is renewed this many times in its lifetime.
const RENEWALS: u32 = 4;
/// The lock of another host is looked at this many times in its lifetime.
const LOOKS: u32 = 6;
/// How often a lock that others change at the same time is tried.
const TRIES: usize = 5;

/// The content of the lock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Holder {
    /// A number of the lock that the process has; None if it was released.
    uuid: Option<String>,
    /// Name of the machine, its boot and its process numbers.
    host: String,
    process: u32,
    /// When the process was started, in ticks since the boot: process numbers are used again.
    started: u64,
    lifetime_ms: u64,
    /// Changes with each renewal, so that the entity tag does.
    renewals: u64,
}

/// A lock that is renewed until it is dropped.
#[derive(Debug)]
pub(crate) struct ObjectLock {
    bucket: Bucket,
    uuid: String,
    current: Arc<Mutex<Current>>,
    renewing: JoinHandle<()>,
}

/// The lock as this process knows it.
#[derive(Debug)]
struct Current {
    holder: Holder,
    tag: String,
    /// When the last request that renewed it was begun.
    renewed: Instant,
    is_lost: bool,
}

impl ObjectLock {
    /// Locks the database in `bucket`. Waits for one lifetime of a lock that a process of another host may still have.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process has it.
    pub(crate) async fn acquire(bucket: &Bucket) -> Result<ObjectLock> {
        let holder = Holder::new(bucket.lock_lifetime());
        for _ in 0..TRIES {
            let begun = Instant::now();
            let written = match read(bucket).await? {
                None => bucket.put_new(LOCK, to_json(&holder)?).await,
                Some((found, tag)) => {
                    wait_for(bucket, &found, &tag).await?;
                    bucket.put_over(LOCK, to_json(&holder)?, &tag).await
                }
            };
            let tag = match written {
                Ok(Some(tag)) => Some(tag),
                Err(error) if !is_changed(&error) => return Err(error),
                // Another process was faster, or the answer to an earlier request of this one was lost.
                _ => read(bucket).await?.filter(|(found, _)| found.uuid == holder.uuid).map(|(_, tag)| tag),
            };
            if let Some(tag) = tag {
                own_locks().extend(holder.uuid.clone());
                let current = Current { holder, tag, renewed: begun, is_lost: false };
                return Ok(ObjectLock::new(bucket, current));
            }
        }
        Err(locked(bucket))
    }

    fn new(bucket: &Bucket, current: Current) -> ObjectLock {
        let uuid = current.holder.uuid.clone().unwrap_or_default();
        let current = Arc::new(Mutex::new(current));
        let (renewed, of) = (Arc::clone(&current), bucket.clone());
        let renewing = bucket.runtime().spawn(async move {
            loop {
                tokio::time::sleep(of.lock_lifetime() / RENEWALS).await;
                let mut current = renewed.lock().await;
                current.renew(&of).await;
                if current.is_lost {
                    return;
                }
            }
        });
        ObjectLock { bucket: bucket.clone(), uuid, current, renewing }
    }

    /// Checks that this process still has the lock: it was renewed within half its lifetime, or can be renewed now.
    ///
    /// # Errors
    /// [`Error::LostLock`].
    pub(crate) async fn check(&self) -> Result<()> {
        let mut current = self.current.lock().await;
        if current.is_old(&self.bucket) {
            current.renew(&self.bucket).await;
        }
        match current.is_lost || current.is_old(&self.bucket) {
            true => Err(Error::LostLock { uri: self.bucket.uri().to_owned() }),
            false => Ok(()),
        }
    }
}

impl Drop for ObjectLock {
    /// Releases the lock, and waits for that: the process may end next. If it cannot be released, others wait for one lifetime.
    fn drop(&mut self) {
        self.renewing.abort();
        own_locks().remove(&self.uuid);
        let (bucket, current) = (self.bucket.clone(), Arc::clone(&self.current));
        let released = self.bucket.wait(async move {
            let release = async {
                let current = current.lock().await;
                if current.is_lost {
                    return Ok(());
                }
                let free = to_json(&Holder { uuid: None, ..current.holder.clone() })?;
                match bucket.put_over(LOCK, free.clone(), &current.tag).await {
                    // A renewal was under way when it was given up.
                    Err(error) if is_changed(&error) => match current.read_back(&bucket).await? {
                        Some(tag) => bucket.put_over(LOCK, free, &tag).await.map(drop),
                        None => Ok(()),
                    },
                    released => released.map(drop),
                }
            };
            match tokio::time::timeout(bucket.lock_lifetime() / RENEWALS, release).await {
                Ok(released) => released,
                Err(_) => Err(Error::LostLock { uri: bucket.uri().to_owned() }),
            }
        });
        if let Err(error) = released {
            tracing::debug!(%error, "the lock was not released");
        }
    }
}

impl Current {
    fn is_old(&self, bucket: &Bucket) -> bool {
        self.renewed.elapsed() > bucket.lock_lifetime() / 2
    }

    /// Renews the lock. A refusal is read back: the answer to an earlier request may be lost.
    async fn renew(&mut self, bucket: &Bucket) {
        if self.is_lost {
            return;
        }
        self.holder.renewals += 1;
        let begun = Instant::now();
        let Ok(content) = to_json(&self.holder) else { return };
        let tag = match bucket.put_over(LOCK, content, &self.tag).await {
            Ok(Some(tag)) => Some(tag),
            Err(error) if !is_changed(&error) && !is_not_found(&error) => {
                tracing::warn!(%error, "cannot renew the lock");
                return;
            }
            _ => match self.read_back(bucket).await {
                Ok(tag) => tag,
                Err(error) => {
                    tracing::warn!(%error, "cannot renew the lock");
                    return;
                }
            },
        };
        match tag {
            Some(tag) => (self.tag, self.renewed) = (tag, begun),
            None => {
                tracing::warn!(uri = bucket.uri(), "another writer has the lock");
                self.is_lost = true;
            }
        }
    }

    /// The entity tag of the lock if this process has it.
    async fn read_back(&self, bucket: &Bucket) -> Result<Option<String>> {
        Ok(read(bucket).await?.filter(|(found, _)| found.uuid == self.holder.uuid).map(|(_, tag)| tag))
    }
}

impl Holder {
    fn new(lifetime: Duration) -> Holder {
        Holder {
            uuid: Some(Uuid::new_v4().to_string()),
            host: host(),
            process: process::id(),
            started: started(process::id()).unwrap_or(0),
            lifetime_ms: u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX),
            renewals: 0,
        }
    }

    /// Whether the process is alive; None if it is one of another host.
    fn is_alive(&self) -> Option<bool> {
        let is_here = !self.host.is_empty() && self.host == host();
        is_here.then(|| {
            let is_own = self.process == process::id() && started(self.process) == Some(self.started);
            match is_own {
                // One that could not be released.
                true => self.uuid.as_ref().is_some_and(|uuid| own_locks().contains(uuid)),
                false => started(self.process) == Some(self.started),
            }
        })
    }
}

/// The locks that this process has.
fn own_locks() -> std::sync::MutexGuard<'static, BTreeSet<String>> {
    static OWN: std::sync::Mutex<BTreeSet<String>> = std::sync::Mutex::new(BTreeSet::new());
    OWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns once the lock with the entity tag `tag` may be replaced.
///
/// # Errors
/// [`Error::Locked`] when its holder is alive.
async fn wait_for(bucket: &Bucket, found: &Holder, tag: &str) -> Result<()> {
    if found.uuid.is_none() {
        return Ok(());
    }
    match found.is_alive() {
        Some(true) => return Err(locked(bucket)),
        Some(false) => {
            tracing::info!(process = found.process, "the process that had the lock is gone");
            return Ok(());
        }
        None => {}
    }
    let lifetime = Duration::from_millis(found.lifetime_ms).max(bucket.lock_lifetime());
    tracing::warn!(
        uri = bucket.uri(),
        host = found.host,
        process = found.process,
        seconds = lifetime.as_secs_f64(),
        "a writer of another host has the lock; waiting whether it renews it"
    );
    let begun = Instant::now();
    while begun.elapsed() < lifetime {
        tokio::time::sleep(lifetime / LOOKS).await;
        match read(bucket).await? {
            Some((other, _)) if other.uuid.is_none() => return Ok(()),
            Some((_, unchanged)) if unchanged == tag => {}
            _ => return Err(locked(bucket)),
        }
    }
    Ok(())
}

/// The lock and its entity tag; None if there is none. One that cannot be parsed is one of another host.
async fn read(bucket: &Bucket) -> Result<Option<(Holder, String)>> {
    let (content, tag) = match bucket.get_tagged(LOCK).await {
        Err(error) if is_not_found(&error) => return Ok(None),
        found => found?,
    };
    let unknown = |_| Holder { host: String::new(), ..Holder::new(bucket.lock_lifetime()) };
    Ok(Some((serde_json::from_slice(&content).unwrap_or_else(unknown), tag.unwrap_or_default())))
}

fn to_json(holder: &Holder) -> Result<Vec<u8>> {
    serde_json::to_vec(holder).map_err(|error| Error::Damaged { object: LOCK.to_owned(), problem: error.to_string() })
}

fn locked(bucket: &Bucket) -> Error {
    Error::Locked { uri: bucket.uri().to_owned() }
}

/// What two processes have in common if one can see whether the other is alive; empty where that cannot be known.
fn host() -> String {
    let read = |path: &str| std::fs::read_to_string(path).map(|text| text.trim().to_owned());
    let namespace = std::fs::read_link("/proc/self/ns/pid").map(|link| link.to_string_lossy().into_owned());
    match (read("/proc/sys/kernel/hostname"), read("/proc/sys/kernel/random/boot_id"), namespace) {
        (Ok(name), Ok(boot), Ok(namespace)) => format!("{name} {boot} {namespace}"),
        _ => String::new(),
    }
}

/// When a process was started, in ticks since the boot; None if it does not exist.
fn started(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name of the program, which may contain anything, is in parentheses; the time is the 22nd field.
    status.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_alive_unless_another_one_has_its_number() {
        let own = Holder::new(Duration::from_secs(1));
        if own.host.is_empty() {
            return;
        }
        assert_eq!(own.is_alive(), Some(false), "this process does not have it");
        let parent = std::os::unix::process::parent_id();
        if let Some(started) = started(parent) {
            assert_eq!(Holder { process: parent, started, ..own.clone() }.is_alive(), Some(true));
            assert_eq!(Holder { process: parent, started: started + 1, ..own.clone() }.is_alive(), Some(false));
        }
        assert_eq!(Holder { host: "elsewhere".to_owned(), ..own }.is_alive(), None);
    }
}
