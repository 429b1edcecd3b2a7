//! Find granules in NASA's CMR and fetch them with an Earthdata login. Knows no HDF5 and no database.

mod client;
mod cookies;
mod credentials;
mod download;
mod earthdata;
mod error;
mod headers;
mod hosts;
mod item;
mod login;
pub mod netrc;
mod query;
mod s3_credentials;
mod search;
mod trial;
mod verify;
pub mod worklist;

pub use client::{CMR_URL, Cmr, Patience};
pub use credentials::{Claims, Credentials, Login, Secret, Token};
pub use download::{
    Fetched, Options, Outcome, Progress, Wanted, download, file_of, free_bytes, missing_bytes, room_for,
};
pub use earthdata::Earthdata;
pub use error::{Error, Result};
pub use hosts::{Hosts, Trusted};
pub use item::{Checksum, FoundGranule, Unusable};
pub use login::Account;
pub use query::Query;
pub use reqwest::Url;
pub use s3_credentials::S3Credentials;
pub use search::Page;
pub use verify::Algorithm;
pub use worklist::WorkList;
