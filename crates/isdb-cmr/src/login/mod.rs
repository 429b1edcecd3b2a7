//! Logging in to Earthdata: credentials and where they come from, and the session that sends them.
//!
//! [`Credentials`] come from the caller, who may read them from a [`netrc`] file. An [`Earthdata`] session sends each of them
//! only to the [`Hosts`] that may see it, follows redirects between the archive and the login host, keeps the cookies in
//! memory, and stops sending what a server has rejected.

mod account;
mod cookies;
mod credential_check;
pub(crate) mod credential_kind;
mod credential_requests;
pub(crate) mod credentials;
mod hosts;
pub mod netrc;
mod refusals;
mod s3_credentials;
mod s3_request;
mod session;

pub use account::Account;
pub use credential_kind::CredentialKind;
pub use credentials::{Claims, Credentials, Login, Token};
pub use hosts::{Hosts, TrustedHost};
pub use s3_credentials::S3Credentials;
pub use secrecy::{ExposeSecret, SecretString};
pub(crate) use session::ArchiveResponse;
pub use session::Earthdata;
