//! What can go wrong between us and NASA's services.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use crate::item::LARGEST_FILE;

/// What this crate's functions return.
pub type Result<T> = std::result::Result<T, Error>;

/// Why granules could not be found or fetched. No variant holds a credential, and URLs are told without their query.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No HTTP client can be made, for want of certificates for example.
    #[error("cannot make an HTTP client")]
    Client(#[source] reqwest::Error),
    /// CMR does not take the request; asking again will not help.
    #[error("{url} refuses the search ({status}): {words}")]
    CmrRefused {
        /// The address asked.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What CMR says of it.
        words: String,
    },
    /// CMR did not answer, or not as it should, however often it was asked.
    #[error("{url} did not answer ({attempts} attempts in {} s): {reason}", waited.as_secs())]
    CmrUnreachable {
        /// The address asked.
        url: String,
        /// How often it was asked for the same page.
        attempts: u32,
        /// How long that took.
        waited: Duration,
        /// What went wrong the last time.
        reason: String,
        /// The last failure of the connection, where it was one; it names no URL.
        source: Option<reqwest::Error>,
    },
    /// What came is not what CMR sends.
    #[error("{url} sent something else than search results")]
    CmrReply {
        /// The address asked.
        url: String,
        /// Where the reply leaves the expected form.
        source: serde_json::Error,
    },
    /// The pages ended before all that CMR had counted had come.
    #[error("CMR counts {hits} granules, but sent {sent}")]
    CmrIncomplete {
        /// What CMR counted when the search began.
        hits: u64,
        /// Different granules in all pages.
        sent: u64,
    },
    /// A work list cannot be read or written.
    #[error("the work list cannot be read or written")]
    WorkList(#[source] std::io::Error),
    /// A line of a work list is no granule.
    #[error("line {line} of the work list is no granule")]
    WorkListLine {
        /// The line's number, from 1.
        line: usize,
        /// What does not fit.
        source: serde_json::Error,
    },
    /// A granule that CMR knows, and whose file cannot be fetched from where CMR says that it is.
    #[error("{name}: {problem}")]
    NoPlace {
        /// The file's name.
        name: String,
        /// What is missing.
        problem: String,
    },
    /// A size that no granule has.
    #[error("{name}: expected a size of at most {LARGEST_FILE} bytes, found {bytes}")]
    Size {
        /// The file's name.
        name: String,
        /// The size, as a work list has it.
        bytes: u64,
    },
    /// The archive asks for a login, and the caller has none that fits.
    #[error("{url} asks for an Earthdata login, and there is none")]
    NoLogin {
        /// What was asked for.
        url: String,
    },
    /// A user and password, or a token, was refused. Nothing of this process sends it again.
    #[error("Earthdata refused the {what} from {whence}")]
    Refused {
        /// `login` or `token`.
        what: &'static str,
        /// Where it was found.
        whence: String,
    },
    /// The login host answered a user and password, or a token, that it had never taken with neither yes nor no: with a page for
    /// people, for example. Nothing of this process sends it again.
    #[error("{url} neither takes nor refuses the Earthdata login from {whence}")]
    NotAccepted {
        /// What was asked for.
        url: String,
        /// Where it was found.
        whence: String,
    },
    /// The token cannot be accepted, as one sees without asking anybody: its time is over, for example.
    #[error("the Earthdata token from {whence} {problem}")]
    Token {
        /// Where it was found.
        whence: String,
        /// What is wrong with it.
        problem: String,
    },
    /// An address that cannot be asked, or that leads nowhere.
    #[error("{url} {problem}")]
    Address {
        /// The address.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A text that names neither a host nor a domain.
    #[error("{text:?} is neither a URL nor a domain that starts with a dot")]
    Hosts {
        /// The text.
        text: String,
    },
    /// The login is right, but its owner may not have this: an application or a licence was not agreed to.
    #[error("{url} is not open to this Earthdata login")]
    Forbidden {
        /// What was asked for.
        url: String,
    },
    /// A web page came instead of the file.
    #[error("{url} answered with a web page instead of the file")]
    Page {
        /// What was asked for.
        url: String,
    },
    /// The server answered with a status that asking again does not change, or did not change.
    #[error("{url} answered {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// The HTTP status with its name.
        status: reqwest::StatusCode,
    },
    /// The link to storage that the archive gave out did not open, as it does not when its time is over.
    #[error("{url} redirects to a link that answered {status}: it may have expired")]
    Link {
        /// What was asked for.
        url: String,
        /// The HTTP status with its name.
        status: reqwest::StatusCode,
    },
    /// The answer is not what the protocol promises.
    #[error("{url}: {problem}")]
    Answer {
        /// What was asked for.
        url: String,
        /// What is wrong with the answer.
        problem: String,
    },
    /// The connection failed.
    #[error("{url} {what}: {reason}")]
    Connection {
        /// What was asked for.
        url: String,
        /// `could not be reached` or `broke off`.
        what: &'static str,
        /// What the network said; it names no URL.
        reason: String,
    },
    /// Nothing, or next to nothing, came for too long.
    #[error("{url}: next to nothing came for {seconds} s")]
    Stalled {
        /// What was asked for.
        url: String,
        /// How long was waited.
        seconds: u64,
    },
    /// A whole file was fetched and is not the one that was announced.
    #[error("{url}: what was downloaded {problem}")]
    Damaged {
        /// Where it came from.
        url: String,
        /// What does not agree.
        problem: String,
    },
    /// A file that this program has not fetched has the name of a file to fetch. It stays as it is.
    #[error("{} is in the way: it {problem}, and isdb did not download it", path.display())]
    Occupied {
        /// The file.
        path: PathBuf,
        /// What makes it another file than the one to fetch.
        problem: String,
    },
    /// A host outside the archive wants an Earthdata login, and did not get one.
    #[error("{url} asks for an Earthdata login, and is not on a host of NASA's archive")]
    Foreign {
        /// What was asked for.
        url: String,
    },
    /// The files do not fit on the disk.
    #[error("{}: expected room for {needed} bytes, found {free} bytes free", path.display())]
    NoSpace {
        /// The folder.
        path: PathBuf,
        /// What the files need.
        needed: u64,
        /// What there is.
        free: u64,
    },
    /// Another process, or another file of the same list, fetches into the same place.
    #[error("{} is being fetched already", path.display())]
    Busy {
        /// The unfinished file.
        path: PathBuf,
    },
    /// A name that cannot be a file's.
    #[error("{name:?} cannot be the name of a file")]
    Name {
        /// The name.
        name: String,
    },
    /// A netrc cannot be used.
    #[error("{}: {problem}", path.display())]
    Netrc {
        /// The netrc.
        path: PathBuf,
        /// What is wrong, without the words that stand there.
        problem: String,
    },
    /// The file system failed.
    #[error("{}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// Tried again as often, or as long, as was allowed.
    #[error("given up after {attempts} attempts")]
    GivenUp {
        /// How often it was tried.
        attempts: u32,
        /// The last failure.
        #[source]
        source: Box<Error>,
    },
}

impl Error {
    /// A folder cannot be made.
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

    /// True when no other request of this process can succeed either, since NASA does not accept who we are.
    #[must_use]
    pub fn ends_everything(&self) -> bool {
        use Error::{NoLogin, NotAccepted, Refused, Token};
        matches!(self, NoLogin { .. } | Refused { .. } | NotAccepted { .. } | Token { .. })
    }

    /// The same error for `url`, where it ends everything.
    pub(crate) fn same_for(&self, url: String) -> Option<Error> {
        match self {
            Error::NoLogin { .. } => Some(Error::NoLogin { url }),
            Error::NotAccepted { whence, .. } => Some(Error::NotAccepted { url, whence: whence.clone() }),
            Error::Refused { what, whence } => Some(Error::Refused { what, whence: whence.clone() }),
            Error::Token { whence, problem } => Some(Error::Token { whence: whence.clone(), problem: problem.clone() }),
            _ => None,
        }
    }

    /// Why other files will most likely fail for the same reason; None for what concerns one file.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            error if error.ends_everything() => Some(Refusal::Login),
            Error::Forbidden { .. } => Some(Refusal::Licence),
            Error::Page { .. } => Some(Refusal::Page),
            Error::Foreign { .. } => Some(Refusal::Foreign),
            Error::Busy { .. } => Some(Refusal::InUse),
            Error::NoSpace { .. } => Some(Refusal::DiskFull),
            Error::Io { source, .. }
                if matches!(source.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded) =>
            {
                Some(Refusal::DiskFull)
            }
            Error::GivenUp { source, .. } => match &**source {
                Error::Status { status, .. } if *status == 429 || status.is_server_error() => Some(Refusal::Overloaded),
                Error::Connection { .. } | Error::Stalled { .. } => Some(Refusal::Unreachable),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Why not one file alone could not be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Refusal {
    /// The login is missing or was refused.
    Login,
    /// The login is right, but an application or a licence was not agreed to.
    Licence,
    /// Web pages came instead of files.
    Page,
    /// A host outside the archive asks for a login.
    Foreign,
    /// Another process fetches into the same folder.
    InUse,
    /// The disk is full.
    DiskFull,
    /// The archive answered that it is overloaded, however often it was asked.
    Overloaded,
    /// The connection failed, however often it was tried.
    Unreachable,
}
