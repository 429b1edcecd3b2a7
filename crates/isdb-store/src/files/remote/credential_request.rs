//! Requests to the services that give keys, and the keys.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use object_store::ClientOptions;
use object_store::aws::AwsCredential;
use object_store::client::{HttpClient, HttpConnector, HttpRequest, SpawnedReqwestConnector};
use tokio::runtime::Handle;

/// Attempts at a request that fails on the way, or because the service is overloaded.
const ATTEMPTS: u32 = 4;
/// The wait before the second attempt; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// Bytes of an error that are shown.
const SHOWN: usize = 300;

/// Why a key cannot be had, and what helps. Has no secret in it.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub(super) struct CredentialProblem {
    problem: String,
    pub(super) hint: Option<String>,
}

impl CredentialProblem {
    pub(super) fn new(problem: impl Into<String>) -> CredentialProblem {
        CredentialProblem { problem: problem.into(), hint: None }
    }

    pub(super) fn with_hint(self, hint: impl Into<String>) -> CredentialProblem {
        CredentialProblem { hint: Some(hint.into()), ..self }
    }
}

/// The answer of a service.
pub(super) struct ServiceAnswer {
    pub(super) status: u16,
    /// The body, which has a key if the status is 200.
    pub(super) body: String,
}

impl ServiceAnswer {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The status and the beginning of the body of a refusal.
    pub(super) fn refusal(&self) -> String {
        let body: String = self.body.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(SHOWN).collect();
        format!("{} {body}", self.status).trim_end().to_owned()
    }
}

/// A key, and when it expires.
pub(super) struct ExpiringKey {
    pub(super) key: AwsCredential,
    /// `None` if it does not expire.
    pub(super) expires: Option<DateTime<Utc>>,
}

/// The client of a service.
pub(super) struct CredentialRequests {
    client: HttpClient,
    endpoint: String,
}

impl CredentialRequests {
    /// A client of the service at `endpoint`. Sends no request.
    pub(super) fn new(endpoint: &str, runtime: &Handle) -> object_store::Result<CredentialRequests> {
        let options = ClientOptions::new().with_allow_http(endpoint.starts_with("http://"));
        let client = SpawnedReqwestConnector::new(runtime.clone()).connect(&options)?;
        Ok(CredentialRequests { client, endpoint: endpoint.to_owned() })
    }

    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Sends the request that `request` makes, again if it fails on the way or the service answers 5xx or 429.
    pub(super) async fn send(
        &self,
        request: impl Fn() -> Result<HttpRequest, CredentialProblem>,
    ) -> Result<ServiceAnswer, CredentialProblem> {
        let mut wait = FIRST_WAIT;
        for attempt in 1.. {
            let sent = self.once(request()?).await;
            let is_last = attempt == ATTEMPTS;
            match sent {
                Ok(answer) if is_last || (answer.status < 500 && answer.status != 429) => return Ok(answer),
                Err(problem) if is_last => return Err(problem),
                _ => tokio::time::sleep(wait).await,
            }
            wait *= 2;
        }
        Err(self.unreachable("no answer"))
    }

    async fn once(&self, request: HttpRequest) -> Result<ServiceAnswer, CredentialProblem> {
        let answer = self.client.execute(request).await.map_err(|error| self.unreachable(error))?;
        let status = answer.status().as_u16();
        let body = answer.into_body().bytes().await.map_err(|error| self.unreachable(error))?;
        Ok(ServiceAnswer { status, body: String::from_utf8_lossy(&body).into_owned() })
    }

    fn unreachable(&self, error: impl fmt::Display) -> CredentialProblem {
        CredentialProblem::new(format!("cannot reach {}: {error}", self.endpoint))
            .with_hint("check the region of the profile and the network")
    }
}
