//! The SQL session of an isdb database.
//!
//! A statement flows through these modules:
//!
//! 1. [`session`] makes a DataFusion session: our dialect, functions, files as tables, memory limits.
//! 2. `views` registers one snapshot of a database in it: the tables `segments` and `granules`, and the views over them.
//! 3. `statement` checks a statement before it runs: [`ReadOnly`] refuses what writes, [`warnings`] finds what often means something
//!    else, [`advice`] suggests names.
//! 4. `expression` binds the SQL of filters and derived columns, which configs and presets write.
//!
//! The crate does not read granules and does not write databases.

mod error;
mod expression;
mod functions;
mod session;
mod statement;
#[cfg(test)]
mod testing;
mod views;

pub use error::{Error, FileProblem, Result, chain};
pub use expression::{Bound, Scope, physical, wrong};
pub use functions::chunk::{CHUNK, chunk_function};
pub use functions::in_region::lies_in;
pub use session::context::{bounded_session, register_functions, session, session_with};
pub use session::files::{UserFiles, is_file_name};
pub use session::memory::{LEAST_QUERY_MEMORY, QueryResources};
pub use statement::advice::advice;
pub use statement::lint::{Warning, warnings};
pub use statement::problem::problem;
pub use statement::read_only::{ReadOnly, is_of_view};
pub use statement::reads::{Reads, reads};
pub use views::expiry::is_expired;
pub use views::filtered::releases_fit;
pub use views::options::ViewOptions;
pub use views::register::{open, register};
pub use views::releases::coexisting_releases;
