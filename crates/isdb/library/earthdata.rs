//! Earthdata credentials and hosts, from the environment and the netrc.
//!
//! | variable | meaning |
//! |---|---|
//! | `EARTHDATA_TOKEN` | a token of urs.earthdata.nasa.gov |
//! | `EARTHDATA_USERNAME`, `EARTHDATA_PASSWORD` | user and password, used together |
//! | `NETRC` | the netrc; otherwise `~/.netrc`, otherwise `~/_netrc` |
//! | `ISDB_EARTHDATA_LOGIN_URL`, `ISDB_EARTHDATA_HOSTS` | another login host, other archives (comma-separated): for tests and mirrors |
//! | `ISDB_S3_ENDPOINT` | another S3: for tests and mirrors |

use std::path::{Path, PathBuf};
use std::time::Duration;

use isdb_cmr::{Credentials, Earthdata, Hosts, Login, SecretString, Token, netrc};

use crate::library::error::Result;

const TOKEN: &str = "EARTHDATA_TOKEN";
const USER: &str = "EARTHDATA_USERNAME";
const PASSWORD: &str = "EARTHDATA_PASSWORD";
const LOGIN_URL: &str = "ISDB_EARTHDATA_LOGIN_URL";
const ARCHIVES: &str = "ISDB_EARTHDATA_HOSTS";
const S3: &str = "ISDB_S3_ENDPOINT";

/// Returns a session with the credentials that are found; it logs in when a host requests it. A connection may receive no data for
/// `stall_timeout`. `warn` is called with warnings, now and during the session.
///
/// # Errors
/// [`Error::Archive`](crate::Error::Archive) for invalid hosts or an unreadable netrc.
pub fn session(stall_timeout: Duration, warn: impl Fn(&str) + Send + Sync + 'static) -> Result<Earthdata> {
    let hosts = hosts()?;
    let credentials = credentials(&hosts, &warn)?;
    Ok(Earthdata::with_notices(credentials, hosts, stall_timeout, warn)?)
}

/// Returns NASA's hosts, or the hosts that the environment names instead.
///
/// # Errors
/// [`Error::Archive`](crate::Error::Archive) for an invalid host.
pub fn hosts() -> Result<Hosts> {
    let or = |name, default: &str| variable(name).unwrap_or_else(|| default.to_owned());
    Ok(Hosts::parse(&or(LOGIN_URL, Hosts::LOGIN), &or(ARCHIVES, Hosts::ARCHIVE))?)
}

/// Returns the S3 endpoint that the environment names; None for the endpoint of AWS.
#[must_use]
pub fn s3_endpoint() -> Option<String> {
    variable(S3)
}

/// Returns the name of the login host in a netrc.
#[must_use]
pub fn machine(hosts: &Hosts) -> String {
    hosts.login.host_str().unwrap_or_default().to_owned()
}

/// Returns the path of the netrc; None without a home directory.
#[must_use]
pub fn netrc_path() -> Option<PathBuf> {
    if let Some(path) = variable("NETRC") {
        return Some(PathBuf::from(path));
    }
    let home = PathBuf::from(variable("HOME")?);
    let (usual, other) = (home.join(".netrc"), home.join("_netrc"));
    Some(if !usual.exists() && other.exists() { other } else { usual })
}

/// Returns the token from the environment, and the login from the environment or otherwise from the netrc.
fn credentials(hosts: &Hosts, warn: &impl Fn(&str)) -> Result<Credentials> {
    let token = variable(TOKEN).map(|text| Token { text: SecretString::from(text), origin: TOKEN.to_owned() });
    let login = match (variable(USER), variable(PASSWORD)) {
        (Some(user), Some(password)) => {
            let origin = format!("{USER} and {PASSWORD}");
            Some(Login { user, password: SecretString::from(password), origin })
        }
        (user, password) => {
            if user.is_some() != password.is_some() {
                warn(&format!("{USER} and {PASSWORD} are used together only; neither is used"));
            }
            match netrc_path().map(|path| netrc_login(&path, hosts, warn)).transpose() {
                // The token alone may be sufficient.
                Err(error) if token.is_some() => {
                    warn(&error.to_string());
                    None
                }
                login => login?.flatten(),
            }
        }
    };
    Ok(Credentials { token, login })
}

fn netrc_login(path: &Path, hosts: &Hosts, warn: &impl Fn(&str)) -> Result<Option<Login>> {
    let (login, warning) = netrc::read_login(path, &machine(hosts))?;
    if let Some(warning) = warning {
        warn(&warning);
    }
    Ok(login)
}

/// Returns the value of an environment variable that is set and not blank.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.trim().is_empty())
}
