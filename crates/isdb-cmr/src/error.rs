//! Errors of searches, logins and downloads.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use crate::login::credential_kind::CredentialKind;
use crate::search::granule::MAX_FILE_BYTES;

/// The result of this crate's functions.
pub type Result<T> = std::result::Result<T, Error>;

/// An error of a search, a login or a download. No error contains credentials: URLs have neither query nor user nor password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The HTTP client cannot be created, for example without root certificates.
    #[error("cannot create an HTTP client")]
    Client(#[source] reqwest::Error),
    /// CMR refused a request; retrying does not help.
    #[error("{url} refused the search (status {status}): {message}")]
    CmrRefused {
        /// The requested URL.
        url: String,
        /// The HTTP status.
        status: u16,
        /// CMR's error messages.
        message: String,
    },
    /// CMR sent no usable response in any attempt.
    #[error("{url} did not respond ({attempts} attempts in {} s): {reason}", elapsed.as_secs())]
    CmrUnreachable {
        /// The requested URL.
        url: String,
        /// The number of requests for the same page.
        attempts: u32,
        /// The time from the first request to the last failure.
        elapsed: Duration,
        /// Why the last attempt failed.
        reason: String,
        /// The connection error of the last attempt, if it was one; it names no URL.
        source: Option<reqwest::Error>,
    },
    /// A response of CMR cannot be parsed.
    #[error("{url}: expected search results, found another response")]
    CmrReply {
        /// The requested URL.
        url: String,
        /// The parse error.
        source: serde_json::Error,
    },
    /// The last page came before all granules.
    #[error("CMR counts {hits} granules, but sent {received}")]
    CmrIncomplete {
        /// The number that CMR counts for the search.
        hits: u64,
        /// The number of different granules in all pages.
        received: u64,
    },
    /// A work list cannot be read or written.
    #[error("cannot read or write the work list")]
    WorkList(#[source] std::io::Error),
    /// A line of a work list is not a granule description.
    #[error("line {line} of the work list is invalid")]
    WorkListLine {
        /// The line's number, from 1.
        line: usize,
        /// Why it is invalid.
        source: serde_json::Error,
    },
    /// CMR's description of a granule has no usable download URL.
    #[error("{name}: {problem}")]
    NoDownloadUrl {
        /// The file's name.
        name: String,
        /// The missing part.
        problem: String,
    },
    /// A granule description states a size above [`MAX_FILE_BYTES`].
    #[error("{name}: expected a size of at most {MAX_FILE_BYTES} bytes, found {bytes}")]
    FileTooLarge {
        /// The file's name.
        name: String,
        /// The stated size.
        bytes: u64,
    },
    /// The archive requires a login, and the session has none.
    #[error("{url} requires an Earthdata login, and none is configured")]
    NoLogin {
        /// The requested URL.
        url: String,
    },
    /// The credentials were refused. The session does not send them again.
    #[error("Earthdata refused the {kind} from {origin}")]
    LoginRefused {
        /// The refused credentials.
        kind: CredentialKind,
        /// The source of the credentials.
        origin: String,
    },
    /// The response to credentials that were never accepted neither accepts nor refuses them, for example because it is a web
    /// page. The session does not send them again.
    #[error("{url}: unexpected response to the Earthdata {kind} from {origin}")]
    UnexpectedLoginResponse {
        /// The requested URL.
        url: String,
        /// The credentials.
        kind: CredentialKind,
        /// The source of the credentials.
        origin: String,
    },
    /// The token has expired, or cannot be sent.
    #[error("the Earthdata token from {origin} {problem}")]
    InvalidToken {
        /// The source of the token.
        origin: String,
        /// The problem.
        problem: String,
    },
    /// A URL cannot be requested, or its redirects do not end.
    #[error("{url}: {problem}")]
    InvalidAddress {
        /// The URL.
        url: String,
        /// The problem.
        problem: String,
    },
    /// A setting names neither a host nor a domain.
    #[error("invalid host {text:?}: expected a URL, or a domain that starts with a dot")]
    InvalidHost {
        /// The setting.
        text: String,
    },
    /// The login is valid, but may not access this file: the user has to approve an application or a licence.
    #[error("{url} is not accessible with this Earthdata login")]
    Forbidden {
        /// The requested URL.
        url: String,
    },
    /// The response is a web page instead of the file.
    #[error("{url}: expected a file, found a web page")]
    WebPage {
        /// The requested URL.
        url: String,
    },
    /// The response has an error status.
    #[error("{url} responded with {status}")]
    Status {
        /// The requested URL.
        url: String,
        /// The HTTP status.
        status: reqwest::StatusCode,
    },
    /// The presigned link to which the archive redirects returned an error status, as it does after its expiry.
    #[error("{url} redirects to a link that responded with {status}: the link may have expired")]
    ExpiredLink {
        /// The requested URL.
        url: String,
        /// The HTTP status.
        status: reqwest::StatusCode,
    },
    /// The response violates HTTP, or contradicts what is known about the file.
    #[error("{url}: {problem}")]
    InvalidResponse {
        /// The requested URL.
        url: String,
        /// The problem with the response.
        problem: String,
    },
    /// The connection failed.
    #[error("{url}: {what}: {reason}")]
    Connection {
        /// The requested URL.
        url: String,
        /// Whether the connection failed or was interrupted.
        what: &'static str,
        /// The network's error message; it names no URL.
        reason: String,
    },
    /// The server sent nothing, or next to nothing, for too long.
    #[error("{url}: received next to no data for {seconds} s")]
    Stalled {
        /// The requested URL.
        url: String,
        /// The stall timeout.
        seconds: u64,
    },
    /// A complete download differs from the announced file.
    #[error("{url}: the downloaded file {problem}")]
    Damaged {
        /// The requested URL.
        url: String,
        /// The difference.
        problem: String,
    },
    /// A file with the name of a download exists and was not downloaded by isdb. It is kept.
    #[error("{} already exists and {problem}; isdb did not download it", path.display())]
    Occupied {
        /// The file.
        path: PathBuf,
        /// How it differs from the requested file.
        problem: String,
    },
    /// A host outside the archive redirects to the login host, and got no credentials.
    #[error("{url} requests an Earthdata login, but is not on a host of NASA's archive")]
    UntrustedHost {
        /// The requested URL.
        url: String,
    },
    /// The files do not fit on the disk.
    #[error("{}: expected {needed} bytes of free space, found {free}", path.display())]
    NoSpace {
        /// The folder.
        path: PathBuf,
        /// The number of bytes to download.
        needed: u64,
        /// The number of free bytes.
        free: u64,
    },
    /// Another process, or another request with the same name, is downloading the file.
    #[error("{} is already being downloaded", path.display())]
    Busy {
        /// The partial file.
        path: PathBuf,
    },
    /// A name that cannot be the name of a file.
    #[error("invalid file name: {name:?}")]
    InvalidFileName {
        /// The name.
        name: String,
    },
    /// A netrc file cannot be used.
    #[error("{}: {problem}", path.display())]
    Netrc {
        /// The file.
        path: PathBuf,
        /// The problem, without words from the file, because they may be passwords.
        problem: String,
    },
    /// An error of the file system.
    #[error("{}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: std::io::Error,
    },
    /// The limit of attempts, or of time, was reached.
    #[error("gave up after {attempts} attempts")]
    GivenUp {
        /// The number of attempts.
        attempts: u32,
        /// The last failure.
        #[source]
        source: Box<Error>,
    },
}

impl Error {
    /// The error for a folder that cannot be created.
    pub(crate) fn folder(path: &Path, source: std::io::Error) -> Error {
        use std::io::ErrorKind::{AlreadyExists, NotADirectory};
        let source = match source.kind() {
            AlreadyExists | NotADirectory => {
                std::io::Error::new(NotADirectory, "expected a folder, found a file there or above")
            }
            _ => source,
        };
        Error::io(path, source)
    }

    pub(crate) fn io(path: &Path, source: std::io::Error) -> Error {
        Error::Io { path: path.to_path_buf(), source }
    }

    /// Whether the credentials are missing or rejected, so that every other request of the session fails too.
    #[must_use]
    pub fn is_login_error(&self) -> bool {
        use Error::{InvalidToken, LoginRefused, NoLogin, UnexpectedLoginResponse};
        matches!(self, NoLogin { .. } | LoginRefused { .. } | UnexpectedLoginResponse { .. } | InvalidToken { .. })
    }

    /// Returns the same login error for another URL; None for other errors.
    pub(crate) fn for_other_url(&self, url: String) -> Option<Error> {
        match self {
            Error::NoLogin { .. } => Some(Error::NoLogin { url }),
            Error::UnexpectedLoginResponse { kind, origin, .. } => {
                Some(Error::UnexpectedLoginResponse { url, kind: *kind, origin: origin.clone() })
            }
            Error::LoginRefused { kind, origin } => Some(Error::LoginRefused { kind: *kind, origin: origin.clone() }),
            Error::InvalidToken { origin, problem } => {
                Some(Error::InvalidToken { origin: origin.clone(), problem: problem.clone() })
            }
            _ => None,
        }
    }

    /// Returns the cause, if it will most likely make other files fail too; None if it concerns a single file.
    #[must_use]
    pub fn shared_cause(&self) -> Option<SharedCause> {
        match self {
            error if error.is_login_error() => Some(SharedCause::Login),
            Error::Forbidden { .. } => Some(SharedCause::Licence),
            Error::WebPage { .. } => Some(SharedCause::Page),
            Error::UntrustedHost { .. } => Some(SharedCause::Foreign),
            Error::Busy { .. } => Some(SharedCause::InUse),
            Error::NoSpace { .. } => Some(SharedCause::DiskFull),
            Error::Io { source, .. }
                if matches!(source.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded) =>
            {
                Some(SharedCause::DiskFull)
            }
            Error::GivenUp { source, .. } => match &**source {
                Error::Status { status, .. } if *status == 429 || status.is_server_error() => {
                    Some(SharedCause::Overloaded)
                }
                Error::Connection { .. } | Error::Stalled { .. } => Some(SharedCause::Unreachable),
                _ => None,
            },
            _ => None,
        }
    }
}

/// A cause of failure that most likely affects more than one file. Reports serialise it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SharedCause {
    /// The login is missing or was rejected.
    Login,
    /// The login is valid, but the user has to approve an application or a licence.
    Licence,
    /// The responses are web pages instead of files.
    Page,
    /// A host outside the archive requests a login.
    Foreign,
    /// Another process downloads into the same folder.
    InUse,
    /// The disk is full.
    DiskFull,
    /// In every attempt, the archive responded that it was overloaded.
    Overloaded,
    /// In every attempt, the connection failed.
    Unreachable,
}
