//! NASA's bucket as an object store: its temporary credentials are asked of the archive, and asked for again before they end.

use std::sync::Arc;

use async_trait::async_trait;
use isdb_cmr::{Earthdata, ExposeSecret, Url};
use object_store::aws::{AmazonS3Builder, AwsCredential};
use object_store::{CredentialProvider, ObjectStore};

use crate::error::{Error, Result};

/// Where NASA's buckets are, and the one region from within which they can be read.
const REGION: &str = "us-west-2";

/// The bucket `bucket`, read with the temporary credentials that `endpoint` gives to `earthdata`, such as
/// `https://data.nsidc.earthdatacloud.nasa.gov/s3credentials`. They hold for an hour; a store is good for as long as the login.
/// `s3` is another S3 than the cloud's own, as `http://host:port`. Nothing is asked of anybody yet.
///
/// # Errors
/// [`Error::Direct`] when no client can be made for it.
pub fn direct_store(
    earthdata: Arc<Earthdata>,
    endpoint: Url,
    bucket: &str,
    s3: Option<String>,
) -> Result<Arc<dyn ObjectStore>> {
    let builder = AmazonS3Builder::new()
        .with_region(REGION)
        .with_bucket_name(bucket)
        .with_credentials(Arc::new(Temporary { earthdata, endpoint }));
    let builder = match s3 {
        Some(s3) => builder.with_allow_http(s3.starts_with("http://")).with_endpoint(s3),
        None => builder,
    };
    let store = builder.build().map_err(|source| Error::Direct { bucket: bucket.to_owned(), source })?;
    Ok(Arc::new(store))
}

/// Credentials as the archive gives them; the Earthdata session keeps them while they hold.
#[derive(Debug)]
struct Temporary {
    earthdata: Arc<Earthdata>,
    endpoint: Url,
}

#[async_trait]
impl CredentialProvider for Temporary {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let given = self.earthdata.s3_credentials(&self.endpoint).await;
        let given = given.map_err(|error| object_store::Error::Generic { store: "S3", source: Box::new(error) })?;
        Ok(Arc::new(AwsCredential {
            key_id: given.access_key_id.expose_secret().to_owned(),
            secret_key: given.secret_access_key.expose_secret().to_owned(),
            token: Some(given.session_token.expose_secret().to_owned()),
        }))
    }
}
