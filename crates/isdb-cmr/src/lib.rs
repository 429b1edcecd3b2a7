//! Find granules in NASA's CMR and fetch them with an Earthdata login. Knows no HDF5 and no database.

mod cookies;
mod credentials;
mod download;
mod earthdata;
mod error;
mod hosts;
mod login;
pub mod netrc;
mod s3_credentials;
mod trial;
mod verify;

pub use credentials::{Claims, Credentials, Login, Secret, Token};
pub use download::{Fetched, Options, Outcome, Progress, Wanted, download, file_of, missing_bytes, room_for};
pub use earthdata::Earthdata;
pub use error::{Error, Result};
pub use hosts::{Hosts, Trusted};
pub use login::Account;
pub use reqwest::Url;
pub use s3_credentials::S3Credentials;
pub use verify::Algorithm;
