//! Advice on errors of NASA's services, and of the connection to them.

use isdb_cmr::{CredentialKind, Error as ArchiveError, SharedCause};

/// Returns advice on an error of NASA's services.
pub(crate) fn archive_hint(error: &ArchiveError) -> Option<&'static str> {
    match error {
        ArchiveError::CmrUnreachable { reason, .. } | ArchiveError::Connection { reason, .. } => {
            Some(connection_hint(reason))
        }
        ArchiveError::CmrIncomplete { .. } => Some("granules may have changed meanwhile; run the same command again"),
        ArchiveError::NoLogin { .. } => Some(
            "`isdb login` stores an Earthdata login; EARTHDATA_TOKEN names a token. A login is free: urs.earthdata.nasa.gov",
        ),
        ArchiveError::LoginRefused { kind: CredentialKind::Token, .. } | ArchiveError::InvalidToken { .. } => Some(
            "make a new token at urs.earthdata.nasa.gov/profile, or unset EARTHDATA_TOKEN to log in with user and password",
        ),
        ArchiveError::LoginRefused { .. } => Some(
            "the login was tried once; `isdb login` stores a new one. After several refusals NASA locks an account for a while",
        ),
        ArchiveError::UnexpectedLoginResponse { .. } => Some(
            "the login was tried once. Open the address of a file in a browser: NASA may require the approval of an application; \
             otherwise `isdb login` stores a new login",
        ),
        ArchiveError::Occupied { .. } => Some("the file was not changed; move it away, or choose another folder"),
        ArchiveError::GivenUp { source, .. } if archive_hint(source).is_some() => archive_hint(source),
        _ => error.shared_cause().map(shared_cause_hint),
    }
}

/// Returns advice on a cause that concerns more than one file.
pub(crate) fn shared_cause_hint(cause: SharedCause) -> &'static str {
    match cause {
        SharedCause::Licence | SharedCause::Page => {
            "open the address in a browser once: NASA may require the approval of the archive's application or of a licence (EULA)"
        }
        SharedCause::Foreign => {
            "ISDB_EARTHDATA_HOSTS can name further hosts of an archive that you trust with your login"
        }
        SharedCause::InUse => "wait for the other download, then run the same command again",
        SharedCause::DiskFull => "free some space, or choose another folder; run the same command again to continue",
        SharedCause::Overloaded => "run the same command again later to continue",
        SharedCause::Unreachable => connection_hint(""),
        _ => "run the same command again to continue",
    }
}

/// Returns advice on a connection that failed for `reason`.
fn connection_hint(reason: &str) -> &'static str {
    let contains = |word: &str| reason.to_ascii_lowercase().contains(word);
    if contains("certificate") {
        "the certificate of the host or of a proxy is not trusted here; SSL_CERT_FILE can name a file of trusted certificates"
    } else if contains("proxy") || contains("tunnel") {
        "HTTPS_PROXY names the proxy, and NO_PROXY the hosts that are reached without it"
    } else {
        "https://status.earthdata.nasa.gov reports outages; try again later"
    }
}
