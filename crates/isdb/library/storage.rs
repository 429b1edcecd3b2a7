//! Settings of object stores, from the environment and the profile of the user, as the AWS command line has them.
//!
//! | variable | meaning |
//! |---|---|
//! | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` | a key, and the token of a temporary one |
//! | `AWS_PROFILE` | the profile in `~/.aws/config` and `~/.aws/credentials`; otherwise `default` |
//! | `AWS_CONFIG_FILE`, `AWS_SHARED_CREDENTIALS_FILE` | other files of profiles |
//! | `AWS_REGION`, `AWS_DEFAULT_REGION` | the region of the bucket |
//! | `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL` | an S3-compatible store other than AWS |
//! | `AWS_VIRTUAL_HOSTED_STYLE_REQUEST` | whether the bucket is part of the host name |
//! | `AWS_ALLOW_HTTP` | whether requests without TLS are allowed |
//! | `AWS_SKIP_SIGNATURE` | whether requests are anonymous |
//! | `AWS_ENDPOINT_URL_STS`, `AWS_ENDPOINT_URL_SSO` | other services that give keys of roles, and of accounts with single sign-on |

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;

use isdb_store::{AwsSources, StorageSettings};

use crate::library::error::{Error, Result};

/// The variables of a key.
const KEY: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// Completes `settings` by those of the environment and the profile of the user: the profile `profile`, whatever key the environment
/// has, if it is given.
///
/// # Errors
/// [`Error::Store`] for a variable or a profile that cannot be used, [`Error::Read`] for a file of profiles that cannot be read.
pub fn storage_settings(settings: StorageSettings, profile: Option<&str>) -> Result<StorageSettings> {
    let is_aws = |(name, _): &(String, String)| name.starts_with("AWS_");
    // A variable that is not UTF-8 is none of these.
    let pairs =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let mut variables: BTreeMap<String, String> = pairs.filter(is_aws).collect();
    if let Some(profile) = profile {
        variables.retain(|name, _| !KEY.contains(&name.as_str()));
        variables.insert("AWS_PROFILE".to_owned(), profile.to_owned());
    }
    let sources = AwsSources {
        variables,
        config: profile_file("AWS_CONFIG_FILE", "config")?,
        credentials: profile_file("AWS_SHARED_CREDENTIALS_FILE", "credentials")?,
        sso_cache: aws_folder().map_or_else(PathBuf::new, |folder| folder.join("sso").join("cache")),
    };
    Ok(settings.with_aws(&sources)?)
}

/// The text of a file of profiles; empty if it does not exist.
fn profile_file(variable: &str, name: &str) -> Result<String> {
    let named = std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from);
    let usual = || Some(aws_folder()?.join(name));
    let Some(path) = named.or_else(usual) else { return Ok(String::new()) };
    match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        text => text.map_err(|source| Error::Read { path, source }),
    }
}

/// The folder `~/.aws`.
fn aws_folder() -> Option<PathBuf> {
    Some(PathBuf::from(std::env::var_os("HOME")?).join(".aws"))
}
