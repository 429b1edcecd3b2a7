//! The hosts that may see credentials: the login host gets user and password, the archive's hosts get the token, other hosts get
//! nothing.

use reqwest::Url;

use crate::error::{Error, Result};
use crate::http::url::{parse_http_url, without_secrets};

/// NASA's login host and the hosts of its archives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts {
    /// The login host; its path is a prefix of every request to it.
    pub login: Url,
    /// The other hosts that may see a token.
    pub archive: Vec<TrustedHost>,
}

/// A host, or the hosts of a domain, that may see a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrustedHost {
    /// Every host whose name ends in this text, which starts with a dot; by https on the default port only.
    Domain(String),
    /// Exactly this scheme, host and port.
    Origin(Url),
}

impl Hosts {
    /// NASA's login host.
    pub const LOGIN: &str = "https://urs.earthdata.nasa.gov";
    /// The domains of NASA's archives.
    pub const ARCHIVE: &str = ".earthdata.nasa.gov,.earthdatacloud.nasa.gov";

    /// Parses a login URL such as [`Hosts::LOGIN`], and a comma-separated list of domains such as [`Hosts::ARCHIVE`] and of
    /// origins such as `http://127.0.0.1:8080`.
    ///
    /// # Errors
    /// [`Error::InvalidHost`].
    pub fn parse(login: &str, archive: &str) -> Result<Hosts> {
        let invalid = |text: &str| Error::InvalidHost { text: without_secrets(text) };
        let names = archive.split(',').map(str::trim).filter(|text| !text.is_empty());
        Ok(Hosts {
            login: parse_http_url(login).ok_or_else(|| invalid(login))?,
            archive: names.map(|text| TrustedHost::parse(text).ok_or_else(|| invalid(text))).collect::<Result<_>>()?,
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
        !self.is_login(url) && self.archive.iter().any(|host| host.includes(url))
    }
}

impl TrustedHost {
    fn parse(text: &str) -> Option<TrustedHost> {
        match text.strip_prefix('.') {
            Some(domain) if !domain.is_empty() && !domain.contains(['/', ':', '@']) => {
                Some(TrustedHost::Domain(text.to_ascii_lowercase()))
            }
            Some(_) => None,
            None => parse_http_url(text).map(TrustedHost::Origin),
        }
    }

    fn includes(&self, url: &Url) -> bool {
        match self {
            TrustedHost::Domain(suffix) => {
                url.scheme() == "https"
                    && url.port().is_none()
                    && url.host_str().is_some_and(|host| host.len() > suffix.len() && host.ends_with(suffix.as_str()))
            }
            TrustedHost::Origin(origin) => url.origin() == origin.origin(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn only_https_hosts_within_nasas_domains_are_trusted() {
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
    fn origins_of_a_mirror_include_the_port() {
        let hosts = Hosts::parse("http://127.0.0.1:1", "http://127.0.0.1:2, .example.org").unwrap();
        assert!(hosts.is_archive(&url("http://127.0.0.1:2/x.h5")));
        assert!(!hosts.is_archive(&url("http://127.0.0.1:3/x.h5")) && !hosts.is_archive(&url("http://localhost:2/")));
        for wrong in [".", "example.org", "ftp://example.org", ".example.org/path"] {
            assert!(Hosts::parse("http://127.0.0.1:1", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_invalid_host_is_reported_without_its_password() {
        let error = Hosts::parse("http://127.0.0.1:1", "ftp://u:hunter2@x.example").unwrap_err().to_string();
        assert!(!error.contains("hunter2") && error.contains("x.example"), "{error}");
    }
}
