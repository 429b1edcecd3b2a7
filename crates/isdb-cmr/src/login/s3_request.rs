//! Requests for temporary S3 credentials.

use std::sync::Arc;

use reqwest::Url;

use crate::error::{Error, Result};
use crate::http::body::read_limited;
use crate::http::url::redacted;
use crate::login::s3_credentials::S3Credentials;
use crate::login::session::Earthdata;

/// A reply has about 1,500 bytes.
const MAX_REPLY_BYTES: usize = 1 << 16;

impl Earthdata {
    /// Returns credentials of a bucket from `endpoint`, such as `https://data.nsidc.earthdatacloud.nasa.gov/s3credentials`. They
    /// are cached until five minutes before they expire. The token is tried first, then the login.
    ///
    /// # Errors
    /// The errors of any request to the archive, and [`Error::InvalidResponse`] if the reply does not contain credentials.
    pub async fn s3_credentials(&self, endpoint: &Url) -> Result<Arc<S3Credentials>> {
        // The lock is held during the request: concurrent callers wait for its result.
        let mut cache = self.s3_credentials.0.lock().await;
        if let Some(cached) = cache.get(endpoint).filter(|cached| cached.is_fresh()) {
            return Ok(Arc::clone(cached));
        }
        let response = self.get_with_session(endpoint).await?.response;
        let url = redacted(endpoint);
        if !response.status().is_success() {
            return Err(Error::Status { url, status: response.status() });
        }
        let body =
            read_limited(response, MAX_REPLY_BYTES).await.map_err(|error| self.connection_error(endpoint, error))?;
        let body = body.unwrap_or_default();
        let credentials = S3Credentials::parse(&body).map(Arc::new);
        let credentials = credentials.ok_or_else(|| match body.trim_ascii_start().starts_with(b"<") {
            true => Error::WebPage { url },
            false => Error::InvalidResponse { url, problem: "the reply contains no S3 credentials".to_owned() },
        })?;
        cache.insert(endpoint.clone(), Arc::clone(&credentials));
        Ok(credentials)
    }
}
