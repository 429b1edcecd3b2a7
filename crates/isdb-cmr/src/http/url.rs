//! URLs: which can be requested, and how they are printed without secrets.

use isdb_schema::printable::Printable;
use reqwest::Url;

/// Parses `text` as an http or https URL.
pub(crate) fn parse_http_url(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(is_http)
}

/// Whether `url` is an http or https URL with a host.
pub(crate) fn is_http(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.has_host()
}

/// Returns `url` for messages and logs: without user, password, query (a presigned link is a key) and fragment.
pub(crate) fn redacted(url: &Url) -> String {
    let mut url = without_credentials(url);
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// Returns the address in `text` as it may be printed and stored: without user, password, query and fragment, and with control
/// characters escaped. The last segment of the path is kept; of a text that is not a URL, everything up to an `@` is dropped.
#[must_use]
pub fn without_secrets(text: &str) -> String {
    match Url::parse(text) {
        Ok(url) if url.has_host() => redacted(&url),
        _ => {
            let text = text.split(['?', '#']).next().unwrap_or_default();
            match text.rsplit_once('@') {
                Some((_, rest)) => format!("…@{}", Printable(rest)),
                None => Printable(text).to_string(),
            }
        }
    }
}

/// Returns `url` without user and password, which the HTTP client would send as credentials.
pub(crate) fn without_credentials(url: &Url) -> Url {
    let mut url = url.clone();
    // Fails only for URLs that cannot hold them.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_printed_without_credentials_and_signatures() {
        let url = Url::parse("https://u:p@x.example:1/a.h5?Signature=s#f").unwrap();
        assert_eq!(redacted(&url), "https://x.example:1/a.h5");
        for (text, safe) in [
            ("https://u:p@x.example/a.h5?X-Amz-Signature=s", "https://x.example/a.h5"),
            ("s3://bucket/a.h5", "s3://bucket/a.h5"),
            ("u:p@x.example/a?sig=s", "…@x.example/a"),
            ("G12-NSIDC_CPRD", "G12-NSIDC_CPRD"),
            ("G12\u{1b}[2J", "G12\\u{1b}[2J"),
        ] {
            assert_eq!(without_secrets(text), safe);
        }
    }
}
