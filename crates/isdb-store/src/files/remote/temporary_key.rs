//! A key that expires, and is requested again before it does.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use object_store::CredentialProvider;
use object_store::aws::{AwsCredential, AwsCredentialProvider};
use tokio::sync::Mutex;

use super::credential_request::{CredentialProblem, CredentialRequests, ExpiringKey};
use super::problem::NoCredentials;
use super::{assume_role, credential_process, sso};
use crate::files::storage_settings::{AssumedRole, SsoAccount};

/// A key is requested again if it is valid for less than this.
const LEAST_VALIDITY: TimeDelta = TimeDelta::minutes(5);
/// A key that is still valid is requested again after this time at the earliest.
const RETRY: Duration = Duration::from_secs(30);

/// Where a key comes from.
pub(super) enum KeySource {
    Sso(SsoAccount, CredentialRequests),
    /// A role, and the credentials that assume it.
    Role(AssumedRole, AwsCredentialProvider, CredentialRequests),
    Process {
        profile: String,
        command: String,
    },
    /// The role of the machine, which `object_store` requests. If it has none, no setting names any credentials.
    Machine(AwsCredentialProvider),
}

/// The key of a source. Requests that need a key at the same time wait for one of them to get it.
pub(super) struct TemporaryKey {
    source: KeySource,
    current: Mutex<Option<KnownKey>>,
}

/// The key that was requested last.
struct KnownKey {
    key: Arc<AwsCredential>,
    expires: Option<DateTime<Utc>>,
    /// When the last request was made. One that fails, or returns a key that expires soon, is not repeated for each request of data.
    requested: Instant,
}

impl KnownKey {
    fn is_valid_for(&self, least: TimeDelta) -> bool {
        self.expires.is_none_or(|at| at - Utc::now() > least)
    }
}

impl TemporaryKey {
    pub(super) fn new(source: KeySource) -> TemporaryKey {
        TemporaryKey { source, current: Mutex::new(None) }
    }

    async fn request(&self) -> Result<ExpiringKey, CredentialProblem> {
        match &self.source {
            KeySource::Sso(account, requests) => sso::key(account, requests).await,
            KeySource::Role(role, source, requests) => assume_role::key(role, source, requests).await,
            KeySource::Process { profile, command } => credential_process::key(profile, command).await,
            KeySource::Machine(_) => Err(CredentialProblem::new("the machine has no key")),
        }
    }
}

impl fmt::Debug for TemporaryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TemporaryKey")
    }
}

#[async_trait]
impl CredentialProvider for TemporaryKey {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        if let KeySource::Machine(role) = &self.source {
            return role.get_credential().await.map_err(|error| {
                tracing::debug!(%error, "the machine has no role");
                object_store::Error::Generic { store: "S3", source: Box::new(NoCredentials) }
            });
        }
        let mut current = self.current.lock().await;
        if let Some(current) = &*current
            && (current.is_valid_for(LEAST_VALIDITY)
                || current.is_valid_for(TimeDelta::zero()) && current.requested.elapsed() < RETRY)
        {
            return Ok(Arc::clone(&current.key));
        }
        let requested = match (self.request().await, &mut *current) {
            // The old one is valid for a little longer.
            (Err(problem), Some(current)) if current.is_valid_for(TimeDelta::zero()) => {
                tracing::warn!(%problem, "a key that expires soon could not be renewed");
                current.requested = Instant::now();
                return Ok(Arc::clone(&current.key));
            }
            (requested, _) => requested,
        };
        let ExpiringKey { key, expires } =
            requested.map_err(|problem| object_store::Error::Generic { store: "S3", source: Box::new(problem) })?;
        tracing::debug!(?expires, "new temporary key");
        let key = Arc::new(key);
        *current = Some(KnownKey { key: Arc::clone(&key), expires, requested: Instant::now() });
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Prints a key that is valid for two seconds, and counts its calls in the file of its argument.
    const PROGRAM: &str = "echo called >> \"$1\"\n\
        expires=$(date -u -d '+2 seconds' +%Y-%m-%dT%H:%M:%SZ)\n\
        echo \"{\\\"Version\\\": 1, \\\"AccessKeyId\\\": \\\"AK\\\", \\\"SecretAccessKey\\\": \\\"S\\\", \\\"Expiration\\\": \\\"$expires\\\"}\"\n";

    #[tokio::test(flavor = "multi_thread")]
    async fn a_key_is_requested_again_when_it_has_expired_and_not_for_each_request() {
        let folder = tempfile::tempdir().unwrap();
        let (program, calls) = (folder.path().join("key.sh"), folder.path().join("calls"));
        std::fs::write(&program, PROGRAM).unwrap();
        let command = format!("sh {} {}", program.display(), calls.display());
        let key = TemporaryKey::new(KeySource::Process { profile: "test".to_owned(), command });
        let count = || std::fs::read_to_string(&calls).unwrap().lines().count();
        for _ in 0..3 {
            key.get_credential().await.unwrap();
        }
        assert_eq!(count(), 1);
        tokio::time::sleep(Duration::from_millis(2_100)).await;
        key.get_credential().await.unwrap();
        assert_eq!(count(), 2);
    }
}
