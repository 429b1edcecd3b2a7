//! Searches in NASA's Common Metadata Repository (CMR).
//!
//! A [`Query`] is sent as a form to a [`Cmr`], page by page. Each item of a reply, in the form UMM-G, becomes a
//! [`GranuleDescription`], or an [`UnusableDescription`] with the reason. A [`WorkList`] collects the pages and keeps each
//! granule once, in its newest revision; [`worklist`] also reads and writes it as a file.

mod client;
pub(crate) mod granule;
mod page_failure;
mod pages;
mod query;
mod umm;
pub mod worklist;

pub use client::{CMR_URL, Cmr, RetryPolicy};
pub use granule::{Checksum, GranuleDescription, MAX_FILE_BYTES, UnusableDescription};
pub use pages::Page;
pub use query::Query;
pub use worklist::WorkList;
