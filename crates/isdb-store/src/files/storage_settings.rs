//! Settings of object stores: where a store is, and who reads and writes it.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

/// How long a writer's lock is valid without a renewal.
const LOCK_LIFETIME: Duration = Duration::from_secs(60);

/// The object store of `s3://` locations, and the credentials for it. Secrets are not shown by `Debug`.
#[derive(Clone, Debug)]
pub struct StorageSettings {
    /// The URL of an S3-compatible store, such as `http://127.0.0.1:9000`; None for AWS.
    pub endpoint: Option<String>,
    /// The region of the bucket; None for `us-east-1`.
    pub region: Option<String>,
    /// Whether the bucket is part of the path of a URL (`https://host/bucket/key`) and not of its host (`https://bucket.host/key`); None
    /// for a path if there is an endpoint, or the name of the bucket has a dot.
    pub path_style: Option<bool>,
    /// Whether requests without TLS are allowed. An endpoint that begins with `http://` needs it.
    pub allow_http: bool,
    /// Who makes the requests.
    pub credentials: StorageCredentials,
    /// Promises that no other process writes to the database. A store without conditional writes (If-None-Match and If-Match) can then
    /// be written to.
    pub single_writer: bool,
    /// How long a writer's lock is valid without a renewal. A writer that does not reach the store for half of this time stops.
    pub lock_lifetime: Duration,
}

impl Default for StorageSettings {
    fn default() -> StorageSettings {
        StorageSettings {
            endpoint: None,
            region: None,
            path_style: None,
            allow_http: false,
            credentials: StorageCredentials::default(),
            single_writer: false,
            lock_lifetime: LOCK_LIFETIME,
        }
    }
}

/// The credentials for an object store.
#[derive(Clone, Debug, Default)]
pub enum StorageCredentials {
    /// Requests are not signed, as for a public bucket.
    Anonymous,
    /// A key, with a token if it is temporary.
    Key {
        /// The id of the key.
        id: SecretString,
        /// The secret key.
        secret: SecretString,
        /// The session token.
        token: Option<SecretString>,
    },
    /// A role, which a web identity token allows to assume.
    WebIdentity {
        /// The file with the token.
        token_file: PathBuf,
        /// The name of the role.
        role_arn: String,
        /// The name of the session.
        session_name: Option<String>,
    },
    /// The role of a container: the path of the credentials on the host that serves them.
    Container {
        /// The path, beginning with `/`.
        relative_uri: String,
    },
    /// The role of a pod: the URL of the credentials, and the file with the token for it.
    Pod {
        /// The URL.
        uri: String,
        /// The file with the token.
        token_file: PathBuf,
    },
    /// A role of an account, with the token of a single sign-on.
    Sso(SsoAccount),
    /// A role that other credentials may assume.
    Role(Box<AssumedRole>),
    /// A program that prints a key.
    Process {
        /// The profile that names it.
        profile: String,
        /// The program with its arguments, as a shell would split them.
        command: String,
    },
    /// The role of this machine, from the service of its cloud.
    #[default]
    Machine,
}

/// A role of an account that a single sign-on gives, for which `aws sso login` has left a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SsoAccount {
    /// The profile that names it.
    pub profile: String,
    /// The URL where people sign on.
    pub start_url: String,
    /// The account.
    pub account_id: String,
    /// The role.
    pub role_name: String,
    /// The URL of the service that gives the key.
    pub endpoint: String,
    /// The folder of the tokens.
    pub cache: PathBuf,
}

/// A role that other credentials may assume.
#[derive(Clone, Debug)]
pub struct AssumedRole {
    /// Who assumes it.
    pub source: StorageCredentials,
    /// The name of the role.
    pub role_arn: String,
    /// The name of the session.
    pub session_name: Option<String>,
    /// What the owner of the role has agreed on with its user.
    pub external_id: Option<String>,
    /// How long a key is valid.
    pub duration_seconds: Option<u32>,
    /// The URL of the service that gives the key.
    pub endpoint: String,
    /// The region of that service.
    pub region: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let secret = |text: &str| SecretString::from(text.to_owned());
        let (id, token) = (secret("AKIDEXAMPLE"), Some(secret("tokenexample")));
        let credentials = StorageCredentials::Key { id, secret: secret("wJalrXUtnFEMI"), token };
        let shown = format!("{:?}", StorageSettings { credentials, ..StorageSettings::default() });
        for hidden in ["AKIDEXAMPLE", "tokenexample", "wJalrXUtnFEMI"] {
            assert!(!shown.contains(hidden), "{shown}");
        }
    }
}
