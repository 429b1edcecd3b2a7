//! Find granules in NASA's CMR and fetch them with an Earthdata login. Knows no HDF5 and no database.

mod client;
mod error;
mod item;
mod query;
mod search;
pub mod worklist;

pub use client::{CMR_URL, Cmr, Patience};
pub use error::{Error, Result};
pub use item::{Checksum, FoundGranule, Unusable};
pub use query::Query;
pub use search::Page;
pub use worklist::WorkList;
