//! Keys that a program prints (`credential_process`).

use std::process::{Command, Stdio};

use chrono::{DateTime, Utc};
use object_store::aws::AwsCredential;
use serde::Deserialize;

use super::credential_request::{CredentialProblem, ExpiringKey};

/// What the program prints.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PrintedKey {
    version: u32,
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    expiration: Option<DateTime<Utc>>,
}

/// Runs the program, and returns the key that it prints.
pub(super) async fn key(profile: &str, command: &str) -> Result<ExpiringKey, CredentialProblem> {
    let problem = |text: &str| {
        let hint = format!("run credential_process of the profile {profile} in a terminal");
        CredentialProblem::new(format!("credential_process of the profile {profile} {text}")).with_hint(hint)
    };
    let parts = shlex::split(command).filter(|parts| !parts.is_empty());
    let mut parts = parts.ok_or_else(|| problem("has an open quote, or is empty"))?.into_iter();
    let program = parts.next().unwrap_or_default();
    let arguments: Vec<String> = parts.collect();
    let run = move || {
        // It may ask on the terminal, by standard error.
        Command::new(program).args(arguments).stderr(Stdio::inherit()).stdin(Stdio::inherit()).output()
    };
    let run = tokio::task::spawn_blocking(run).await.map_err(|_| problem("was stopped"))?;
    let run = run.map_err(|error| problem(&format!("cannot be run: {error}")))?;
    if !run.status.success() {
        return Err(problem(&format!("failed ({})", run.status)));
    }
    // A parser's error would show a part of what was printed.
    let unreadable = || problem("printed no key: expected JSON with Version 1, AccessKeyId and SecretAccessKey");
    let printed: PrintedKey = serde_json::from_slice(&run.stdout).map_err(|_| unreadable())?;
    if printed.version != 1 {
        return Err(unreadable());
    }
    let PrintedKey { access_key_id, secret_access_key, session_token, expiration, .. } = printed;
    if expiration.is_some_and(|expires| expires <= Utc::now()) {
        return Err(problem("printed a key that has expired"));
    }
    let key = AwsCredential { key_id: access_key_id, secret_key: secret_access_key, token: session_token };
    Ok(ExpiringKey { key, expires: expiration })
}
