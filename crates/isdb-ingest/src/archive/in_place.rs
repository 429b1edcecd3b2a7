//! NASA's buckets as object stores, for reading granules without a download. The archive issues temporary credentials,
//! which are renewed before they expire.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use async_trait::async_trait;
use isdb_cmr::{Earthdata, ExposeSecret, Url};
use object_store::aws::{AmazonS3Builder, AwsCredential};
use object_store::{CredentialProvider, ObjectStore};

use crate::archive::source::Archive;
use crate::error::{Error, Result};

/// The AWS region of NASA's buckets, which can be read only from within it.
const AWS_REGION: &str = "us-west-2";

/// Returns the buckets with the granules of `archive`, by URL (`s3://bucket/`). The host that serves a granule over
/// HTTPS also issues the credentials of its bucket.
///
/// # Errors
/// When the client of a bucket cannot be created.
pub(crate) fn buckets(archive: &Archive) -> Result<BTreeMap<String, Arc<dyn ObjectStore>>> {
    let mut buckets = BTreeMap::new();
    for granule in &archive.granules {
        let (Some(s3), Some(https)) = (&granule.s3, &granule.https) else { continue };
        let bucket = s3.strip_prefix("s3://").and_then(|rest| rest.split('/').next());
        let endpoint = Url::parse(https).and_then(|https| https.join("/s3credentials"));
        let (Some(bucket), Ok(endpoint)) = (bucket, endpoint) else { continue };
        if let Entry::Vacant(vacant) = buckets.entry(format!("s3://{bucket}/")) {
            vacant.insert(direct_store(Arc::clone(&archive.earthdata), endpoint, bucket, archive.s3.clone())?);
        }
    }
    Ok(buckets)
}

/// Returns the bucket `bucket` as an object store. `endpoint` issues temporary credentials to the login of `earthdata`,
/// such as `https://data.nsidc.earthdatacloud.nasa.gov/s3credentials`. They are valid for an hour and are renewed, so
/// the store works for as long as the login. `s3` is the endpoint of an S3 service other than AWS, as
/// `http://host:port`. Sends no request yet.
///
/// # Errors
/// [`Error::Direct`] when the client cannot be created.
pub fn direct_store(
    earthdata: Arc<Earthdata>,
    endpoint: Url,
    bucket: &str,
    s3: Option<String>,
) -> Result<Arc<dyn ObjectStore>> {
    let builder = AmazonS3Builder::new()
        .with_region(AWS_REGION)
        .with_bucket_name(bucket)
        .with_credentials(Arc::new(TemporaryCredentials { earthdata, endpoint }));
    let builder = match s3 {
        Some(s3) => builder.with_allow_http(s3.starts_with("http://")).with_endpoint(s3),
        None => builder,
    };
    let store = builder.build().map_err(|source| Error::Direct { bucket: bucket.to_owned(), source })?;
    Ok(Arc::new(store))
}

/// The credentials that the archive issues. The Earthdata session keeps them while they are valid.
#[derive(Debug)]
struct TemporaryCredentials {
    earthdata: Arc<Earthdata>,
    endpoint: Url,
}

#[async_trait]
impl CredentialProvider for TemporaryCredentials {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let issued = self.earthdata.s3_credentials(&self.endpoint).await;
        let issued = issued.map_err(|error| object_store::Error::Generic { store: "S3", source: Box::new(error) })?;
        Ok(Arc::new(AwsCredential {
            key_id: issued.access_key_id.expose_secret().to_owned(),
            secret_key: issued.secret_access_key.expose_secret().to_owned(),
            token: Some(issued.session_token.expose_secret().to_owned()),
        }))
    }
}
