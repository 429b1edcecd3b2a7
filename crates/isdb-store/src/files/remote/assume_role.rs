//! Keys of a role that other credentials may assume (STS AssumeRole).

use chrono::{DateTime, Utc};
use http::Method;
use object_store::aws::{AwsAuthorizer, AwsCredential, AwsCredentialProvider};
use url::form_urlencoded::Serializer;

use super::credential_request::{CredentialProblem, CredentialRequests, ExpiringKey};
use super::problem::{StoreProblem, between};
use crate::files::storage_settings::AssumedRole;

/// The name of a session without one of its own.
const SESSION: &str = "isdb";

/// Requests a key of the role.
pub(super) async fn key(
    role: &AssumedRole,
    source: &AwsCredentialProvider,
    requests: &CredentialRequests,
) -> Result<ExpiringKey, CredentialProblem> {
    let source = source.get_credential().await.map_err(|error| {
        let StoreProblem { text, hint, .. } = StoreProblem::new(&error);
        let problem = CredentialProblem::new(text);
        if let Some(hint) = hint { problem.with_hint(hint) } else { problem }
    })?;
    let body = body(role);
    let request = || {
        let request = http::Request::builder().method(Method::POST).uri(format!("{}/", requests.endpoint()));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body.clone().into());
        let mut request =
            request.map_err(|error| CredentialProblem::new(format!("invalid URL {}: {error}", requests.endpoint())))?;
        AwsAuthorizer::new(&source, "sts", &role.region).authorize(&mut request, None);
        Ok(request)
    };
    let answer = requests.send(request).await?;
    let tag = |name: &str| between(&answer.body, &format!("<{name}>"), &format!("</{name}>")).map(str::to_owned);
    if !answer.is_success() {
        let refusal = match (tag("Code"), tag("Message")) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            _ => answer.refusal(),
        };
        let problem = CredentialProblem::new(format!("cannot assume the role {}: {refusal}", role.role_arn));
        return Err(problem
            .with_hint("check role_arn, source_profile and external_id of the profile, and who may assume the role"));
    }
    let unreadable = || CredentialProblem::new(format!("cannot read the answer of {}", requests.endpoint()));
    let value = |name: &str| tag(name).ok_or_else(unreadable);
    let key = AwsCredential {
        key_id: value("AccessKeyId")?,
        secret_key: value("SecretAccessKey")?,
        token: Some(value("SessionToken")?),
    };
    let expires = value("Expiration")?.parse::<DateTime<Utc>>().map_err(|_| unreadable())?;
    Ok(ExpiringKey { key, expires: Some(expires) })
}

fn body(role: &AssumedRole) -> String {
    let mut body = Serializer::new(String::new());
    body.append_pair("Action", "AssumeRole").append_pair("Version", "2011-06-15");
    body.append_pair("RoleArn", &role.role_arn);
    body.append_pair("RoleSessionName", role.session_name.as_deref().unwrap_or(SESSION));
    if let Some(id) = &role.external_id {
        body.append_pair("ExternalId", id);
    }
    if let Some(seconds) = role.duration_seconds {
        body.append_pair("DurationSeconds", &seconds.to_string());
    }
    body.finish()
}
