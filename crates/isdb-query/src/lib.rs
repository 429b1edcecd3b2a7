//! SQL over an isdb database: the session, its views and functions, and the checks of statements.
//!
//! A statement flows through these modules:
//!
//! 1. [`session()`] creates a DataFusion session from [`SessionOptions`]: the SQL dialect, the functions of `functions`, the user's
//!    files as tables, and memory limits.
//! 2. `views` ([`open`], [`register`]) adds one snapshot of a database to it: the tables `segments` and `granules`
//!    ([`LedgerTable`]), and the views `atl08`, `atl08_unique` and `atl08_20m` (table providers in `unique` and `pieces`) and `granules_current`, restricted
//!    by [`ViewOptions`]. Each is created when a statement first names it ([`DatabaseTables`]).
//!    `foreign` ([`register_array`]) adds an array of icesat2db, gedidb or another program instead.
//! 3. `statement` checks a statement before it runs: [`ReadOnly`] refuses statements that write, [`warnings`] reports statements
//!    whose answer is probably not the intended one, and [`error_message`] and [`error_hint`] explain the errors of DataFusion.
//! 4. `expression` ([`ExpressionBinder`]) binds the SQL of filters and derived columns from configs and presets to columns.
//!
//! `geometry` has columns of geometries, which the ST_ functions make and files hold.
//! `nearest` reads growing circles for a sort by the distance to a position, and `near_join` joins tables by distance with an index.
//!
//! Scans of arrays are left to `tiledb_datafusion`. The crate neither reads granules nor writes databases, and prints nothing.

mod coordinate_ranges;
mod error;
mod expression;
mod foreign;
mod functions;
mod geometry;
mod near_join;
mod nearest;
mod pieces;
mod session;
mod sql_text;
mod statement;
mod stored_position;
#[cfg(test)]
mod testing;
mod unique;
mod view_scan;
mod views;

pub use error::{Error, FileProblem, Result};
pub use expression::{BoundExpression, ExpressionBinder, expression_error, physical_expression};
pub use foreign::register::{ArrayTables, register_array};
pub use functions::chunk::{CHUNK, chunk_function};
pub use functions::in_region::region_predicate;
pub use functions::register_functions;
pub use geometry::{GeometryBuilder, geometry_at, geometry_field, geometry_text, geometry_texts, is_geometry};
pub use session::context::{SessionOptions, session};
pub use session::files::{UserFiles, is_file_name};
pub use session::memory::{MIN_QUERY_MEMORY, QueryResources};
pub use statement::error_hint::error_hint;
pub use statement::error_message::error_message;
pub use statement::lint::warning::Warning;
pub use statement::lint::warnings;
pub use statement::read_only::{ReadOnly, is_view_statement};
pub use statement::sources::{StatementSources, statement_sources};
pub use statement::stored_columns::stored_columns;
pub use views::database_tables::DatabaseTables;
pub use views::expiry::is_expired;
pub use views::ledger_table::{LedgerPart, LedgerTable};
pub use views::options::ViewOptions;
pub use views::quality_filters::check_releases;
pub use views::register::{open, register};
pub use views::releases::mixed_releases;
