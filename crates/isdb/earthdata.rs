//! Who we are to NASA, and which hosts are NASA's: from the environment and a netrc to what the requests need.

use std::path::{Path, PathBuf};
use std::time::Duration;

use isdb_cmr::{Credentials, Earthdata, Hosts, Login, SecretString, Token, netrc};

use crate::failure::Failure;
use crate::progress;

const TOKEN: &str = "EARTHDATA_TOKEN";
const USER: &str = "EARTHDATA_USERNAME";
const PASSWORD: &str = "EARTHDATA_PASSWORD";
/// Another login host and other archives, comma-separated: for tests and mirrors.
const LOGIN_URL: &str = "ISDB_EARTHDATA_LOGIN_URL";
const ARCHIVES: &str = "ISDB_EARTHDATA_HOSTS";
/// Another S3 than the cloud's own: for tests and mirrors.
const S3: &str = "ISDB_S3_ENDPOINT";

/// A session with what was found; warnings are told on standard error. `stall` is how long a host may stay silent.
pub(crate) fn session(stall: Duration) -> Result<Earthdata, Failure> {
    let hosts = hosts()?;
    let credentials = credentials(&hosts)?;
    let notice = |text: &str| progress::aside(|| eprintln!("warning: {text}"));
    Ok(Earthdata::with_notices(credentials, hosts, stall, notice)?)
}

/// NASA's hosts, or those that the environment names instead.
pub(crate) fn hosts() -> Result<Hosts, Failure> {
    let or = |name, default: &str| set(name).unwrap_or_else(|| default.to_owned());
    Ok(Hosts::parse(&or(LOGIN_URL, Hosts::LOGIN), &or(ARCHIVES, Hosts::ARCHIVE))?)
}

/// The S3 that the environment names instead of the cloud's own.
pub(crate) fn s3_endpoint() -> Option<String> {
    set(S3)
}

/// The name of the login host in a netrc.
pub(crate) fn machine(hosts: &Hosts) -> String {
    hosts.login.host_str().unwrap_or_default().to_owned()
}

/// The netrc: NETRC, else ~/.netrc, else ~/_netrc where only that exists. None without a home.
pub(crate) fn netrc_path() -> Option<PathBuf> {
    if let Some(named) = set("NETRC") {
        return Some(PathBuf::from(named));
    }
    let home = PathBuf::from(set("HOME")?);
    let (usual, other) = (home.join(".netrc"), home.join("_netrc"));
    Some(if !usual.exists() && other.exists() { other } else { usual })
}

/// The token of the environment, and the login of the environment, else of the netrc.
fn credentials(hosts: &Hosts) -> Result<Credentials, Failure> {
    let token = set(TOKEN).map(|text| Token { text: SecretString::from(text), origin: TOKEN.to_owned() });
    let login = match (set(USER), set(PASSWORD)) {
        (Some(user), Some(password)) => {
            let origin = format!("{USER} and {PASSWORD}");
            Some(Login { user, password: SecretString::from(password), origin })
        }
        (user, password) => {
            if user.is_some() != password.is_some() {
                eprintln!("warning: {USER} and {PASSWORD} are of use together only; neither is used");
            }
            match netrc_path().map(|path| login_of(&path, hosts)).transpose() {
                // The token may be all that is needed.
                Err(error) if token.is_some() => {
                    eprintln!("warning: {error}");
                    None
                }
                found => found?.flatten(),
            }
        }
    };
    Ok(Credentials { token, login })
}

fn login_of(path: &Path, hosts: &Hosts) -> Result<Option<Login>, Failure> {
    let (login, warning) = netrc::read_login(path, &machine(hosts))?;
    if let Some(warning) = warning {
        eprintln!("warning: {warning}");
    }
    Ok(login)
}

/// A variable of the environment that says something.
fn set(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.trim().is_empty())
}
