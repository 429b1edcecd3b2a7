//! Find granules in NASA's CMR and fetch them with an Earthdata login. Knows no HDF5 and no database.

mod body;
mod cause;
mod client;
mod closed;
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
mod notices;
mod query;
mod redirect;
mod s3_credentials;
mod search;
mod trial;
mod verify;
mod words;
pub mod worklist;

pub use client::{CMR_URL, Cmr, Patience};
pub use credentials::{Claims, Credentials, Login, Secret, Token};
pub use download::{
    Fetched, Options, Outcome, Progress, Wanted, download, file_of, free_bytes, is_unfinished, missing_bytes,
    remove_fetched, room_for, set_aside,
};
pub use earthdata::Earthdata;
pub use error::{Error, Refusal, Result};
pub use hosts::{Hosts, Trusted, without_secrets};
pub use item::{Checksum, FoundGranule, LARGEST_FILE, Unusable};
pub use login::Account;
pub use query::Query;
pub use reqwest::Url;
pub use s3_credentials::S3Credentials;
pub use search::Page;
pub use verify::Algorithm;
pub use worklist::WorkList;
