//! The client of a bucket, made of the settings.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::client::SpawnedReqwestConnector;
use object_store::{BackoffConfig, ClientOptions, RetryConfig};
use secrecy::ExposeSecret;
use tokio::runtime::Handle;

use super::credential_request::CredentialRequests;
use super::temporary_key::{KeySource, TemporaryKey};
use crate::files::storage_settings::{StorageCredentials, StorageSettings};

/// Requests are repeated for about half a minute: a store that is overloaded recovers, and a wrong address is soon reported.
const RETRIES: RetryConfig = RetryConfig {
    backoff: BackoffConfig { init_backoff: Duration::from_millis(100), max_backoff: Duration::from_secs(5), base: 2.0 },
    max_retries: 10,
    retry_timeout: Duration::from_secs(60),
};
/// The service of a cloud that knows a machine's role answers at once or does not exist.
const MACHINE_RETRIES: RetryConfig = RetryConfig {
    backoff: BackoffConfig { init_backoff: Duration::from_millis(100), max_backoff: Duration::from_secs(1), base: 2.0 },
    max_retries: 1,
    retry_timeout: Duration::from_secs(5),
};

/// Returns the client of the bucket `name`. Its connections belong to `runtime`. Sends no request.
pub(super) fn connect(name: &str, settings: &StorageSettings, runtime: &Handle) -> object_store::Result<AmazonS3> {
    let builder = || {
        let builder = AmazonS3Builder::new()
            .with_bucket_name(name)
            .with_http_connector(SpawnedReqwestConnector::new(runtime.clone()))
            .with_client_options(ClientOptions::new().with_allow_http(settings.allow_http));
        match &settings.region {
            Some(region) => builder.with_region(region),
            None => builder,
        }
    };
    let path_style = settings.path_style.unwrap_or(settings.endpoint.is_some() || name.contains('.'));
    let mut bucket = builder().with_retry(RETRIES).with_virtual_hosted_style_request(!path_style);
    if let Some(endpoint) = &settings.endpoint {
        bucket = bucket.with_endpoint(if path_style { endpoint.clone() } else { with_host_of_bucket(endpoint, name) });
    }
    bucket = with_credentials(bucket, &settings.credentials, &builder, runtime)?;
    bucket.build()
}

/// Sets who makes the requests. `builder` makes another client of the same store.
fn with_credentials(
    bucket: AmazonS3Builder,
    credentials: &StorageCredentials,
    builder: &impl Fn() -> AmazonS3Builder,
    runtime: &Handle,
) -> object_store::Result<AmazonS3Builder> {
    Ok(match credentials {
        StorageCredentials::Anonymous => bucket.with_skip_signature(true),
        StorageCredentials::Key { id, secret, token } => {
            let bucket = bucket.with_access_key_id(id.expose_secret()).with_secret_access_key(secret.expose_secret());
            match token {
                Some(token) => bucket.with_token(token.expose_secret()),
                None => bucket,
            }
        }
        StorageCredentials::WebIdentity { token_file, role_arn, session_name } => {
            use object_store::aws::AmazonS3ConfigKey as Key;
            let bucket = bucket.with_config(Key::WebIdentityTokenFile, token_file.to_string_lossy());
            let bucket = bucket.with_config(Key::RoleArn, role_arn);
            match session_name {
                Some(name) => bucket.with_config(Key::RoleSessionName, name),
                None => bucket,
            }
        }
        StorageCredentials::Container { relative_uri } => {
            bucket.with_config(object_store::aws::AmazonS3ConfigKey::ContainerCredentialsRelativeUri, relative_uri)
        }
        StorageCredentials::Pod { uri, token_file } => {
            use object_store::aws::AmazonS3ConfigKey as Key;
            let bucket = bucket.with_config(Key::ContainerCredentialsFullUri, uri);
            bucket.with_config(Key::ContainerAuthorizationTokenFile, token_file.to_string_lossy())
        }
        StorageCredentials::Machine => {
            // A client of its own for the role of the machine: it must not be repeated for as long as other requests.
            let role = builder().with_retry(MACHINE_RETRIES).build()?;
            let source = KeySource::Machine(Arc::clone(role.credentials()));
            bucket.with_credentials(Arc::new(TemporaryKey::new(source)))
        }
        StorageCredentials::Sso(account) => {
            let requests = CredentialRequests::new(&account.endpoint, runtime)?;
            bucket.with_credentials(Arc::new(TemporaryKey::new(KeySource::Sso(account.clone(), requests))))
        }
        StorageCredentials::Role(role) => {
            // A client that is never used has the credentials of the source.
            let source = with_credentials(builder(), &role.source, builder, runtime)?.build()?;
            let requests = CredentialRequests::new(&role.endpoint, runtime)?;
            let source = KeySource::Role((**role).clone(), Arc::clone(source.credentials()), requests);
            bucket.with_credentials(Arc::new(TemporaryKey::new(source)))
        }
        StorageCredentials::Process { profile, command } => {
            let source = KeySource::Process { profile: profile.clone(), command: command.clone() };
            bucket.with_credentials(Arc::new(TemporaryKey::new(source)))
        }
    })
}

/// `https://host/…` as `https://bucket.host/…`, unless it names the bucket already.
fn with_host_of_bucket(endpoint: &str, bucket: &str) -> String {
    match endpoint.split_once("://") {
        Some((scheme, rest)) if !rest.starts_with(&format!("{bucket}.")) => format!("{scheme}://{bucket}.{rest}"),
        _ => endpoint.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_virtual_host_has_the_bucket_once() {
        assert_eq!(with_host_of_bucket("https://s3.lab:9000", "data"), "https://data.s3.lab:9000");
        assert_eq!(with_host_of_bucket("https://data.s3.lab", "data"), "https://data.s3.lab");
    }
}
