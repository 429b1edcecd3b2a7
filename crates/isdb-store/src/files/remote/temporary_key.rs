//! A key that expires, and is requested again before it does.

use std::fmt;
use std::sync::Arc;

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
    current: Mutex<Option<(Arc<AwsCredential>, Option<DateTime<Utc>>)>>,
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
        let is_valid = |expires: &Option<DateTime<Utc>>, least| expires.is_none_or(|at| at - Utc::now() > least);
        if let Some((key, expires)) = &*current
            && is_valid(expires, LEAST_VALIDITY)
        {
            return Ok(Arc::clone(key));
        }
        let requested = match (self.request().await, &*current) {
            // The old one is valid for a little longer.
            (Err(problem), Some((key, expires))) if is_valid(expires, TimeDelta::zero()) => {
                tracing::warn!(%problem, "a key that expires soon could not be renewed");
                return Ok(Arc::clone(key));
            }
            (requested, _) => requested,
        };
        let ExpiringKey { key, expires } =
            requested.map_err(|problem| object_store::Error::Generic { store: "S3", source: Box::new(problem) })?;
        tracing::debug!(?expires, "new temporary key");
        let key = Arc::new(key);
        *current = Some((Arc::clone(&key), expires));
        Ok(key)
    }
}
