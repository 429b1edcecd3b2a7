//! Which hosts may see which credentials: the login host the user and password, the archive's hosts the token, nobody else
//! anything.

use reqwest::Url;

use crate::error::{Error, Result};

/// NASA's login host and the hosts of its archives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts {
    /// The login host; its path is a prefix of every request to it.
    pub login: Url,
    /// Who else may see a token.
    pub archive: Vec<Trusted>,
}

/// One host, or the hosts of one domain, that may see a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trusted {
    /// Every host whose name ends in this text, which starts with a dot; by https on its own port only.
    Domain(String),
    /// Exactly this scheme, host and port.
    Origin(Url),
}

impl Hosts {
    /// NASA's login host.
    pub const LOGIN: &str = "https://urs.earthdata.nasa.gov";
    /// The domains of NASA's archives.
    pub const ARCHIVE: &str = ".earthdata.nasa.gov,.earthdatacloud.nasa.gov";

    /// Hosts by name: a login URL such as [`Hosts::LOGIN`], and a comma-separated list of domains such as
    /// [`Hosts::ARCHIVE`] and of origins such as `http://127.0.0.1:8080`.
    ///
    /// # Errors
    /// [`Error::Hosts`] with what is neither.
    pub fn parse(login: &str, archive: &str) -> Result<Hosts> {
        let wrong = |text: &str| Error::Hosts { text: without_secrets(text) };
        let named = archive.split(',').map(str::trim).filter(|text| !text.is_empty());
        Ok(Hosts {
            login: http_url(login).ok_or_else(|| wrong(login))?,
            archive: named.map(|text| Trusted::parse(text).ok_or_else(|| wrong(text))).collect::<Result<_>>()?,
        })
    }

    /// Whether `url` is on the login host.
    #[must_use]
    pub fn is_login(&self, url: &Url) -> bool {
        url.origin() == self.login.origin()
    }

    /// Whether `url` is on a host of the archive.
    #[must_use]
    pub fn is_archive(&self, url: &Url) -> bool {
        !self.is_login(url) && self.archive.iter().any(|trusted| trusted.covers(url))
    }
}

impl Trusted {
    fn parse(text: &str) -> Option<Trusted> {
        match text.strip_prefix('.') {
            Some(domain) if !domain.is_empty() && !domain.contains(['/', ':', '@']) => {
                Some(Trusted::Domain(text.to_ascii_lowercase()))
            }
            Some(_) => None,
            None => http_url(text).map(Trusted::Origin),
        }
    }

    fn covers(&self, url: &Url) -> bool {
        match self {
            Trusted::Domain(suffix) => {
                url.scheme() == "https"
                    && url.port().is_none()
                    && url.host_str().is_some_and(|host| host.len() > suffix.len() && host.ends_with(suffix.as_str()))
            }
            Trusted::Origin(origin) => url.origin() == origin.origin(),
        }
    }
}

/// The address in `text`, if it is one of http or https.
pub(crate) fn http_url(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(is_http)
}

/// Whether `url` can be asked at all.
pub(crate) fn is_http(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.has_host()
}

/// `url` as it may be told and logged: without user, password, query (a presigned link is a key) and fragment.
pub(crate) fn told(url: &Url) -> String {
    let mut url = bare(url);
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// The address in `text` as it may be printed and stored: without user, password, query and fragment. The last part of the path is
/// kept; of what is no URL, what stands behind an `@`.
#[must_use]
pub fn without_secrets(text: &str) -> String {
    match Url::parse(text) {
        Ok(url) if url.has_host() => told(&url),
        _ => {
            let text = text.split(['?', '#']).next().unwrap_or_default();
            text.rsplit_once('@').map_or_else(|| text.to_owned(), |(_, rest)| format!("…@{rest}"))
        }
    }
}

/// `url` without a user and password, which would be sent as credentials.
pub(crate) fn bare(url: &Url) -> Url {
    let mut bare = url.clone();
    // Fails only for URLs that cannot hold them.
    let _ = bare.set_username("");
    let _ = bare.set_password(None);
    bare
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_token_goes_to_nasa_by_https_only_and_never_to_a_host_that_merely_looks_alike() {
        let hosts = Hosts::parse(Hosts::LOGIN, Hosts::ARCHIVE).unwrap();
        for archive in [
            "https://data.nsidc.earthdatacloud.nasa.gov/x.h5",
            "https://n5eil01u.ecs.earthdata.nasa.gov:443/x",
            "https://DATA.earthdata.nasa.gov/x",
        ] {
            assert!(hosts.is_archive(&url(archive)), "{archive}");
        }
        for other in [
            "http://data.nsidc.earthdatacloud.nasa.gov/x.h5",
            "https://data.nsidc.earthdatacloud.nasa.gov:8443/x.h5",
            "https://evil-earthdata.nasa.gov/",
            "https://earthdata.nasa.gov/",
            "https://data.earthdata.nasa.gov.evil.example/",
            "https://data.earthdata.nasa.gov@evil.example/",
            "https://evil.example/?x=.earthdata.nasa.gov",
            "https://d1nklfio7vscoe.cloudfront.net/s3-x?Signature=1",
            "https://urs.earthdata.nasa.gov/oauth/authorize",
        ] {
            assert!(!hosts.is_archive(&url(other)), "{other}");
        }
        assert!(hosts.is_login(&url("https://urs.earthdata.nasa.gov/oauth/authorize?client_id=x")));
        for other in [
            "http://urs.earthdata.nasa.gov/",
            "https://urs.earthdata.nasa.gov:444/",
            "https://uat.urs.earthdata.nasa.gov/",
        ] {
            assert!(!hosts.is_login(&url(other)), "{other}");
        }
    }

    #[test]
    fn hosts_of_a_mirror_differ_by_port() {
        let hosts = Hosts::parse("http://127.0.0.1:1", "http://127.0.0.1:2, .example.org").unwrap();
        assert!(hosts.is_archive(&url("http://127.0.0.1:2/x.h5")));
        assert!(!hosts.is_archive(&url("http://127.0.0.1:3/x.h5")) && !hosts.is_archive(&url("http://localhost:2/")));
        for wrong in [".", "example.org", "ftp://example.org", ".example.org/path"] {
            assert!(Hosts::parse("http://127.0.0.1:1", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_url_is_told_without_what_opens_it() {
        assert_eq!(told(&url("https://u:p@x.example:1/a.h5?Signature=s#f")), "https://x.example:1/a.h5");
        for (text, safe) in [
            ("https://u:p@x.example/a.h5?X-Amz-Signature=s", "https://x.example/a.h5"),
            ("s3://bucket/a.h5", "s3://bucket/a.h5"),
            ("u:p@x.example/a?sig=s", "…@x.example/a"),
            ("G12-NSIDC_CPRD", "G12-NSIDC_CPRD"),
        ] {
            assert_eq!(without_secrets(text), safe);
        }
        let error = Hosts::parse("http://127.0.0.1:1", "ftp://u:hunter2@x.example").unwrap_err().to_string();
        assert!(!error.contains("hunter2") && error.contains("x.example"), "{error}");
    }
}
